"""How many painting requests a key may send in one UTC minute. A refused request does not use the window up."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from models import Refused

WINDOW_S = 60


class RateExceeded(Refused):
    """Too many requests this minute."""

    code: ClassVar[str] = "rate_limit_exceeded"

    def __init__(self, message: str, *, window: "Window", retry_after_s: int) -> None:
        super().__init__(message)
        self.window = window
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A key's minute, or an account's day or month: `limit` requests, `remaining` of them, until `resets_at` (seconds
    since the epoch)."""

    name: str = "minute"
    limit: int
    remaining: int
    resets_at: int
    length_s: int = WINDOW_S


class MinuteWindows:
    """Fixed UTC minutes, counted in memory for one process."""

    def __init__(self) -> None:
        self._minute = 0
        self._uses: dict[str, int] = {}

    def look(self, key_id: str, limit: int | None, *, now: datetime) -> Window | None:
        """The window as it stands; None for a key without limit."""
        if limit is None:
            return None
        minute = self._turn_to(now)
        used = self._uses.get(key_id, 0)
        return Window(limit=limit, remaining=max(0, limit - used), resets_at=(minute + 1) * WINDOW_S)

    def take(self, key_id: str, limit: int | None, *, now: datetime) -> Window | None:
        """Use one request of the window.

        Raises:
            RateExceeded: none is left; `retry_after_s` reaches to the next minute.
        """
        window = self.look(key_id, limit, now=now)
        if window is None:
            return None
        if window.remaining == 0:
            wait_s = max(1, window.resets_at - int(now.timestamp()))
            raise RateExceeded(
                f"More than {window.limit} requests this minute; try again in {wait_s} s.",
                window=window,
                retry_after_s=wait_s,
            )
        self._uses[key_id] = self._uses.get(key_id, 0) + 1
        return Window(limit=window.limit, remaining=window.remaining - 1, resets_at=window.resets_at)

    def _turn_to(self, now: datetime) -> int:
        """A new minute forgets the old one, so memory holds only the keys of this minute."""
        minute = int(now.timestamp()) // WINDOW_S
        if minute != self._minute:
            self._minute, self._uses = minute, {}
        return minute

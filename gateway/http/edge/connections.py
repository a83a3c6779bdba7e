"""How many connections there are, how long each may bring nothing, and one log line when they are closed for it.

Everything a stranger can make us spend before a route is asked is counted here and in `connection`. The bounds are on
what has not been spent yet.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog

from gateway.identity import NewId
from gateway.metrics import Metrics

log = structlog.get_logger()

SWEEP_S = 1.0
LEAST_RESERVE, MOST_RESERVE = 64, 1024  # descriptors kept for the database, pictures, children and webhooks


class Dropped(StrEnum):
    """Why a connection was closed by us; a label of `pinxit_connections_dropped_total`."""

    FULL = "full"
    ADDRESS_FULL = "address_full"
    MADE_ROOM = "made_room"
    MALFORMED = "malformed"
    HEAD_TOO_LARGE = "head_too_large"
    TOO_MUCH_FRAMING = "too_much_framing"
    PIPELINE_TOO_LONG = "pipeline_too_long"
    SILENT = "silent"
    SLOW_HEAD = "slow_head"
    SLOW_BODY = "slow_body"
    UNREAD_BODY = "unread_body"
    ANSWER_NOT_READ = "answer_not_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Counts, bytes and seconds that hold for every connection.

    A body must bring `body_window_bytes` in each `body_window_s`, so that a slow upload goes on and a silent one does
    not. `linger` bounds what is still read of a body after its answer, so that the caller can read that answer.
    """

    most: int
    most_of_address: int
    head_bytes: int = 65_536
    headers: int = 256
    framing_bytes: int = 65_536
    framing_per_body_byte: int = 16
    pipelined: int = 16
    head_s: float = 30
    body_window_s: float = 30
    body_window_bytes: int = 15_000
    linger_s: float = 30
    linger_bytes: int = 64_000_000
    unread_s: float = 60


class Held(Protocol):
    """What is asked of a connection from here."""

    address: str

    @property
    def is_waiting(self) -> bool: ...

    def hang_up(self) -> None: ...

    def check(self, now: float) -> None: ...


@dataclass(kw_only=True)
class Connections:
    """All connections of this process. `seconds` is a monotonic clock, `types` the address of the pages of errors."""

    limits: ConnectionLimits
    seconds: Callable[[], float]
    metrics: Metrics
    new_id: NewId
    types: str
    log_every_s: float = 10
    _open: dict[Held, None] = field(default_factory=dict["Held", None])
    _of_address: Counter[str] = field(default_factory=Counter[str])
    _dropped: Counter[Dropped] = field(default_factory=Counter[Dropped])
    _logged_s: float = float("-inf")

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, new: Held) -> bool:
        """Whether there is room. Where all places are taken, the oldest connection without a request gives up its own:
        of the same address, where that has as many as one may have."""
        is_address_full = self._of_address[new.address] >= self.limits.most_of_address
        if is_address_full or len(self._open) >= self.limits.most:
            rivals = (held for held in self._open if held.is_waiting)
            oldest = next((held for held in rivals if not is_address_full or held.address == new.address), None)
            if oldest is None:
                self.note(Dropped.ADDRESS_FULL if is_address_full else Dropped.FULL)
                return False
            self.note(Dropped.MADE_ROOM)
            self.leave(oldest)
            oldest.hang_up()
        self._open[new] = None
        self._of_address[new.address] += 1
        return True

    def leave(self, gone: Held) -> None:
        """Gives its place back; nothing happens for one that has none."""
        if gone not in self._open:
            return
        del self._open[gone]
        self._of_address[gone.address] -= 1
        if not self._of_address[gone.address]:
            del self._of_address[gone.address]

    def note(self, why: Dropped) -> None:
        """Count a connection that we close; `sweep` writes the line."""
        self._dropped[why] += 1
        self.metrics.count_dropped(why.value)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sweep every second from now on. What one sweep breaks on is logged by the loop, and the next one comes."""
        loop.call_later(SWEEP_S, self.begin, loop)
        self.sweep()

    def sweep(self) -> None:
        """Close whoever is over a deadline. To be called every second or so."""
        now = self.seconds()
        for held in list(self._open):
            held.check(now)
        if self._dropped and now - self._logged_s >= self.log_every_s:
            self._logged_s = now
            counts = {why.value: count for why, count in self._dropped.items()}
            log.warning("connections closed", **counts, open=len(self), most=self.limits.most)
            self._dropped.clear()


def raised_descriptor_limit() -> int:
    """How many files this process may have open, after it has asked for as many as the machine lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as refused:  # macOS calls the hard limit endless and refuses to give it
        log.info("limit of open files not raised", limit=soft, reason=str(refused))
        return soft
    return hard


def limits_within(descriptors: int, *, most: int, shares_addresses: bool) -> ConnectionLimits:
    """`most` connections, or as many as `descriptors` leave room for.

    No single address gets more than half of them, unless all callers have one: `shares_addresses`, as behind a proxy.
    """
    reserve = min(MOST_RESERVE, max(LEAST_RESERVE, descriptors // 4))
    within = max(1, most if descriptors < 0 else min(most, descriptors - reserve))  # -1: no limit
    return ConnectionLimits(most=within, most_of_address=within if shares_addresses else max(1, within // 2))

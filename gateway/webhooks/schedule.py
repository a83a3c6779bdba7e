"""When to try again: a pure table, after Svix's (docs.svix.com/retries): 0, 5 s, 5 min, 30 min, 2, 5, 10 and 10 h."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from gateway.webhooks.sender import Answer

RETRY_DELAYS_S = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
JITTER = 0.2
MAX_RETRY_AFTER = timedelta(hours=24)
GONE = 410

Chance = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySchedule:
    """Waits after the first, second, ... failed attempt; there is one attempt more than there are waits."""

    delays_s: tuple[float, ...] = RETRY_DELAYS_S

    def next_attempt(self, attempts: int, answer: Answer, *, now: datetime, chance: Chance) -> datetime | None:
        """When to try again after `attempts` attempts, the last of which failed with `answer`; None means never.

        Each wait is up to 20 % shorter or longer, so that what failed together does not return together; `chance`
        draws from [0, 1). A receiver's Retry-After may lengthen the wait, to 24 hours at most. 410 ends it.
        """
        if answer.status == GONE or attempts > len(self.delays_s):
            return None
        wait = timedelta(seconds=self.delays_s[attempts - 1] * (1 + JITTER * (2 * chance() - 1)))
        return now + max(wait, min(asked_wait(answer.retry_after, now=now), MAX_RETRY_AFTER))


def asked_wait(retry_after: str | None, *, now: datetime) -> timedelta:
    """The wait that a Retry-After header asks for, in seconds or as an HTTP date; nonsense asks for none."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:10]), MAX_RETRY_AFTER.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))

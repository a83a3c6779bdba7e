"""How many painting requests an account may send in one UTC day and month, counted in the accepting transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import ClassVar

from gateway.access.callers import Caller
from gateway.access.rate_limit import Window
from models import Refused
from storage import Transaction
from storage.generations import count_open
from storage.usage import Counter, count_uses, uses


class QuotaExceeded(Refused):
    """The day's or the month's requests are used up."""

    code: ClassVar[str] = "daily_quota_exceeded"

    def __init__(self, message: str, *, window: Window, retry_after_s: int) -> None:
        super().__init__(message)
        self.window = window
        self.retry_after_s = retry_after_s


class TooManyOpen(Refused):
    """The account, or the key, has as many generations queued and being painted as it may have."""

    code: ClassVar[str] = "concurrency_limit_exceeded"
    retry_after_s: ClassVar[int] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A UTC day (`2026-11-21`) or month (`2026-11`)."""

    id: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One counter: at most `limit` uses by `subject` in the period."""

    name: str
    subject: str
    period: Period
    limit: int | None

    def used_up(self, now: datetime) -> QuotaExceeded:
        begins_at, ends_at = self.period.begins_at, self.period.ends_at
        window = Window(
            name=self.name,
            limit=self.limit or 0,
            remaining=0,
            resets_at=int(ends_at.timestamp()),
            length_s=int((ends_at - begins_at).total_seconds()),
        )
        return QuotaExceeded(
            f"All {self.limit} requests of the {self.name} are used.",
            window=window,
            retry_after_s=max(1, int((ends_at - now).total_seconds())),
        )


@lru_cache(maxsize=2)
def _periods(today: datetime) -> tuple[Period, Period]:
    """The day that begins at `today`, and its month."""
    first = today.replace(day=1)
    next_first = (first + timedelta(days=32)).replace(day=1)
    return (
        Period(id=today.strftime("%Y-%m-%d"), begins_at=today, ends_at=today + timedelta(days=1)),
        Period(id=today.strftime("%Y-%m"), begins_at=first, ends_at=next_first),
    )


def allowances(caller: Caller, now: datetime) -> tuple[Allowance, ...]:
    """Every counter that one request of this caller moves."""
    day, month = _periods(now.replace(hour=0, minute=0, second=0, microsecond=0))
    account, key, plan = caller.account.id, caller.key.id, caller.plan
    return (
        Allowance(name="day", subject=account, period=day, limit=plan.requests_per_day),
        Allowance(name="month", subject=account, period=month, limit=plan.requests_per_month),
        Allowance(name="day of this key", subject=key, period=day, limit=caller.key.rpd),
    )


async def count_request(transaction: Transaction, caller: Caller, *, now: datetime) -> None:
    """Use one request of each counter; a refusal rolls all of them back with the transaction.

    Raises:
        QuotaExceeded: a counter is full; `retry_after_s` reaches to its end.
    """
    counted = {Counter(one.subject, one.period.id, one.limit): one for one in allowances(caller, now)}
    passed = await count_uses(transaction, list(counted))
    if passed is not None:
        raise counted[passed].used_up(now)


async def check_open(transaction: Transaction, caller: Caller) -> None:
    """Bound what is queued and being painted at a time, by counting rows, the caller's newest among them.

    Comes after `count_request`, whose counter keeps two requests of one account from counting at the same time.

    Raises:
        TooManyOpen.
    """
    account, key = caller.account.id, caller.key.id
    for most, whose, key_id in ((caller.plan.max_open, "account", None), (caller.key.max_open, "key", key)):
        if most is not None and await count_open(transaction, account, key_id=key_id, besides_batches=True) > most:
            raise TooManyOpen(f"This {whose} may have {most} generations open at a time; wait until one has ended.")


async def requests_used(connection: Transaction, caller: Caller, *, now: datetime) -> Mapping[str, int]:
    """Uses so far by the counter's name, for `GET /v1/account`."""
    return {
        allowance.name: await uses(connection, allowance.subject, allowance.period.id)
        for allowance in allowances(caller, now)
    }

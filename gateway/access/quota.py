"""How many painting requests an account may send in one UTC day and month, counted in the accepting transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from gateway.access.callers import Caller
from models import Refused
from storage import Transaction
from storage.usage import count_use, uses


class QuotaExceeded(Refused):
    """The day's or the month's requests are used up."""

    code: ClassVar[str] = "daily_quota_exceeded"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One counter: at most `limit` uses by `subject` in `period`, which ends at `ends_at`."""

    name: str
    subject: str
    period: str
    limit: int | None
    ends_at: datetime


def allowances(caller: Caller, now: datetime) -> tuple[Allowance, ...]:
    """Every counter that one request of this caller moves."""
    day, month = now.strftime("%Y-%m-%d"), now.strftime("%Y-%m")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    next_month = (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    account, key, plan = caller.account.id, caller.key.id, caller.plan
    return (
        Allowance(name="day", subject=account, period=day, limit=plan.requests_per_day, ends_at=midnight),
        Allowance(name="month", subject=account, period=month, limit=plan.requests_per_month, ends_at=next_month),
        Allowance(name="day of this key", subject=key, period=day, limit=caller.key.rpd, ends_at=midnight),
    )


async def count_request(transaction: Transaction, caller: Caller, *, now: datetime) -> None:
    """Use one request of each counter; a refusal rolls all of them back with the transaction.

    Raises:
        QuotaExceeded: a counter is full; `retry_after_s` reaches to its end.
    """
    for allowance in allowances(caller, now):
        if await count_use(transaction, allowance.subject, allowance.period, limit=allowance.limit) is None:
            raise QuotaExceeded(
                f"All {allowance.limit} requests of the {allowance.name} are used.",
                retry_after_s=max(1, int((allowance.ends_at - now).total_seconds())),
            )


async def requests_used(connection: Transaction, caller: Caller, *, now: datetime) -> dict[str, int]:
    """Uses so far by the counter's name, for `GET /v1/account`."""
    return {
        allowance.name: await uses(connection, allowance.subject, allowance.period)
        for allowance in allowances(caller, now)[:2]
    }

"""The log of webhooks: an account's deliveries with their attempts, page by page, and making them once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, select, update

from storage.database import Connection, Transaction
from storage.webhook_tables import deliveries, delivery_attempts, events

MOST_ATTEMPTS_SHOWN = 20
d = deliveries.c


class Outcome(StrEnum):
    """Pending: attempts are still to be made. Failed: none is, unless somebody asks for it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries are meant; None leaves a member open. `since` and `until` bound when they were written."""

    endpoint_id: str | None = None
    event_id: str | None = None
    subject_id: str | None = None
    outcomes: frozenset[Outcome] = frozenset(Outcome)
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAttempt:
    """One sending; `answer` is how the answer began."""

    at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """A delivery and its newest attempts, oldest first. `attempts` counts those since it was last asked for."""

    number: int
    id: str
    event_id: str
    event_type: str
    subject_id: str
    endpoint_id: str | None
    url: str
    attempts: int
    due_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None
    error: str | None
    log: tuple[LoggedAttempt, ...] = ()

    @property
    def outcome(self) -> Outcome:
        if self.delivered_at is not None:
            return Outcome.DELIVERED
        return Outcome.FAILED if self.due_at is None else Outcome.PENDING


_OUTCOMES: Mapping[Outcome, ColumnElement[bool]] = {
    Outcome.PENDING: and_(d.delivered_at.is_(None), d.due_at.is_not(None)),
    Outcome.DELIVERED: d.delivered_at.is_not(None),
    Outcome.FAILED: and_(d.delivered_at.is_(None), d.due_at.is_(None)),
}
_RECORD = select(
    *(d.number, d.id, d.event_id, events.c.type.label("event_type"), events.c.subject_id, d.endpoint_id, d.url),
    *(d.attempts, d.due_at, d.created_at, d.delivered_at, d.error),
).join_from(deliveries, events, events.c.id == d.event_id)


async def deliveries_page(
    connection: Connection, account_id: str, wanted: DeliveryFilter, *, limit: int, before: int | None
) -> list[DeliveryRecord]:
    """Newest first, with a number below `before`."""
    query = _RECORD.where(d.account_id == account_id, *_meant(wanted)).order_by(d.number.desc()).limit(limit)
    if before is not None:
        query = query.where(d.number < before)
    return await _records(connection, query)


async def delivery_by_id(connection: Connection, account_id: str, id: str) -> DeliveryRecord | None:
    """One of the account's; another account's is not found."""
    found = await _records(connection, _RECORD.where(d.id == id, d.account_id == account_id))
    return found[0] if found else None


async def send_again(transaction: Transaction, id: str, *, now: datetime) -> None:
    """Make this delivery once more, from now on."""
    await transaction.execute(update(deliveries).where(d.id == id).values(_afresh(now)))


async def send_range_again(transaction: Transaction, wanted: DeliveryFilter, *, now: datetime, limit: int) -> int:
    """Make those that are over once more, the oldest `limit` of the filter. Returns how many."""
    over = (
        select(d.id)
        .join_from(deliveries, events, events.c.id == d.event_id)
        .where(d.due_at.is_(None), *_meant(wanted))
        .order_by(d.number)
        .limit(limit)
    )
    changed = update(deliveries).where(d.id.in_(over.scalar_subquery())).values(_afresh(now))
    return (await transaction.execute(changed)).rowcount


def _afresh(now: datetime) -> dict[str, object]:
    return {"due_at": now, "attempts": 0, "delivered_at": None, "error": None}


def _meant(wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    equal = {
        d.endpoint_id: wanted.endpoint_id,
        d.event_id: wanted.event_id,
        events.c.subject_id: wanted.subject_id,
    }
    clauses = [column == value for column, value in equal.items() if value is not None]
    if wanted.since is not None:
        clauses.append(d.created_at >= wanted.since)
    if wanted.until is not None:
        clauses.append(d.created_at < wanted.until)
    if wanted.outcomes != frozenset(Outcome):
        clauses.extend(~clause for outcome, clause in _OUTCOMES.items() if outcome not in wanted.outcomes)
    return clauses


async def _records(connection: Connection, query: Select[*tuple[object, ...]]) -> list[DeliveryRecord]:
    rows = (await connection.execute(query)).mappings().all()
    logs = await _logs(connection, [row["id"] for row in rows])
    return [DeliveryRecord(**row, log=tuple(logs[row["id"]])) for row in rows]


async def _logs(connection: Connection, ids: Sequence[str]) -> dict[str, list[LoggedAttempt]]:
    """The newest attempts of each, in order."""
    a = delivery_attempts.c
    age = func.row_number().over(partition_by=a.delivery_id, order_by=a.number.desc()).label("age")
    aged = select(delivery_attempts, age).where(a.delivery_id.in_(ids)).subquery()
    query = select(aged).where(aged.c.age <= MOST_ATTEMPTS_SHOWN).order_by(aged.c.number)
    members = [member.name for member in fields(LoggedAttempt)]
    logs: dict[str, list[LoggedAttempt]] = {id: [] for id in ids}
    for row in (await connection.execute(query)).mappings():
        logs[row["delivery_id"]].append(LoggedAttempt(**{member: row[member] for member in members}))
    return logs

"""The outbox of webhooks: which event is to be sent to whom, how far that has come, and what was answered.

A delivery is written in the transaction of the event. Whoever sends one holds a lease on it by the database's clock;
the end of that lease is also the fence: an attempt that outlasted it records a success and nothing else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, exists, insert, or_, select, update

from storage.columns import DatabaseTime
from storage.database import Connection, Transaction
from storage.endpoints import valid_secrets
from storage.events import Event
from storage.tables import accounts
from storage.webhook_tables import deliveries, delivery_attempts, endpoints, events

c = deliveries.c
CLAIMED: tuple[ColumnElement[Any], ...] = (
    *(c.id, c.endpoint_id, c.url, c.host, c.attempts, c.lease_until),
    *(accounts.c.webhook_secret, accounts.c.previous_webhook_secret, accounts.c.previous_webhook_secret_until),
    *(endpoints.c.secret, endpoints.c.previous_secret, endpoints.c.previous_valid_until),
    *(column.label(f"event_{column.name}") for column in events.c),
)
IS_FREE = or_(c.lease_until.is_(None), c.lease_until <= DatabaseTime())


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an event goes: to an endpoint, or without one to the address its request named.

    `host` is whom that burdens. What is `held` is not sent before somebody asks for it.
    """

    url: str
    host: str
    endpoint_id: str | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """What should be sent by now, and whom that burdens."""

    id: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A claimed delivery: what to send where, signed with `secrets`, newest first, after `attempts` that failed."""

    id: str
    event: Event
    endpoint_id: str | None
    url: str
    host: str
    secrets: tuple[str, ...] = field(repr=False)
    attempts: int
    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one sending went. `status` is None when no answer came; `answer` is how the answer began.

    Without `next_at` there will be no other attempt.
    """

    at: datetime
    duration_ms: int = 0
    status: int | None
    error: str | None
    answer: bytes = b""
    is_delivered: bool
    next_at: datetime | None = None


async def add_delivery(transaction: Transaction, id: str, event: Event, target: Target) -> None:
    """Send the event there, from now on; a held one is only written down."""
    row = {
        "id": id,
        "account_id": event.account_id,
        "event_id": event.id,
        "endpoint_id": target.endpoint_id,
        "url": target.url,
        "host": target.host,
        "attempts": 0,
        "due_at": None if target.is_held else event.created_at,
        "created_at": event.created_at,
        "error": "the endpoint was disabled" if target.is_held else None,
    }
    await transaction.execute(insert(deliveries).values(row))


async def due(connection: Connection, *, now: datetime, but: Collection[str], limit: int) -> list[DueDelivery]:
    """What should be sent by now and nobody is about, the longest overdue first, to other hosts than `but`."""
    query = (
        select(c.id, c.host)
        .where(c.due_at <= now, IS_FREE, c.host.not_in(but))
        .order_by(c.due_at, c.number)
        .limit(limit)
    )
    return [DueDelivery(id=id, host=host) for id, host in await connection.execute(query)]


async def claim_deliveries(
    transaction: Transaction, ids: Sequence[str], *, now: datetime, lease_s: float
) -> list[Delivery]:
    """Take those of `ids` that are still due and free, for `lease_s` seconds; another server may have been faster."""
    free = (
        select(c.id).where(c.id.in_(ids), c.due_at <= now, IS_FREE).order_by(c.number).with_for_update(skip_locked=True)
    )
    taken = await transaction.execute(
        update(deliveries)
        .where(c.id.in_(free.scalar_subquery()))
        .values(lease_until=DatabaseTime(after_ms=round(lease_s * 1000)))
        .returning(c.id)
    )
    return await _claimed(transaction, list(taken.scalars()), now=now)


async def release_delivery(transaction: Transaction, delivery: Delivery) -> None:
    """Let others send it: nothing came of this claim."""
    await transaction.execute(update(deliveries).where(_is_ours(delivery)).values(lease_until=None))


async def release_all_deliveries(transaction: Transaction) -> None:
    """Only where nobody else can be sending."""
    await transaction.execute(update(deliveries).where(c.lease_until.is_not(None)).values(lease_until=None))


async def record_attempt(transaction: Transaction, delivery: Delivery, attempt: Attempt) -> bool:
    """Note how an attempt went and when the next one is due; False when a lapsed lease makes that another's affair.

    A success counts always: what has arrived need not be sent again.
    """
    values = {
        "attempts": c.attempts + 1,
        "attempted_at": attempt.at,
        "delivered_at": attempt.at if attempt.is_delivered else None,
        "due_at": None if attempt.is_delivered else attempt.next_at,
        "lease_until": None,
        "status": attempt.status,
        "error": attempt.error,
    }
    where = c.id == delivery.id if attempt.is_delivered else _is_ours(delivery)
    if (await transaction.execute(update(deliveries).where(where).values(values))).rowcount != 1:
        return False
    row = {
        "delivery_id": delivery.id,
        "at": attempt.at,
        "duration_ms": attempt.duration_ms,
        "status": attempt.status,
        "error": attempt.error,
        "answer": attempt.answer,
    }
    await transaction.execute(insert(delivery_attempts).values(row))
    return True


async def give_up_on(transaction: Transaction, endpoint_id: str, *, error: str) -> None:
    """Send nothing of what waits for this endpoint."""
    waiting = and_(c.endpoint_id == endpoint_id, c.due_at.is_not(None))
    await transaction.execute(update(deliveries).where(waiting).values(due_at=None, error=error))


async def redirect_deliveries(transaction: Transaction, endpoint_id: str, *, url: str, host: str) -> None:
    """The endpoint has moved, and with it all that is still to be sent to it."""
    await transaction.execute(update(deliveries).where(c.endpoint_id == endpoint_id).values(url=url, host=host))


async def forget_deliveries(transaction: Transaction, *, before: datetime) -> None:
    """Drop the log and what is over, as far as both are older; what still waits is kept with its event."""
    await transaction.execute(delete(delivery_attempts).where(delivery_attempts.c.at < before))
    is_over = and_(c.created_at < before, c.due_at.is_(None), or_(c.attempted_at.is_(None), c.attempted_at < before))
    await transaction.execute(delete(deliveries).where(is_over))
    is_left = exists().where(c.event_id == events.c.id)
    await transaction.execute(delete(events).where(events.c.created_at < before, ~is_left))


def _is_ours(delivery: Delivery) -> ColumnElement[bool]:
    return and_(c.id == delivery.id, c.lease_until == delivery.lease_until)


async def _claimed(transaction: Transaction, ids: Sequence[str], *, now: datetime) -> list[Delivery]:
    query = (
        select(*CLAIMED)
        .select_from(deliveries)
        .join(events, events.c.id == c.event_id)
        .join(accounts, accounts.c.id == c.account_id)
        .outerjoin(endpoints, endpoints.c.id == c.endpoint_id)
        .where(c.id.in_(ids))
        .order_by(c.due_at, c.number)
    )
    return [_delivery(row, now=now) for row in (await transaction.execute(query)).mappings()]


def _delivery(row: RowMapping, *, now: datetime) -> Delivery:
    of_account = ("webhook_secret", "previous_webhook_secret", "previous_webhook_secret_until")
    of_endpoint = ("secret", "previous_secret", "previous_valid_until")
    secret, previous, until = (row[name] for name in (of_account if row["endpoint_id"] is None else of_endpoint))
    return Delivery(
        id=row["id"],
        event=Event(**{member: row[f"event_{member}"] for member in events.c.keys()}),  # noqa: SIM118 - not a dict
        endpoint_id=row["endpoint_id"],
        url=row["url"],
        host=row["host"],
        secrets=valid_secrets(secret, previous, until, now=now),
        attempts=row["attempts"],
        lease_until=row["lease_until"],
    )

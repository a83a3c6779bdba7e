"""The outbox of webhooks: what is to be told, to whom, and how far that has come.

An event is written in the transaction that ends its generation, with the body that every attempt sends unchanged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from storage.database import Connection, Transaction
from storage.rows import row_of
from storage.tables import deliveries, events


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, once per generation and type; `body` is the exact bytes that are signed and sent."""

    id: str
    account_id: str
    generation_id: str
    type: str
    body: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event that waits to be sent to `url`, signed with `secret`, after `attempts` that failed."""

    event: Event
    url: str
    secret: str
    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one sending went. `status` is None when no answer came; without `next_at` there will be no other attempt."""

    at: datetime
    status: int | None
    error: str | None
    is_delivered: bool
    next_at: datetime | None = None


async def add_event(transaction: Transaction, event: Event) -> None:
    await transaction.execute(insert(events).values(row_of(event)))


async def add_delivery(transaction: Transaction, event_id: str, url: str, secret: str, *, now: datetime) -> None:
    """Send the event to this address, from now on."""
    row = {"event_id": event_id, "url": url, "secret": secret, "attempts": 0, "due_at": now, "created_at": now}
    await transaction.execute(insert(deliveries).values(row))


async def due(connection: Connection, *, now: datetime, limit: int) -> list[Delivery]:
    """What should be sent by now, the longest overdue first. Two servers may both be told; receivers know the id."""
    c = deliveries.c
    query = (
        select(events, c.url, c.secret, c.attempts, c.due_at)
        .join_from(deliveries, events)
        .where(c.due_at <= now)
        .order_by(c.due_at, c.event_id)
        .limit(limit)
    )
    return [_delivery(row) for row in await connection.execute(query)]


async def record_attempt(transaction: Transaction, event_id: str, attempt: Attempt) -> None:
    """Note how an attempt went and when the next one is due."""
    c = deliveries.c
    values = {
        "attempts": c.attempts + 1,
        "attempted_at": attempt.at,
        "delivered_at": attempt.at if attempt.is_delivered else None,
        "due_at": None if attempt.is_delivered else attempt.next_at,
        "status": attempt.status,
        "error": attempt.error,
    }
    # A copy that arrived stays arrived, whatever another server's attempt met afterwards.
    pending = (c.event_id == event_id) & c.delivered_at.is_(None)
    await transaction.execute(update(deliveries).where(pending).values(values))


def _delivery(row: Row[Any]) -> Delivery:
    *event, url, secret, attempts, due_at = tuple(row)
    told = Event(**dict(zip(events.c.keys(), event, strict=True)))
    return Delivery(event=told, url=url, secret=secret, attempts=attempts, due_at=due_at)

"""Counters of use: how often a subject (an account, a key) did something in a period (`2026-11-21`, `2026-11`)."""

from sqlalchemy import select

from storage.database import Connection, Transaction
from storage.rows import careful_insert
from storage.tables import usage


async def count_use(transaction: Transaction, subject: str, period: str, *, limit: int | None) -> int | None:
    """Count one more and return how many that makes; None, and nothing is counted, when `limit` is reached."""
    if limit is not None and limit < 1:
        return None
    counted = careful_insert(transaction, usage).values(subject=subject, period=period, uses=1)
    counted = counted.on_conflict_do_update(
        index_elements=[usage.c.subject, usage.c.period],
        set_={"uses": usage.c.uses + 1},
        where=None if limit is None else usage.c.uses < limit,
    )
    made: int | None = await transaction.scalar(counted.returning(usage.c.uses))
    return made


async def uses(connection: Connection, subject: str, period: str) -> int:
    """How many were counted so far."""
    query = select(usage.c.uses).where(usage.c.subject == subject, usage.c.period == period)
    return await connection.scalar(query) or 0

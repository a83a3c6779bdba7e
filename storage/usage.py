"""Counters of use: how often a subject (an account, a key) did something in a period (`2026-11-21`, `2026-11`)."""

from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, select

from storage.database import Connection, Transaction
from storage.rows import insert_for
from storage.tables import usage

USES = select(usage.c.uses).where(usage.c.subject == bindparam("subject"), usage.c.period == bindparam("period"))


async def count_use(transaction: Transaction, subject: str, period: str, *, limit: int | None) -> int | None:
    """Count one more and return how many that makes; None, and nothing is counted, when `limit` is reached."""
    if limit is not None and limit < 1:
        return None
    counted = _one_more(transaction.dialect.name, is_limited=limit is not None)
    given: dict[str, Any] = {"subject": subject, "period": period, "uses": 1}
    made: int | None = await transaction.scalar(counted, given if limit is None else {**given, "most": limit})
    return made


@cache
def _one_more(dialect: str, *, is_limited: bool) -> Executable:
    """Made once: three of these stand in every accepting transaction."""
    return (
        insert_for(dialect, usage)
        .on_conflict_do_update(
            index_elements=[usage.c.subject, usage.c.period],
            set_={"uses": usage.c.uses + 1},
            where=usage.c.uses < bindparam("most") if is_limited else None,
        )
        .returning(usage.c.uses)
    )


async def uses(connection: Connection, subject: str, period: str) -> int:
    """How many were counted so far."""
    return await connection.scalar(USES, {"subject": subject, "period": period}) or 0

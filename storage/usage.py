"""Counters of use: how often a subject (an account, a key) did something in a period (`2026-11-21`, `2026-11`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Executable, bindparam, literal, select, union_all

from storage.database import Connection, Transaction
from storage.rows import insert_for
from storage.tables import usage

USES = select(usage.c.uses).where(usage.c.subject == bindparam("subject"), usage.c.period == bindparam("period"))


@dataclass(frozen=True, slots=True)
class Counter:
    """One that counts a subject's uses in a period, up to `limit` (None: without end)."""

    subject: str
    period: str
    limit: int | None


async def count_uses(transaction: Transaction, counters: Sequence[Counter]) -> Counter | None:
    """Count one more in each counter, no two of which are the same, by one statement.

    Returns the first that has passed its limit: then the caller must roll back, for it was counted all the same.
    """
    given = {f"{name}_{i}": value for i, one in enumerate(counters) for name, value in _named(one)}
    rows = await transaction.execute(_one_more(transaction.dialect.name, len(counters)), given)
    made = {(subject, period): count for subject, period, count in rows}
    passed = (one for one in counters if one.limit is not None and made[one.subject, one.period] > one.limit)
    return next(passed, None)


def _named(counter: Counter) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("subject", counter.subject), ("period", counter.period)


@cache
def _one_more(dialect: str, counters: int) -> Executable:
    """Made once: it stands in every accepting transaction. Rows as a question, since SQLAlchemy keeps no statement of
    several VALUES."""
    c = usage.c
    lines = [
        select(
            bindparam(f"subject_{i}", type_=c.subject.type), bindparam(f"period_{i}", type_=c.period.type), literal(1)
        )
        for i in range(counters)
    ]
    return (
        insert_for(dialect, usage)
        .from_select(["subject", "period", "uses"], union_all(*lines))
        .on_conflict_do_update(index_elements=[c.subject, c.period], set_={"uses": c.uses + 1})
        .returning(c.subject, c.period, c.uses)
    )


async def uses(connection: Connection, subject: str, period: str) -> int:
    """How many were counted so far."""
    return await connection.scalar(USES, {"subject": subject, "period": period}) or 0

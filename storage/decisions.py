"""Decisions of the content policy: what was flagged or refused, on what grounds, and what was judged, while that is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from storage.database import Connection, Transaction
from storage.erasure import IS_ERASED
from storage.rows import row_of
from storage.tables import accounts, decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """One decision of `flag` or `block`.

    `rules` are the ids of the rules that matched, the one that counted most first. The hashes say by which policy and
    which lexicons, `input_sha256` of what. `judged` is that input as JSON, None where it is not kept or no longer.
    `generation_id` is what a flagged request became, `batch_id` the batch of a refused item. `number` is the place in
    the table, 0 before it is written.
    """

    created_at: datetime
    account_id: str
    key_id: str
    surface: str
    action: str
    category: str
    rules: list[str]
    policy: str
    policy_hash: str
    lexicon_hash: str
    views_version: int
    input_sha256: str
    judged: bytes | None
    generation_id: str | None = None
    batch_id: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFilters:
    """Which decisions are listed; None leaves a member open."""

    action: str | None = None
    category: str | None = None
    account_id: str | None = None


EVERY_DECISION = DecisionFilters()


async def add_decisions(transaction: Transaction, rows: Sequence[DecisionRow]) -> None:
    """Write them down, in the order given."""
    values = [{name: value for name, value in row_of(row).items() if name != "number"} for row in rows]
    if values:
        await transaction.execute(insert(decisions), values)


async def list_decisions(
    connection: Connection, filters: DecisionFilters = EVERY_DECISION, *, limit: int, before: int | None = None
) -> list[DecisionRow]:
    """The newest first, below the number `before`."""
    query = select(decisions).order_by(decisions.c.number.desc()).limit(limit)
    for name, value in row_of(filters).items():
        if value is not None:
            query = query.where(decisions.c[name] == value)
    if before is not None:
        query = query.where(decisions.c.number < before)
    return [DecisionRow(**row) for row in (await connection.execute(query)).mappings()]


async def forget_decisions(transaction: Transaction, *, texts_before: datetime, rows_before: datetime) -> int:
    """Let go of what was judged before the one moment, and of whole rows from before the other or of erased accounts,
    one of whose keys another server may have known some seconds longer.

    Returns:
        How many rows were changed or deleted.
    """
    is_gone = decisions.c.account_id.in_(select(accounts.c.id).where(IS_ERASED))
    gone = await transaction.execute(delete(decisions).where((decisions.c.created_at < rows_before) | is_gone))
    is_due = (decisions.c.created_at < texts_before) & decisions.c.judged.is_not(None)
    emptied = await transaction.execute(update(decisions).where(is_due).values(judged=None))
    return gone.rowcount + emptied.rowcount

"""Credits. Rows are only ever added, and the account's balance moves in the same transaction.

grant: into available. hold: available -> held, when a generation is accepted. capture: held -> captured, when it is
completed. release: held -> available, when it is not. Always: available + held + captured = granted.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, literal, select, update

from storage.columns import Moment
from storage.database import Transaction
from storage.errors import CreditsShort
from storage.rows import careful_insert
from storage.tables import accounts, ledger


class Kind(StrEnum):
    """What a row of the ledger says happened."""

    GRANT = "grant"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"


async def grant(transaction: Transaction, account_id: str, credits: int, *, now: datetime, note: str) -> None:
    """Give an account credits."""
    await _move(transaction, account_id, available=credits, granted=credits)
    row = {"account_id": account_id, "kind": Kind.GRANT, "credits": credits, "note": note, "created_at": now}
    await transaction.execute(insert(ledger).values(row))


async def hold(transaction: Transaction, account_id: str, generation_id: str, credits: int, *, now: datetime) -> None:
    """Set aside what a generation costs, once; a cost of 0 is written down too.

    Raises:
        CreditsShort: the account has less available.
    """
    if credits and not await _move(transaction, account_id, available=-credits, held=credits):
        raise CreditsShort(f"This costs {credits} credits, more than the account has left.")
    row = {"account_id": account_id, "generation_id": generation_id, "kind": Kind.HOLD, "credits": credits}
    await transaction.execute(insert(ledger).values(row | {"note": "", "created_at": now}))


async def capture(transaction: Transaction, generation_id: str, *, now: datetime) -> bool:
    """Take what was held for good. False, and nothing moves: there is no hold, or it has ended before."""
    held = await _end_hold(transaction, generation_id, Kind.CAPTURE, now=now)
    if held is None:
        return False
    account_id, credits = held
    return await _move(transaction, account_id, held=-credits, captured=credits)


async def release(transaction: Transaction, generation_id: str, *, now: datetime) -> bool:
    """Give back what was held. False, and nothing moves: there is no hold, or it has ended before."""
    held = await _end_hold(transaction, generation_id, Kind.RELEASE, now=now)
    if held is None:
        return False
    account_id, credits = held
    return await _move(transaction, account_id, held=-credits, available=credits)


async def _end_hold(
    transaction: Transaction, generation_id: str, kind: Kind, *, now: datetime
) -> tuple[str, int] | None:
    """Write the row that ends a hold, unless there is one: then None. A unique index decides between two at once."""
    c = ledger.c
    columns = (c.account_id, c.generation_id, c.kind, c.credits, c.note, c.created_at)
    held = select(
        c.account_id, c.generation_id, literal(kind.value), c.credits, literal(""), literal(now, Moment)
    ).where(c.generation_id == generation_id, c.kind == Kind.HOLD)
    ending = careful_insert(transaction, ledger).from_select(columns, held).on_conflict_do_nothing()
    row = (await transaction.execute(ending.returning(c.account_id, c.credits))).one_or_none()
    return None if row is None else (row.account_id, row.credits)


async def _move(transaction: Transaction, account_id: str, **changes: int) -> bool:
    """Change balances of an account together; False when one would fall below 0, or there is no such account."""
    c = accounts.c
    affordable = [c[name] >= -change for name, change in changes.items() if change < 0]
    moved = update(accounts).where(c.id == account_id, *affordable)
    values = {name: c[name] + change for name, change in changes.items()}
    return (await transaction.execute(moved.values(values))).rowcount == 1

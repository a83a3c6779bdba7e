"""Credits. Rows are only ever added, and the account's balance moves in the same transaction.

grant: into available. hold: available -> held, when a generation is accepted. capture: held -> captured, when it is
completed. release: held -> available, when it is not. withdrawal: out of available again. Always: available + held +
captured = granted, which is all grants less all withdrawals.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, literal, select, update

from storage.columns import Moment
from storage.database import Connection, Transaction
from storage.errors import CreditsShort
from storage.keys import spend
from storage.rows import careful_insert
from storage.tables import accounts, ledger


class Kind(StrEnum):
    """What a row of the ledger says happened."""

    GRANT = "grant"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row; `kind` is one of `Kind`, `number` its place in the whole ledger."""

    number: int
    account_id: str
    generation_id: str | None
    key_id: str | None
    kind: str
    credits: int
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What a hold set aside, and for which key; a hold of an older release does not say that."""

    account_id: str
    key_id: str | None
    credits: int


async def grant(transaction: Transaction, account_id: str, credits: int, *, now: datetime, note: str) -> None:
    """Give an account credits."""
    await _move(transaction, account_id, available=credits, granted=credits)
    row = {"account_id": account_id, "kind": Kind.GRANT, "credits": credits, "note": note, "created_at": now}
    await transaction.execute(insert(ledger).values(row))


async def withdraw(transaction: Transaction, account_id: str, credits: int, *, now: datetime, note: str) -> None:
    """Take credits back that nobody holds.

    Raises:
        CreditsShort: the account has less available.
    """
    if not await _move(transaction, account_id, available=-credits, granted=-credits):
        raise CreditsShort(f"The account has less than {credits} credits available.")
    row = {"account_id": account_id, "kind": Kind.WITHDRAWAL, "credits": credits, "note": note, "created_at": now}
    await transaction.execute(insert(ledger).values(row))


async def hold(
    transaction: Transaction, account_id: str, generation_id: str, credits: int, *, key_id: str, now: datetime
) -> None:
    """Set aside what a generation costs, once, also against the key's own cap; a cost of 0 is written down too.

    Raises:
        CreditsShort: the account has less available, or the key may spend less.
    """
    if credits and not await spend(transaction, key_id, credits):
        raise CreditsShort(f"This costs {credits} credits, more than this key may still spend.")
    if credits and not await _move(transaction, account_id, available=-credits, held=credits):
        raise CreditsShort(f"This costs {credits} credits, more than the account has left.")
    row = {"account_id": account_id, "generation_id": generation_id, "key_id": key_id, "kind": Kind.HOLD}
    await transaction.execute(insert(ledger).values(row | {"credits": credits, "note": "", "created_at": now}))


async def capture(transaction: Transaction, generation_id: str, *, now: datetime) -> bool:
    """Take what was held for good. False, and nothing moves: there is no hold, or it has ended before."""
    held = await _end_hold(transaction, generation_id, Kind.CAPTURE, now=now)
    if held is None:
        return False
    return await _move(transaction, held.account_id, held=-held.credits, captured=held.credits)


async def release(transaction: Transaction, generation_id: str, *, now: datetime) -> bool:
    """Give back what was held. False, and nothing moves: there is no hold, or it has ended before."""
    held = await _end_hold(transaction, generation_id, Kind.RELEASE, now=now)
    if held is None:
        return False
    if held.key_id is not None:
        await spend(transaction, held.key_id, -held.credits)
    return await _move(transaction, held.account_id, held=-held.credits, available=held.credits)


async def entries(
    connection: Connection, account_id: str | None = None, *, limit: int, before: int | None = None
) -> list[Entry]:
    """One account's rows, or everybody's, the newest first, below the number `before`."""
    query = select(ledger).order_by(ledger.c.number.desc()).limit(limit)
    if account_id is not None:
        query = query.where(ledger.c.account_id == account_id)
    if before is not None:
        query = query.where(ledger.c.number < before)
    rows = (await connection.execute(query)).mappings()
    return [Entry(**row) for row in rows]


async def _end_hold(transaction: Transaction, generation_id: str, kind: Kind, *, now: datetime) -> _Held | None:
    """Write the row that ends a hold, unless there is one: then None. A unique index decides between two at once."""
    c = ledger.c
    columns = (c.account_id, c.generation_id, c.key_id, c.kind, c.credits, c.note, c.created_at)
    values = (literal(kind.value), c.credits, literal(""), literal(now, Moment))
    held = select(c.account_id, c.generation_id, c.key_id, *values).where(
        c.generation_id == generation_id, c.kind == Kind.HOLD
    )
    ending = careful_insert(transaction, ledger).from_select(columns, held).on_conflict_do_nothing()
    row = (await transaction.execute(ending.returning(c.account_id, c.key_id, c.credits))).mappings().one_or_none()
    return None if row is None else _Held(**row)


async def _move(transaction: Transaction, account_id: str, **changes: int) -> bool:
    """Change balances of an account together; False when one would fall below 0, or there is no such account."""
    c = accounts.c
    affordable = [c[name] >= -change for name, change in changes.items() if change < 0]
    moved = update(accounts).where(c.id == account_id, *affordable)
    values = {name: c[name] + change for name, change in changes.items()}
    return (await transaction.execute(moved.values(values))).rowcount == 1

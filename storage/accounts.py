"""Accounts: who pays."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, insert, select, update

from storage.database import Connection, Transaction
from storage.rows import is_older
from storage.tables import accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who pays. `webhook_secret` signs what is sent to the addresses that requests name, until `previous_webhook_secret_until`
    the one before it too; a suspended account is refused.

    It holds no balance: an account may be remembered for some seconds, and what is left of its credits may not.
    """

    id: str
    name: str
    plan: str
    webhook_secret: str
    created_at: datetime
    suspended_at: datetime | None = None
    previous_webhook_secret: str | None = None
    previous_webhook_secret_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Credits: `available` to spend, `held` by open generations, `captured` by completed ones; together `granted`."""

    available: int
    held: int
    captured: int
    granted: int


ACCOUNT = tuple(accounts.c[member.name] for member in fields(Account))
BALANCE_MEMBERS = tuple(member.name for member in fields(Balance))
BALANCE = tuple(accounts.c[name] for name in BALANCE_MEMBERS)


async def add_account(
    transaction: Transaction, *, id: str, name: str, plan: str, webhook_secret: str, now: datetime
) -> Account:
    """A new account without credits. The name must be free."""
    balance = {"available": 0, "held": 0, "captured": 0, "granted": 0}
    row = {"id": id, "name": name, "plan": plan, "webhook_secret": webhook_secret, "created_at": now, **balance}
    added = await transaction.execute(insert(accounts).values(row).returning(*ACCOUNT))
    return Account(**added.mappings().one())


async def account_named(connection: Connection, name: str) -> Account | None:
    return await _one(connection, select(*ACCOUNT).where(accounts.c.name == name))


async def account_by_id(connection: Connection, id: str) -> Account | None:
    return await _one(connection, select(*ACCOUNT).where(accounts.c.id == id))


async def list_accounts(
    connection: Connection, *, limit: int | None = None, before: str | None = None
) -> list[Account]:
    """The newest first, those older than the account `before`; all of them without a limit."""
    query = select(*ACCOUNT).order_by(accounts.c.created_at.desc(), accounts.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(is_older(accounts, before))
    return [Account(**row) for row in (await connection.execute(query)).mappings()]


async def balances(connection: Connection, ids: Collection[str]) -> Mapping[str, Balance]:
    """What each of the accounts has at this moment."""
    query = select(accounts.c.id, *BALANCE).where(accounts.c.id.in_(ids))
    return {
        row.id: Balance(**dict(zip(BALANCE_MEMBERS, row[1:], strict=True))) for row in await connection.execute(query)
    }


async def plans_in_use(connection: Connection) -> Mapping[str, str]:
    """Every plan that some account is on, with the name of one of them."""
    query = select(accounts.c.plan, func.min(accounts.c.name).label("name")).group_by(accounts.c.plan)
    return {row.plan: row.name for row in await connection.execute(query)}


async def lock_account(transaction: Transaction, id: str) -> None:
    """Nobody else who asks for this adds anything to the account before the transaction ends: what is counted stays so."""
    await transaction.execute(select(accounts.c.id).where(accounts.c.id == id).with_for_update())


async def change_account(transaction: Transaction, id: str, **values: object) -> None:
    """Set its plan, or since when it is suspended."""
    await transaction.execute(update(accounts).where(accounts.c.id == id).values(values))


async def rotate_webhook_secret(transaction: Transaction, id: str, secret: str, *, previous_until: datetime) -> None:
    """The one it has goes on signing until then; an even older one ends now."""
    values = {
        "previous_webhook_secret": accounts.c.webhook_secret,
        "previous_webhook_secret_until": previous_until,
        "webhook_secret": secret,
    }
    await transaction.execute(update(accounts).where(accounts.c.id == id).values(values))


async def any_account(connection: Connection) -> bool:
    """Whether there is one yet."""
    return bool(await connection.scalar(select(exists().select_from(accounts))))


async def _one(connection: Connection, query: Select[Any]) -> Account | None:
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Account(**row)

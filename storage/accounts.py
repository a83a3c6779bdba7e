"""Accounts: who pays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, insert, select

from storage.database import Connection, Transaction
from storage.tables import accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who pays. Credits: `available` to spend, `held` by open generations, `captured` by completed ones; together `granted`.

    `webhook_secret` signs what is sent to the addresses that requests name.
    """

    id: str
    name: str
    plan: str
    webhook_secret: str
    available: int
    held: int
    captured: int
    granted: int
    created_at: datetime


async def add_account(
    transaction: Transaction, *, id: str, name: str, plan: str, webhook_secret: str, now: datetime
) -> Account:
    """A new account without credits. The name must be free."""
    balance = {"available": 0, "held": 0, "captured": 0, "granted": 0}
    row = {"id": id, "name": name, "plan": plan, "webhook_secret": webhook_secret, "created_at": now, **balance}
    added = await transaction.execute(insert(accounts).values(row).returning(accounts))
    return Account(**added.mappings().one())


async def account_named(connection: Connection, name: str) -> Account | None:
    return await _one(connection, select(accounts).where(accounts.c.name == name))


async def account_by_id(connection: Connection, id: str) -> Account | None:
    return await _one(connection, select(accounts).where(accounts.c.id == id))


async def list_accounts(connection: Connection) -> list[Account]:
    """All of them, by name."""
    found = await connection.execute(select(accounts).order_by(accounts.c.name))
    return [Account(**row) for row in found.mappings()]


async def any_account(connection: Connection) -> bool:
    """Whether there is one yet."""
    return bool(await connection.scalar(select(exists().select_from(accounts))))


async def _one(connection: Connection, query: Select[Any]) -> Account | None:
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Account(**row)

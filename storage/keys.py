"""API keys: who may ask. Only the hash of a key's secret is kept."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from storage.accounts import Account
from storage.database import Connection, Transaction
from storage.rows import row_of
from storage.tables import accounts, keys

# On the path of every request, so it is put together once.
KEY_WITH_ACCOUNT = select(keys, accounts).join_from(keys, accounts).where(keys.c.id == bindparam("key_id"))
KEY_MEMBERS, ACCOUNT_MEMBERS = keys.c.keys(), accounts.c.keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an account. `rpm` and `rpd` are its own limits a minute and a day; None leaves them to the plan."""

    id: str
    account_id: str
    mode: str
    secret_hash: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    rpm: int | None = None
    rpd: int | None = None


async def add_key(transaction: Transaction, key: ApiKey) -> None:
    await transaction.execute(insert(keys).values(row_of(key)))


async def key_with_account(connection: Connection, id: str) -> tuple[ApiKey, Account] | None:
    """The key, revoked and expired ones too, and who pays for it."""
    row = (await connection.execute(KEY_WITH_ACCOUNT, {"key_id": id})).one_or_none()
    if row is None:
        return None
    key = ApiKey(**dict(zip(KEY_MEMBERS, row, strict=False)))
    return key, Account(**dict(zip(ACCOUNT_MEMBERS, row[len(KEY_MEMBERS) :], strict=True)))


async def list_keys(connection: Connection, account_id: str | None = None) -> list[ApiKey]:
    """All keys, or one account's, oldest first."""
    query = select(keys).order_by(keys.c.created_at, keys.c.id)
    if account_id is not None:
        query = query.where(keys.c.account_id == account_id)
    return [ApiKey(**row) for row in (await connection.execute(query)).mappings()]


async def revoke_key(transaction: Transaction, id: str, *, now: datetime) -> bool:
    """False when there is no such key or it was revoked before."""
    is_live = (keys.c.id == id) & keys.c.revoked_at.is_(None)
    return (await transaction.execute(update(keys).where(is_live).values(revoked_at=now))).rowcount == 1


async def touch_key(transaction: Transaction, id: str, *, now: datetime) -> None:
    """Note that the key was used."""
    await transaction.execute(update(keys).where(keys.c.id == id).values(last_used_at=now))

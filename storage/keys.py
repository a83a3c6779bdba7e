"""API keys: who may ask. Only the hash of a key's secret is kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, or_, select, update

from storage.accounts import ACCOUNT, Account
from storage.database import Connection, Transaction
from storage.rows import is_older, row_of
from storage.tables import accounts, keys

# On the path of every request, so it is put together once.
KEY_WITH_ACCOUNT = select(keys, *ACCOUNT).join_from(keys, accounts).where(keys.c.id == bindparam("key_id"))
KEY_MEMBERS, ACCOUNT_MEMBERS = keys.c.keys(), [column.name for column in ACCOUNT]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an account, with bounds of its own; None leaves a bound to the plan, or open.

    `rpm` and `rpd` are requests a minute and a day, `max_open` generations at a time, `spend_cap` the credits that it
    may spend in all; of these `spent` are spent, held, or handed on to keys that it made. It may ask for `models` and
    `styles` by their ids, and be used from `networks` (CIDR). While it is rotated, until `previous_until`, the secret
    with `previous_hash` is good as well. `made_by` is the key that made it, None if the operator did.
    """

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
    name: str = ""
    made_by: str | None = None
    previous_hash: str | None = None
    previous_until: datetime | None = None
    models: frozenset[str] | None = None
    styles: frozenset[str] | None = None
    networks: frozenset[str] | None = None
    max_open: int | None = None
    spend_cap: int | None = None
    spent: int = 0


async def add_key(transaction: Transaction, key: ApiKey) -> None:
    await transaction.execute(insert(keys).values(row_of(key)))


async def key_with_account(connection: Connection, id: str) -> tuple[ApiKey, Account] | None:
    """The key, revoked and expired ones too, and who pays for it."""
    row = (await connection.execute(KEY_WITH_ACCOUNT, {"key_id": id})).one_or_none()
    if row is None:
        return None
    key = ApiKey(**dict(zip(KEY_MEMBERS, row, strict=False)))
    return key, Account(**dict(zip(ACCOUNT_MEMBERS, row[len(KEY_MEMBERS) :], strict=True)))


async def key_by_id(connection: Connection, id: str) -> ApiKey | None:
    row = (await connection.execute(select(keys).where(keys.c.id == id))).mappings().one_or_none()
    return None if row is None else ApiKey(**row)


async def lock_key(transaction: Transaction, id: str) -> ApiKey | None:
    """As `key_by_id`; nobody else changes it before the transaction ends."""
    query = select(keys).where(keys.c.id == id).with_for_update()
    row = (await transaction.execute(query)).mappings().one_or_none()
    return None if row is None else ApiKey(**row)


async def change_key(transaction: Transaction, key: ApiKey, names: Collection[str]) -> None:
    """Write these of its members, at least one, as they are in `key`."""
    values = {name: getattr(key, name) for name in names}
    await transaction.execute(update(keys).where(keys.c.id == key.id).values(values))


async def list_keys(
    connection: Connection, account_id: str | None = None, *, limit: int | None = None, before: str | None = None
) -> list[ApiKey]:
    """All keys, or one account's, the newest first; those older than the key `before`."""
    query = select(keys).order_by(keys.c.created_at.desc(), keys.c.id.desc()).limit(limit)
    if account_id is not None:
        query = query.where(keys.c.account_id == account_id)
    if before is not None:
        query = query.where(is_older(keys, before))
    return [ApiKey(**row) for row in (await connection.execute(query)).mappings()]


async def count_keys(connection: Connection, account_id: str) -> int:
    """How many of the account's keys are not revoked."""
    query = select(func.count()).select_from(keys).where(keys.c.account_id == account_id, keys.c.revoked_at.is_(None))
    return await connection.scalar(query) or 0


async def revoke_key(transaction: Transaction, id: str, *, now: datetime) -> bool:
    """False when there is no such key or it was revoked before."""
    is_live = (keys.c.id == id) & keys.c.revoked_at.is_(None)
    return (await transaction.execute(update(keys).where(is_live).values(revoked_at=now))).rowcount == 1


async def rotate_key(transaction: Transaction, id: str, secret_hash: str, *, previous_until: datetime) -> bool:
    """Give it a new secret; the one it had stays good until `previous_until`, an even older one ends now.

    False when there is no such key or it is revoked.
    """
    changed = update(keys).where(keys.c.id == id, keys.c.revoked_at.is_(None))
    values = {"previous_hash": keys.c.secret_hash, "previous_until": previous_until, "secret_hash": secret_hash}
    return (await transaction.execute(changed.values(values))).rowcount == 1


async def touch_keys(transaction: Transaction, uses: Mapping[str, datetime]) -> None:
    """Note when each key was last used."""
    is_later = or_(keys.c.last_used_at.is_(None), keys.c.last_used_at < bindparam("used_at"))
    noted = update(keys).where(keys.c.id == bindparam("key_id"), is_later).values(last_used_at=bindparam("used_at"))
    await transaction.execute(noted, [{"key_id": id, "used_at": used_at} for id, used_at in uses.items()])


async def spend(transaction: Transaction, id: str, credits: int) -> bool:
    """Count credits against the key's own cap, or below 0 give them back. False, and nothing counts: it is too small."""
    spent = keys.c.spent + credits
    affordable = update(keys).where(keys.c.id == id, or_(keys.c.spend_cap.is_(None), spent <= keys.c.spend_cap))
    return (await transaction.execute(affordable.values(spent=spent))).rowcount == 1

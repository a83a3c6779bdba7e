"""Webhook endpoints: whom an account wants to have told, of what, and how that has gone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, literal, select, update

from storage.accounts import lock_account
from storage.columns import Moment
from storage.database import Connection, Transaction
from storage.rows import row_of
from storage.webhook_tables import EndpointState, endpoints

EVERY_EVENT = "*"
# Asked whenever something ends, so it is put together once.
ENDPOINTS_OF = (
    select(endpoints)
    .where(endpoints.c.account_id == bindparam("account_id"))
    .order_by(endpoints.c.created_at.desc(), endpoints.c.id)
)
MEMBERS = endpoints.c.keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address of an account. `events` are the types it wants, `*` alone means all.

    `previous_secret` signs beside `secret` until `previous_valid_until`. `failing_since` is the first failure after
    the last success.
    """

    id: str
    account_id: str
    url: str
    events: frozenset[str]
    description: str
    metadata: Mapping[str, str]
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    previous_valid_until: datetime | None = None
    state: EndpointState = EndpointState.ACTIVE
    failing_since: datetime | None = None
    disabled_reason: str | None = None
    created_at: datetime

    def wants(self, event_type: str) -> bool:
        return EVERY_EVENT in self.events or event_type in self.events


def valid_secrets(
    secret: str, previous: str | None, previous_valid_until: datetime | None, *, now: datetime
) -> tuple[str, ...]:
    """Newest first: two while one replaces the other."""
    if previous is None or previous_valid_until is None or previous_valid_until <= now:
        return (secret,)
    return (secret, previous)


async def add_endpoint(transaction: Transaction, endpoint: Endpoint) -> None:
    await transaction.execute(insert(endpoints).values(row_of(endpoint)))


async def count_endpoints(transaction: Transaction, account_id: str) -> int:
    """How many the account has; nobody else adds one to it before the transaction ends."""
    await lock_account(transaction, account_id)
    query = select(func.count()).select_from(endpoints).where(endpoints.c.account_id == account_id)
    return await transaction.scalar(query) or 0


async def endpoints_of(connection: Connection, account_id: str) -> list[Endpoint]:
    """All of an account, newest first."""
    rows = (await connection.execute(ENDPOINTS_OF, {"account_id": account_id})).all()
    return [Endpoint(**dict(zip(MEMBERS, row, strict=True))) for row in rows]


async def endpoint_of(connection: Connection, account_id: str, id: str) -> Endpoint | None:
    """One of the account's; another account's is not found."""
    return await _one(connection, _owned(account_id, id))


async def lock_endpoint(transaction: Transaction, account_id: str, id: str) -> Endpoint | None:
    """As `endpoint_of`; nobody else changes it before the transaction ends."""
    return await _one(transaction, _owned(account_id, id).with_for_update())


async def change_endpoint(transaction: Transaction, endpoint: Endpoint) -> None:
    """Write every member as it is in `endpoint`, which is locked."""
    await transaction.execute(update(endpoints).where(endpoints.c.id == endpoint.id).values(row_of(endpoint)))


async def remove_endpoint(transaction: Transaction, id: str) -> None:
    """With its deliveries and their log."""
    await transaction.execute(delete(endpoints).where(endpoints.c.id == id))


async def note_success(transaction: Transaction, id: str) -> None:
    """It has answered well again."""
    is_failing = (endpoints.c.id == id) & (endpoints.c.state == EndpointState.FAILING)
    await transaction.execute(
        update(endpoints).where(is_failing).values(state=EndpointState.ACTIVE, failing_since=None)
    )


async def note_failure(transaction: Transaction, id: str, *, now: datetime) -> datetime | None:
    """It has failed. Since when it does without a success between, None when it is disabled or gone."""
    c = endpoints.c
    values = {"state": EndpointState.FAILING, "failing_since": func.coalesce(c.failing_since, literal(now, Moment()))}
    changed = update(endpoints).where(c.id == id, c.state != EndpointState.DISABLED).values(values)
    since: datetime | None = await transaction.scalar(changed.returning(c.failing_since))
    return since


async def disable_endpoint(transaction: Transaction, id: str, *, reason: str) -> None:
    """Nothing is sent there any more."""
    values = {"state": EndpointState.DISABLED, "disabled_reason": reason}
    await transaction.execute(update(endpoints).where(endpoints.c.id == id).values(values))


def _owned(account_id: str, id: str) -> Select[Any]:
    return select(endpoints).where(endpoints.c.id == id, endpoints.c.account_id == account_id)


async def _one(connection: Connection, query: Select[Any]) -> Endpoint | None:
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Endpoint(**row)

"""Everything the tables hold about one account, kind by kind and page by page, without what only we may know."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, exists, or_, select, tuple_

from storage.database import Connection
from storage.tables import (
    accounts,
    audit,
    batch_items,
    batches,
    decisions,
    files,
    generations,
    idempotency,
    keys,
    ledger,
    pictures,
    usage,
)
from storage.webhook_tables import deliveries, delivery_attempts, endpoints, event_counters, events

Row = Mapping[str, Any]

SECRETS = frozenset(
    {"webhook_secret", "previous_webhook_secret", "secret", "previous_secret", "secret_hash", "previous_hash", "rules"}
)


def _ids_of(table: Table, account_id: str) -> Select[Any]:
    return select(table.c.id).where(table.c.account_id == account_id)


_OWN: Mapping[Table, Callable[[str], ColumnElement[bool]]] = {
    accounts: lambda id: accounts.c.id == id,
    usage: lambda id: or_(usage.c.subject == id, usage.c.subject.in_(_ids_of(keys, id))),
    pictures: lambda id: pictures.c.generation_id.in_(_ids_of(generations, id)),
    batch_items: lambda id: batch_items.c.batch_id.in_(_ids_of(batches, id)),
    delivery_attempts: lambda id: delivery_attempts.c.delivery_id.in_(_ids_of(deliveries, id)),
}
_NAMING_THEIR_ACCOUNT = (keys, ledger, audit, generations, batches, files, idempotency, decisions)
_OF_WEBHOOKS = (endpoints, event_counters, events, deliveries)
KINDS: Mapping[str, Table] = {table.name: table for table in (*_OWN, *_NAMING_THEIR_ACCOUNT, *_OF_WEBHOOKS)}


async def rows_of(
    connection: Connection, kind: str, account_id: str, *, after: Row | None = None, limit: int
) -> Sequence[Row]:
    """The account's rows of one of `KINDS`, in the order of their primary key, behind the row `after`; at most `limit`."""
    table = KINDS[kind]
    place = list(table.primary_key.columns)
    shown = [column for column in table.columns if column.name not in SECRETS]
    own = _OWN[table](account_id) if table in _OWN else table.c.account_id == account_id
    query = select(*shown).where(own).order_by(*place).limit(limit)
    if after is not None:
        query = query.where(tuple_(*place) > tuple(after[column.name] for column in place))
    names = [column.name for column in shown]
    return [dict(zip(names, row, strict=True)) for row in await connection.execute(query)]


async def is_there(connection: Connection, kind: str, row: Row) -> bool:
    """Whether a row that `rows_of` gave has not been deleted since."""
    place = (column == row[column.name] for column in KINDS[kind].primary_key.columns)
    return bool(await connection.scalar(select(exists().where(*place))))

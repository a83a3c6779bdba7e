"""The audit log: who changed what. Rows are only ever added, in the transaction of the change; no secret is among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select

from storage.database import Connection, Transaction
from storage.rows import row_of
from storage.tables import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`actor` is a key's id or `cli`, `action` such as `key.revoked`, `subject` the id of what was changed.

    `account_id` is whose it is; `number` the place in the log, 0 before it is written.
    """

    created_at: datetime
    actor: str
    action: str
    subject: str
    account_id: str | None = None
    request_id: str | None = None
    details: Mapping[str, str | int | bool | list[str] | None] = field(
        default_factory=dict[str, str | int | bool | list[str] | None]
    )
    number: int = 0


async def add_entry(transaction: Transaction, entry: AuditEntry) -> None:
    row = {name: value for name, value in row_of(entry).items() if name != "number"}
    await transaction.execute(insert(audit).values(row))


async def audit_entries(
    connection: Connection, account_id: str | None = None, *, limit: int, before: int | None = None
) -> list[AuditEntry]:
    """What was done to one account and its keys, or everything; the newest first, below the number `before`."""
    query = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if account_id is not None:
        query = query.where(audit.c.account_id == account_id)
    if before is not None:
        query = query.where(audit.c.number < before)
    return [AuditEntry(**row) for row in (await connection.execute(query)).mappings()]

"""Take out of the database who an account was and what it asked for. What must balance stays: ledger, counters, ids."""

from datetime import datetime

from sqlalchemy import delete, func, literal, select, update

from storage.columns import Moment
from storage.database import Connection, Transaction
from storage.generation import OPEN_STATES, Generation
from storage.tables import accounts, audit, batches, decisions, files, generations, keys
from storage.webhook_tables import deliveries, endpoints, events

ERASED = "erased "
"""So begins the name that an account has afterwards; its id follows."""
IS_ERASED = accounts.c.name == literal(ERASED) + accounts.c.id


async def erase_account(transaction: Transaction, account_id: str, *, now: datetime) -> int:
    """Its name and its keys' names, its batches, endpoints, events, decisions and the log's details go at once; its generations expire, for
    their files must go with them. Returns how many generations that are. No key of it is good any more.
    """
    nameless = {
        "name": f"{ERASED}{account_id}",
        "webhook_secret": "",
        "previous_webhook_secret": None,
        "suspended_at": now,
    }
    await transaction.execute(update(accounts).where(accounts.c.id == account_id).values(nameless))
    ended = {"name": "", "revoked_at": func.coalesce(keys.c.revoked_at, literal(now, Moment))}
    await transaction.execute(update(keys).where(keys.c.account_id == account_id).values(ended))
    for table in (deliveries, events, endpoints, batches, files, decisions):
        await transaction.execute(delete(table).where(table.c.account_id == account_id))
    await transaction.execute(update(audit).where(audit.c.account_id == account_id).values(details={}))
    expiring: dict[str, object] = {"expires_at": now, "webhook_url": None, "metadata": {}, "canonical_sha256": None}
    expired = await transaction.execute(
        update(generations).where(generations.c.account_id == account_id).values(expiring)
    )
    return expired.rowcount


async def open_of_erased(connection: Connection) -> list[Generation]:
    """What accounts that have been erased still have queued or painted."""
    query = (
        select(generations)
        .join(accounts, accounts.c.id == generations.c.account_id)
        .where(generations.c.state.in_(OPEN_STATES), IS_ERASED)
    )
    return [Generation(**row) for row in (await connection.execute(query)).mappings()]

"""Events: what has happened, once for each subject and type, in the exact bytes that every receiver gets."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert

from storage.database import Transaction
from storage.rows import careful_insert, row_of
from storage.webhook_tables import event_counters, events


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a subject; `body` is the exact bytes that are signed and sent."""

    id: str
    account_id: str
    subject_id: str
    type: str
    body: bytes
    created_at: datetime


async def next_event_number(transaction: Transaction, account_id: str) -> int:
    """1, 2, 3, … within the account, in the order in which the transactions are committed."""
    insert_one = careful_insert(transaction, event_counters).values(account_id=account_id, events=1)
    counted = insert_one.on_conflict_do_update(
        index_elements=[event_counters.c.account_id], set_={"events": event_counters.c.events + 1}
    ).returning(event_counters.c.events)
    return int((await transaction.execute(counted)).scalar_one())


async def add_event(transaction: Transaction, event: Event) -> None:
    await transaction.execute(insert(events).values(row_of(event)))

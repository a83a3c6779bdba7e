"""What an account's Idempotency-Key has made, remembered for a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from storage.database import Connection, Transaction
from storage.generation import State
from storage.rows import careful_insert
from storage.tables import generations, idempotency

REMEMBERED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a key made: a generation, whose `state` is told, or a batch. `body_sha256` tells whether the same body is
    asking again.
    """

    generation_id: str | None
    batch_id: str | None
    body_sha256: str
    created_at: datetime
    state: State | None
    notices: bytes | None

    @property
    def is_finished(self) -> bool:
        """A batch is answered as soon as it is accepted."""
        return self.state is None or self.state.is_final


async def remember(
    transaction: Transaction, account_id: str, key: str, body_sha256: str, generation_id: str, *, now: datetime
) -> bool:
    """Tie the key to a generation accepted in this transaction.

    False when another request was quicker and has the key: the caller must then undo the transaction, for one key
    makes one generation.
    """
    made = {"body_sha256": body_sha256, "generation_id": generation_id, "batch_id": None, "created_at": now}
    return await _tie(transaction, account_id, key, made, now=now)


async def remember_batch(
    transaction: Transaction, account_id: str, key: str, body_sha256: str, batch_id: str, *, now: datetime
) -> bool:
    """As `remember`, for a batch."""
    made = {"body_sha256": body_sha256, "generation_id": None, "batch_id": batch_id, "created_at": now}
    return await _tie(transaction, account_id, key, made, now=now)


async def recall(connection: Connection, account_id: str, key: str, *, now: datetime) -> Remembered | None:
    """What the key made, unless that was more than a day ago or has been deleted."""
    c = idempotency.c
    query = (
        select(c.generation_id, c.batch_id, c.body_sha256, c.created_at, generations.c.state, generations.c.notices)
        .join_from(idempotency, generations, isouter=True)
        .where(c.account_id == account_id, c.key == key, c.created_at > now - REMEMBERED_FOR)
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Remembered(**row)


async def _tie(
    transaction: Transaction, account_id: str, key: str, made: Mapping[str, object], *, now: datetime
) -> bool:
    c = idempotency.c
    written = careful_insert(transaction, idempotency).values(account_id=account_id, key=key, **made)
    written = written.on_conflict_do_update(
        index_elements=[c.account_id, c.key], set_=made, where=c.created_at <= now - REMEMBERED_FOR
    )
    return (await transaction.execute(written.returning(c.key))).one_or_none() is not None

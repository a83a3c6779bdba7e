"""Batches and their items as rows.

Whoever ends items locks the batch afterwards and then looks whether any is open, so exactly one transaction sees the
last one end. Items come before their batch and behind the account in every transaction, or two could wait for each other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, exists, func, insert, or_, select, update

from storage.batch import (
    ITEM_STATES,
    OPEN_BATCH_STATES,
    OPEN_ITEM_STATES,
    WHEN_DONE,
    Batch,
    BatchItem,
    BatchState,
    Counts,
    ItemState,
)
from storage.database import Connection, Transaction
from storage.generation import OPEN_STATES, Generation, Priority, State
from storage.rows import row_of
from storage.tables import batch_items, batches, generations

ROWS_AT_ONCE = 1000


async def add_batch(transaction: Transaction, batch: Batch, items: Sequence[BatchItem]) -> None:
    """Write a new batch and its items down; the database gives it its `number`."""
    row = {name: value for name, value in row_of(batch).items() if name != "number"}
    await transaction.execute(insert(batches).values(row))
    for start in range(0, len(items), ROWS_AT_ONCE):
        await transaction.execute(insert(batch_items), [row_of(item) for item in items[start : start + ROWS_AT_ONCE]])


async def batch_by_id(connection: Connection, account_id: str, id: str) -> Batch | None:
    """One batch of the account."""
    found = await connection.execute(select(batches).where(batches.c.id == id, batches.c.account_id == account_id))
    row = found.mappings().one_or_none()
    return None if row is None else Batch(**row)


async def lock_batch(transaction: Transaction, id: str) -> Batch | None:
    """The batch as it is until the transaction ends: nobody else changes it or its items."""
    found = await transaction.execute(select(batches).where(batches.c.id == id).with_for_update())
    row = found.mappings().one_or_none()
    return None if row is None else Batch(**row)


async def page_of_batches(
    connection: Connection, account_id: str, *, limit: int, before: int | None = None
) -> list[Batch]:
    """The account's newest batches, newest first, below the number `before`."""
    wanted = [batches.c.account_id == account_id]
    if before is not None:
        wanted.append(batches.c.number < before)
    query = select(batches).where(*wanted).order_by(batches.c.number.desc()).limit(limit)
    return [Batch(**row) for row in (await connection.execute(query)).mappings()]


async def page_of_items(
    connection: Connection, batch_id: str, *, limit: int, after: int = -1, states: Collection[ItemState] = ()
) -> list[BatchItem]:
    """Items in the order in which they were sent, behind the position `after`; no `states` means all."""
    c = batch_items.c
    wanted = [c.batch_id == batch_id, c.position > after]
    if states:
        wanted.append(c.state.in_(states))
    query = select(batch_items).where(*wanted).order_by(c.position).limit(limit)
    return [BatchItem(**row) for row in (await connection.execute(query)).mappings()]


async def count_items(connection: Connection, batch_ids: Sequence[str]) -> Mapping[str, Counts]:
    """How far each of these batches has come."""
    c = batch_items.c
    query = select(c.batch_id, c.state, func.count()).where(c.batch_id.in_(batch_ids)).group_by(c.batch_id, c.state)
    standing: dict[str, dict[ItemState, int]] = {id: {} for id in batch_ids}
    for batch_id, state, count in await connection.execute(query):
        standing[batch_id][state] = count
    being_painted = await _processing(connection, batch_ids)
    return {id: _counts(states, processing=being_painted.get(id, 0)) for id, states in standing.items()}


async def waiting_items(connection: Connection, batch_id: str, *, limit: int) -> list[BatchItem]:
    """The next items that have no generation yet."""
    return await page_of_items(connection, batch_id, limit=limit, states=(ItemState.WAITING,))


async def count_accepted_items(connection: Connection) -> int:
    """How many items all unfinished batches have, the finished ones among them too."""
    query = select(func.sum(batches.c.total)).where(batches.c.state.in_(OPEN_BATCH_STATES))
    return await connection.scalar(query) or 0


async def count_open_of_batches(connection: Connection) -> int:
    """How many generations of low priority are queued or being painted."""
    c = generations.c
    is_open = and_(c.state.in_(OPEN_STATES), c.priority == Priority.BATCH)
    return await connection.scalar(select(func.count()).select_from(generations).where(is_open)) or 0


async def with_work_left(connection: Connection) -> list[Batch]:
    """Batches that want something done: items queued, or generations stopped. The oldest first."""
    waits = exists().where(batch_items.c.batch_id == batches.c.id, batch_items.c.state == ItemState.WAITING)
    wants = or_(batches.c.state == BatchState.CANCELING, and_(batches.c.state == BatchState.PROCESSING, waits))
    rows = await connection.execute(select(batches).where(wants).order_by(batches.c.number))
    return [Batch(**row) for row in rows.mappings()]


async def queue_item(transaction: Transaction, item: BatchItem, generation_id: str) -> bool:
    """A waiting item has its generation now. False: it waits no more, somebody else has moved it."""
    return await _move_item(transaction, item, state=ItemState.QUEUED, generation_id=generation_id)


async def refuse_item(transaction: Transaction, refused: BatchItem) -> None:
    """A waiting item gets none; `refused` says why."""
    error = {name: getattr(refused, name) for name in ("error_code", "error_message", "error_field")}
    await _move_item(transaction, refused, state=ItemState.REFUSED, **error)


async def end_item(transaction: Transaction, generation: Generation) -> None:
    """The generation of an item has ended, as its state says."""
    is_its_item = and_(batch_items.c.generation_id == generation.id, batch_items.c.state == ItemState.QUEUED)
    await transaction.execute(update(batch_items).where(is_its_item).values(state=ITEM_STATES[generation.state]))


async def end_if_done(transaction: Transaction, batch_id: str, *, now: datetime) -> Batch | None:
    """End a batch of which no item is open any more: it ends here, once. None: some are, or it has ended before."""
    batch, c = await lock_batch(transaction, batch_id), batch_items.c
    is_open = exists().where(c.batch_id == batch_id, c.state.in_(OPEN_ITEM_STATES))
    if batch is None or batch.state.is_final or await transaction.scalar(select(is_open)):
        return None
    ended = replace(batch, state=WHEN_DONE[batch.state], completed_at=now)
    values = {"state": ended.state, "completed_at": now}
    await transaction.execute(update(batches).where(batches.c.id == batch.id).values(values))
    return ended


async def start_canceling(transaction: Transaction, batch_id: str, *, now: datetime) -> Batch | None:
    """Take up nothing more of a batch: what waits is cancelled, what is queued still has to be. Returns the locked batch as
    it was before, which may have ended: then nothing has changed."""
    c = batch_items.c
    is_waiting = and_(c.batch_id == batch_id, c.state == ItemState.WAITING)
    await transaction.execute(update(batch_items).where(is_waiting).values(state=ItemState.CANCELED, body=None))
    batch = await lock_batch(transaction, batch_id)
    if batch is not None and batch.state is BatchState.PROCESSING:
        values = {"state": BatchState.CANCELING, "canceled_at": now}
        await transaction.execute(update(batches).where(batches.c.id == batch_id).values(values))
    return batch


async def open_generations(connection: Connection, batch_id: str, *, limit: int) -> list[Generation]:
    """Generations of the batch that have not ended."""
    c = batch_items.c
    queued = select(c.generation_id).where(c.batch_id == batch_id, c.state == ItemState.QUEUED)
    is_open = generations.c.state.in_(OPEN_STATES)
    query = select(generations).where(generations.c.id.in_(queued), is_open).limit(limit)
    return [Generation(**row) for row in (await connection.execute(query)).mappings()]


async def _processing(connection: Connection, batch_ids: Sequence[str]) -> Mapping[str, int]:
    """How many are being painted: never more than there are slots, so they are looked up by their state."""
    c = generations.c
    is_painted = and_(c.state == State.PROCESSING, c.batch_id.in_(batch_ids))
    rows = await connection.execute(
        select(c.batch_id, func.count().label("painted")).where(is_painted).group_by(c.batch_id)
    )
    return {row.batch_id: row.painted for row in rows}


def _counts(states: Mapping[ItemState, int], *, processing: int) -> Counts:
    unfinished = sum(states.get(state, 0) for state in OPEN_ITEM_STATES)
    painted = min(processing, unfinished)  # the two were counted one after the other
    return Counts(
        total=sum(states.values()),
        queued=unfinished - painted,
        processing=painted,
        completed=states.get(ItemState.COMPLETED, 0),
        failed=states.get(ItemState.FAILED, 0),
        canceled=states.get(ItemState.CANCELED, 0),
        refused=states.get(ItemState.REFUSED, 0),
    )


async def _move_item(transaction: Transaction, item: BatchItem, **values: object) -> bool:
    c = batch_items.c
    is_waiting = and_(c.batch_id == item.batch_id, c.position == item.position, c.state == ItemState.WAITING)
    moved = await transaction.execute(update(batch_items).where(is_waiting).values(body=None, **values))
    return moved.rowcount == 1

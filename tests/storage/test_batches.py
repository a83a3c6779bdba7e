"""Batches on both databases: which states may follow which, and that exactly one transaction sees the last item end."""

import asyncio
from dataclasses import replace

import pytest

from storage import Account, Batch, BatchItem, BatchState, Database, ItemState, State
from storage.batch import BATCH_MOVES, ITEM_MOVES, ITEM_STATES, WHEN_DONE
from storage.batches import add_batch, count_items, end_if_done, end_item, queue_item, start_canceling, waiting_items
from tests.storage.conftest import NOW, generation_of

ITEMS = 12


@pytest.fixture
async def batch(database: Database, account: Account) -> Batch:
    """Twelve items that wait."""
    batch = Batch(
        id="batch_1",
        account_id=account.id,
        key_id="key_1",
        livemode=True,
        state=BatchState.PROCESSING,
        total=ITEMS,
        created_at=NOW,
    )
    items = [
        BatchItem(batch_id=batch.id, position=position, state=ItemState.WAITING, body=b"{}")
        for position in range(ITEMS)
    ]
    async with database.writing() as transaction:
        await add_batch(transaction, batch, items)
    return batch


async def queued(database: Database, batch: Batch) -> None:
    async with database.writing() as transaction:
        for item in await waiting_items(transaction, batch.id, limit=ITEMS):
            assert await queue_item(transaction, item, f"gen_{item.position}")
            assert not await queue_item(transaction, item, f"gen_{item.position}")


def test_what_ends_a_batch_or_an_item_is_a_legal_move() -> None:
    assert all(after in BATCH_MOVES[before] for before, after in WHEN_DONE.items())
    assert set(WHEN_DONE) == {state for state in BatchState if not state.is_final}
    assert set(ITEM_STATES.values()) == ITEM_MOVES[ItemState.QUEUED]
    assert set(ITEM_STATES) == {state for state in State if state.is_final}


async def test_of_all_that_end_at_once_one_ends_the_batch(database: Database, batch: Batch) -> None:
    await queued(database, batch)

    async def end(position: int) -> Batch | None:
        generation = replace(generation_of(f"gen_{position}", batch_id=batch.id), state=State.COMPLETED)
        async with database.writing() as transaction:
            await end_item(transaction, generation)
            return await end_if_done(transaction, batch.id, now=NOW)

    ends = [ended for ended in await asyncio.gather(*map(end, range(ITEMS))) if ended is not None]
    assert [ended.state for ended in ends] == [BatchState.COMPLETED]
    async with database.reading() as connection:
        assert (await count_items(connection, [batch.id]))[batch.id].completed == ITEMS


async def test_a_cancel_takes_what_waits_and_changes_nothing_that_has_ended(database: Database, batch: Batch) -> None:
    async with database.writing() as transaction:
        before = await start_canceling(transaction, batch.id, now=NOW)
        ended = await end_if_done(transaction, batch.id, now=NOW)
    assert before is not None
    assert ended is not None
    assert (before.state, ended.state) == (BatchState.PROCESSING, BatchState.CANCELED)
    async with database.writing() as transaction:
        again = await start_canceling(transaction, batch.id, now=NOW)
        assert await end_if_done(transaction, batch.id, now=NOW) is None
    assert again is not None
    assert again.state is BatchState.CANCELED
    async with database.reading() as connection:
        assert (await count_items(connection, [batch.id]))[batch.id].canceled == ITEMS

"""Claims, fences and leases, on both databases."""

import asyncio
from typing import Any

import pytest

from storage import Account, Candidate, Completion, Database, Filters, Generation, Picture, Priority, State
from storage.accounts import add_account
from storage.generation import LESS_URGENT_EVERY
from storage.generations import (
    accept,
    cancel,
    candidates,
    claim,
    complete,
    count_open,
    fail,
    fetch,
    page,
    picture_named,
    position_in_queue,
    remove,
    renew,
    requeue,
)
from storage.keys import add_key
from tests.storage.conftest import NOW, generation_of, key_of, picture_of

pytestmark = pytest.mark.usefixtures("account")

LAPSED_S = -1.0  # a lease that is over when it begins


async def another_account(database: Database) -> None:
    async with database.writing() as transaction:
        await add_account(transaction, id="acct_2", name="ben", plan="pro", webhook_secret="whsec_2", now=NOW)
        await add_key(transaction, key_of("acct_2", id="key_2"))


async def accepted(database: Database, *ids: str, **others: Any) -> None:
    for id in ids:
        async with database.writing() as transaction:
            await accept(transaction, generation_of(id, **others))


async def claimed(database: Database, *, owner: str = "w1", lease_s: float = 30, limit: int = 1) -> list[Generation]:
    """The most urgent and oldest, one after the other, in one transaction."""
    taken: list[Generation] = []
    async with database.writing() as transaction:
        while len(taken) < limit and (heads := await candidates(transaction)):
            head = min(heads, key=lambda head: (head.priority, head.number))
            generation = await claim(transaction, head.number, owner=owner, lease_s=lease_s)
            assert generation is not None
            taken.append(generation)
    return taken


async def one_claimed(database: Database, *, owner: str = "w1", lease_s: float = 30) -> Generation:
    (generation,) = await claimed(database, owner=owner, lease_s=lease_s)
    return generation


async def completed(database: Database, id: str, attempt: int, *pictures: Picture) -> bool:
    completion = Completion(pictures=pictures, recipes=b'[{"seed":7}]', render_ms=1234, credits_used=2)
    async with database.writing() as transaction:
        return await complete(transaction, id, attempt, completion, now=NOW)


async def canceled(database: Database, id: str) -> bool:
    async with database.writing() as transaction:
        return await cancel(transaction, id, now=NOW)


async def found(database: Database, id: str) -> tuple[Generation, tuple[Picture, ...]]:
    async with database.reading() as connection:
        fetched = await fetch(connection, "acct_1", id)
    assert fetched is not None
    return fetched


async def state_of(database: Database, id: str) -> State:
    return (await found(database, id))[0].state


async def test_what_is_accepted_comes_back_as_it_was(database: Database) -> None:
    await accepted(database, "gen_1", webhook_url="https://example.com/", failures={"OutOfMemory": 1})

    generation, pictures = await found(database, "gen_1")

    assert generation.number > 0
    assert generation == generation_of(
        "gen_1",
        number=generation.number,
        webhook_url="https://example.com/",
        failures={"OutOfMemory": 1},
    )
    assert pictures == ()


async def test_a_claim_gives_the_attempt_and_a_lease(database: Database) -> None:
    await accepted(database, "gen_1")

    generation = await one_claimed(database)

    assert generation.state is State.PROCESSING
    assert (generation.attempt, generation.lease_owner) == (1, "w1")
    assert generation.lease_until is not None
    assert generation.started_at is not None
    assert 29 < (generation.lease_until - generation.started_at).total_seconds() < 31
    assert await claimed(database) == []


async def test_candidates_are_the_oldest_of_each_account_and_priority(database: Database) -> None:
    await another_account(database)
    await accepted(database, "gen_batch", "gen_batch_2", priority=Priority.BATCH)
    await accepted(database, "gen_ben", "gen_ben_2", account_id="acct_2", key_id="key_2", work=9, picture_count=4)
    await accepted(database, "gen_1", "gen_2")
    numbers = {id: (await found(database, id))[0].number for id in ("gen_batch", "gen_1")}

    async with database.writing() as transaction:
        heads = await candidates(transaction)

    assert heads == [
        Candidate(
            number=numbers["gen_batch"],
            account_id="acct_1",
            priority=Priority.BATCH,
            work=generation_of("x").work,
            picture_count=1,
        ),
        Candidate(
            number=numbers["gen_batch"] + 2,
            account_id="acct_2",
            priority=Priority.INTERACTIVE,
            work=9,
            picture_count=4,
        ),
        Candidate(
            number=numbers["gen_1"],
            account_id="acct_1",
            priority=Priority.INTERACTIVE,
            work=generation_of("x").work,
            picture_count=1,
        ),
    ]


async def test_what_is_being_painted_is_no_candidate_until_its_lease_lapses(database: Database) -> None:
    await accepted(database, "gen_1", "gen_2", "gen_3")
    held, lapsed = await one_claimed(database), await one_claimed(database, lease_s=LAPSED_S)

    async with database.writing() as transaction:
        heads = await candidates(transaction)

    assert held.number not in {head.number for head in heads}
    assert [head.number for head in heads] == [lapsed.number, lapsed.number + 1]


async def test_what_is_left_out_hides_nothing_younger(database: Database) -> None:
    await accepted(database, "gen_1", "gen_2", "gen_3", "gen_4")
    lapsed = await one_claimed(database, lease_s=LAPSED_S)
    async with database.writing() as transaction:
        younger = await claim(transaction, lapsed.number + 1, owner="w2", lease_s=LAPSED_S)
        heads = await candidates(transaction, besides=[lapsed.number, lapsed.number + 2])

    assert younger is not None
    assert [head.number for head in heads] == [younger.number, lapsed.number + 3]


async def test_a_candidate_that_was_cancelled_meanwhile_cannot_be_claimed(database: Database) -> None:
    await accepted(database, "gen_1")
    async with database.reading() as connection:
        (head,) = await candidates(connection)
    await canceled(database, "gen_1")

    async with database.writing() as transaction:
        assert await claim(transaction, head.number, owner="w1", lease_s=30) is None
    assert await state_of(database, "gen_1") is State.CANCELED


async def test_two_claimers_never_get_one_row(database: Database, database_url: str) -> None:
    """Two processes' worth of connections, each asking eight times at once."""
    await accepted(database, *(f"gen_{number:02}" for number in range(40)))
    other = Database(database_url)

    batches = await asyncio.gather(*(claimed(one, limit=3) for one in (database, other) for _ in range(8)))

    ids = [generation.id for batch in batches for generation in batch]
    assert len(ids) == len(set(ids)) == 40
    await other.close()


async def test_a_lapsed_lease_is_claimed_again_and_the_stale_attempt_is_fenced_off(database: Database) -> None:
    await accepted(database, "gen_1")
    stale = await one_claimed(database, lease_s=LAPSED_S)

    fresh = await one_claimed(database, owner="w2")

    assert (fresh.id, fresh.attempt, fresh.lease_owner) == ("gen_1", 2, "w2")
    assert fresh.started_at == stale.started_at
    async with database.writing() as transaction:
        assert not await renew(transaction, "gen_1", stale.attempt, lease_s=30)
        assert not await requeue(transaction, "gen_1", stale.attempt, cause="EngineStopped")
        assert not await fail(transaction, "gen_1", stale.attempt, code="x", message="x", now=NOW)
    assert not await completed(database, "gen_1", stale.attempt, picture_of("gen_1"))
    assert (await found(database, "gen_1"))[1] == ()
    assert await completed(database, "gen_1", fresh.attempt, picture_of("gen_1", attempt=2))


async def test_a_lease_that_is_renewed_is_not_claimed(database: Database) -> None:
    await accepted(database, "gen_1")
    generation = await one_claimed(database, lease_s=LAPSED_S)

    async with database.writing() as transaction:
        assert await renew(transaction, "gen_1", generation.attempt, lease_s=30)

    assert await claimed(database) == []


async def test_a_completed_generation_shows_its_pictures_in_order(database: Database) -> None:
    await accepted(database, "gen_1")
    await one_claimed(database)

    assert await completed(database, "gen_1", 1, picture_of("gen_1", 1), picture_of("gen_1", 0))

    generation, pictures = await found(database, "gen_1")
    assert generation.state is State.COMPLETED
    assert (generation.recipes, generation.render_ms, generation.credits_used) == (b'[{"seed":7}]', 1234, 2)
    assert (generation.completed_at, generation.lease_owner, generation.lease_until) == (NOW, None, None)
    assert pictures == (picture_of("gen_1", 0), picture_of("gen_1", 1))


async def test_a_generation_completes_once(database: Database) -> None:
    await accepted(database, "gen_1")
    await one_claimed(database)

    answers = await asyncio.gather(*(completed(database, "gen_1", 1, picture_of("gen_1")) for _ in range(6)))

    assert [answer.id for answer in answers if answer] == ["gen_1"]


async def test_completion_and_cancelling_at_once_have_one_winner(database: Database) -> None:
    await accepted(database, *(f"gen_{number:02}" for number in range(10)))
    for generation in await claimed(database, limit=10):
        is_completed, is_canceled = await asyncio.gather(
            completed(database, generation.id, 1, picture_of(generation.id)), canceled(database, generation.id)
        )

        assert is_completed != is_canceled
        assert await state_of(database, generation.id) is (State.COMPLETED if is_completed else State.CANCELED)


async def test_failing_says_why_and_is_final(database: Database) -> None:
    await accepted(database, "gen_1")
    await one_claimed(database)

    async with database.writing() as transaction:
        assert await fail(transaction, "gen_1", 1, code="overloaded", message="No room.", now=NOW)

    generation, _ = await found(database, "gen_1")
    assert generation.state is State.FAILED
    assert (generation.error_code, generation.error_message, generation.completed_at) == (
        "overloaded",
        "No room.",
        NOW,
    )
    assert not await canceled(database, "gen_1")
    assert await claimed(database) == []


async def test_what_is_requeued_keeps_count_of_its_failures_by_cause(database: Database) -> None:
    await accepted(database, "gen_1")

    for cause in ("OutOfMemory", "EngineStopped", "OutOfMemory"):
        generation = await one_claimed(database)
        async with database.writing() as transaction:
            assert await requeue(transaction, "gen_1", generation.attempt, cause=cause)

    generation, _ = await found(database, "gen_1")
    assert generation.failures == {"OutOfMemory": 2, "EngineStopped": 1}
    assert (generation.state, generation.attempt, generation.lease_until) == (State.QUEUED, 3, None)


async def test_a_requeued_attempt_is_over(database: Database) -> None:
    await accepted(database, "gen_1")
    await one_claimed(database)
    async with database.writing() as transaction:
        await requeue(transaction, "gen_1", 1, cause="EngineStopped")

    assert not await completed(database, "gen_1", 1, picture_of("gen_1"))
    assert await state_of(database, "gen_1") is State.QUEUED


@pytest.mark.parametrize("is_claimed", [False, True])
async def test_cancelling_ends_what_is_open_and_fences_off_its_worker(database: Database, is_claimed: bool) -> None:
    await accepted(database, "gen_1")
    if is_claimed:
        await one_claimed(database)

    assert await canceled(database, "gen_1")

    assert await state_of(database, "gen_1") is State.CANCELED
    assert not await canceled(database, "gen_1")
    assert not await completed(database, "gen_1", 1, picture_of("gen_1"))
    async with database.writing() as transaction:
        assert not await renew(transaction, "gen_1", 1, lease_s=30)
    assert await claimed(database) == []


async def test_another_accounts_generation_does_not_exist(database: Database) -> None:
    await accepted(database, "gen_1")

    async with database.reading() as connection:
        assert await fetch(connection, "acct_2", "gen_1") is None
        assert await fetch(connection, "acct_1", "gen_2") is None
        assert await page(connection, "acct_2", limit=10) == []


async def test_pages_follow_each_other_newest_first(database: Database) -> None:
    await accepted(database, *(f"gen_{number}" for number in range(5)))

    async with database.reading() as connection:
        first = await page(connection, "acct_1", limit=2)
        second = await page(connection, "acct_1", limit=2, before=first[-1][0].number)
        third = await page(connection, "acct_1", limit=2, before=second[-1][0].number)

    ids = [generation.id for part in (first, second, third) for generation, _ in part]
    assert ids == ["gen_4", "gen_3", "gen_2", "gen_1", "gen_0"]


async def test_a_page_may_ask_for_one_state_style_or_pair_and_brings_pictures(database: Database) -> None:
    await accepted(database, "gen_1", "gen_2")
    await accepted(database, "gen_3", style="anime", metadata={"order": "7"})
    await accepted(database, "gen_4", style="anime", metadata={"order": "8"})
    await one_claimed(database)
    await completed(database, "gen_1", 1, picture_of("gen_1"))

    async with database.reading() as connection:
        by_state = await page(connection, "acct_1", limit=9, filters=Filters(state=State.COMPLETED))
        by_style = await page(connection, "acct_1", limit=9, filters=Filters(style="anime", metadata={"order": "7"}))

    assert [(generation.id, pictures) for generation, pictures in by_state] == [("gen_1", (picture_of("gen_1"),))]
    assert [generation.id for generation, _ in by_style] == ["gen_3"]


async def positions_of(database: Database, *ids: str) -> list[int]:
    async with database.reading() as connection:
        return [await position_in_queue(connection, id) for id in ids]


async def test_a_position_counts_those_who_are_claimed_before(database: Database) -> None:
    await accepted(database, "gen_batch", priority=Priority.BATCH)
    await accepted(database, "gen_1", "gen_2", "gen_3")

    assert await positions_of(database, "gen_1", "gen_2", "gen_3", "gen_batch") == [0, 1, 2, 3]

    await claimed(database, limit=2)
    assert await positions_of(database, "gen_3", "gen_batch") == [0, 1]


async def test_a_batch_position_counts_no_more_of_the_urgent_than_may_pass_it(database: Database) -> None:
    await accepted(database, "gen_batch_1", "gen_batch_2", priority=Priority.BATCH)
    await accepted(database, *(f"gen_{number}" for number in range(30)))

    assert await positions_of(database, "gen_batch_1", "gen_batch_2") == [
        LESS_URGENT_EVERY - 1,
        2 * LESS_URGENT_EVERY - 1,
    ]


async def test_a_position_takes_turns_between_accounts_into_account(database: Database) -> None:
    await another_account(database)
    await accepted(database, *(f"gen_{number}" for number in range(1, 9)))
    await accepted(database, "gen_ben_1", "gen_ben_2", account_id="acct_2", key_id="key_2")

    assert await positions_of(database, "gen_ben_1", "gen_ben_2") == [1, 3]
    assert await positions_of(database, "gen_1", "gen_2", "gen_3", "gen_8") == [0, 2, 4, 9]


async def test_a_picture_is_found_by_its_public_name(database: Database) -> None:
    await accepted(database, "gen_1")
    await one_claimed(database)
    await completed(database, "gen_1", 1, picture_of("gen_1"))

    async with database.reading() as connection:
        assert await picture_named(connection, "gen_1-0.png") == picture_of("gen_1")
        assert await picture_named(connection, "gen_1-1.png") is None


async def test_removing_takes_the_pictures_too_and_nothing_else(database: Database) -> None:
    await accepted(database, "gen_1", "gen_2")
    for generation in await claimed(database, limit=2):
        await completed(database, generation.id, 1, picture_of(generation.id))

    async with database.writing() as transaction:
        assert await remove(transaction, "gen_1")
        assert not await remove(transaction, "gen_1")

    async with database.reading() as connection:
        assert await fetch(connection, "acct_1", "gen_1") is None
        assert await picture_named(connection, "gen_1-0.png") is None
        assert await picture_named(connection, "gen_2-0.png") is not None


async def test_numbers_are_never_given_twice(database: Database) -> None:
    """Else a cursor could skip what came after a deletion."""
    await accepted(database, "gen_1")
    first = (await found(database, "gen_1"))[0].number
    async with database.writing() as transaction:
        await remove(transaction, "gen_1")

    await accepted(database, "gen_2")

    assert (await found(database, "gen_2"))[0].number > first


async def test_open_generations_are_counted_by_account_and_in_all(database: Database, account: Account) -> None:
    await accepted(database, "gen_1", "gen_2", "gen_3")
    await one_claimed(database)
    await canceled(database, "gen_3")

    async with database.reading() as connection:
        assert await count_open(connection) == 2
        assert await count_open(connection, account.id) == 2
        assert await count_open(connection, "acct_2") == 0

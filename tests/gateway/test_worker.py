"""What a worker claims, on both databases; how it is painted is somebody else's."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.queue import EmbeddedQueue
from gateway.worker import Worker
from storage import LESS_URGENT_EVERY, Completion, Database, Priority
from storage.accounts import add_account
from storage.generations import accept, cancel, complete
from storage.keys import add_key
from storage.lost_claims import DIED_ALONE, DIED_IN_COMPANY
from tests.storage.conftest import NOW, generation_of, key_of

NOTHING = Completion(pictures=(), recipes=b"[]", render_ms=1, credits_used=0)


class Easel:
    """Stands where the runner does: notes what is begun, completes it once released."""

    def __init__(self, database):
        self.database = database
        self.begun = []
        self.beside = []
        self.widest = 0
        self._inside = 0
        self._gate = asyncio.Event()

    def release(self):
        self._gate.set()

    async def __call__(self, generation):
        self.begun.append(generation)
        self.beside.append(self._inside)
        self._inside += generation.picture_count
        self.widest = max(self.widest, self._inside)
        try:
            await self._gate.wait()
            async with self.database.writing() as transaction:
                await complete(transaction, generation.id, generation.attempt, NOTHING, now=NOW)
        finally:
            self._inside -= generation.picture_count

    @property
    def is_empty(self):
        return self._inside == 0

    async def failed(self, generation, failure):
        raise AssertionError(generation.id, failure)


@asynccontextmanager
async def working(database, *, slots, owner="w1", lease_s=30):
    easel = Easel(database)
    worker = Worker(
        database=database, queue=EmbeddedQueue(), run=easel, owner=owner, slots=slots, lease_s=lease_s, poll_s=0.02
    )
    easel.worker = worker
    loop = asyncio.create_task(worker.work())
    try:
        yield easel
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def until(is_so):
    for _ in range(2000):
        if is_so():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


@pytest.fixture
async def queue(database):
    """Put generations of an account into the queue; accounts are made when first named."""
    made = set()

    async def put(account, count=1, **others):
        async with database.writing() as transaction:
            if account not in made:
                made.add(account)
                await add_account(transaction, id=account, name=account, plan="pro", webhook_secret="whsec_1", now=NOW)
                await add_key(transaction, key_of(account, id=f"key_{account}", secret_hash=account))
            for number in range(count):
                id = f"gen_{account}_{others.get('priority', 0)}_{number}"
                given = {"account_id": account, "key_id": f"key_{account}", "work": 1000, **others}
                await accept(transaction, generation_of(id, **given))

    return put


async def test_accounts_take_turns_by_work_whatever_their_sizes(database: Database, queue) -> None:
    await queue("ada", 60, work=1000)
    await queue("ben", 20, work=3000)
    await queue("cyd", 6, work=10_000)
    async with working(database, slots=1) as easel:
        easel.release()
        await until(lambda: len(easel.begun) == 86)

    busy = easel.begun[:60]
    shares = {name: sum(one.work for one in busy if one.account_id == name) for name in ("ada", "ben", "cyd")}
    assert min(shares.values()) >= 0.9 * max(shares.values()) - 10_000
    assert [one.number for one in busy if one.account_id == "ada"] == sorted(
        one.number for one in busy if one.account_id == "ada"
    )


async def test_one_request_behind_very_many_is_next_but_one(database: Database, queue) -> None:
    await queue("ada", 150)
    await queue("ben", 1)
    async with working(database, slots=1) as easel:
        easel.release()
        await until(lambda: len(easel.begun) >= 3)

    assert "ben" in {one.account_id for one in easel.begun[:2]}


async def test_batch_is_claimed_when_nothing_interactive_waits(database: Database, queue) -> None:
    await queue("ada", 3, priority=Priority.BATCH)
    await queue("ben", 3)
    async with working(database, slots=2) as easel:
        easel.release()
        await until(lambda: len(easel.begun) == 6)

    assert [one.priority for one in easel.begun] == [Priority.INTERACTIVE] * 3 + [Priority.BATCH] * 3


async def test_slots_are_counted_in_pictures(database: Database, queue) -> None:
    await queue("ada", 4, picture_count=3)
    await queue("ben", 9)
    async with working(database, slots=4) as easel:
        await until(lambda: sum(one.picture_count for one in easel.begun) == 4)
        easel.release()
        await until(lambda: len(easel.begun) == 13)

    assert easel.widest == 4


async def test_two_workers_share_a_queue_and_claim_nothing_twice(database: Database, queue) -> None:
    await queue("ada", 20)
    await queue("ben", 20)
    async with working(database, slots=3, owner="w1") as one, working(database, slots=3, owner="w2") as other:
        await until(lambda: len(one.begun) == len(other.begun) == 3)
        one.release()
        other.release()
        await until(lambda: len(one.begun) + len(other.begun) == 40)

    ids = [generation.id for generation in one.begun + other.begun]
    assert len(set(ids)) == 40


async def test_what_is_running_at_the_stop_is_queued_for_the_next_start(database: Database, queue) -> None:
    await queue("ada", 1)
    async with working(database, slots=1) as easel:
        await until(lambda: easel.begun)

    async with working(database, slots=1, owner="w2") as again:
        await until(lambda: again.begun)
    ((claimed,), (after,)) = easel.begun, again.begun
    assert (after.id, after.attempt, after.failures) == (claimed.id, 2, {})


async def test_a_suspect_runs_alone_and_after_the_others_but_does_not_wait_for_ever(database: Database, queue) -> None:
    await queue("ada", 1, failures={DIED_IN_COMPANY: 1})
    await queue("ben", 1, failures={DIED_IN_COMPANY: 1, DIED_ALONE: 1})
    await queue("ada", 20, priority=Priority.BATCH)
    async with working(database, slots=3) as easel:
        await until(lambda: len(easel.begun) == 3)
        easel.release()
        await until(lambda: len(easel.begun) == 22)

    suspects = [place for place, one in enumerate(easel.begun) if one.failures]
    assert [easel.begun[place].account_id for place in suspects] == ["ada", "ben"]
    assert suspects[0] >= LESS_URGENT_EVERY
    assert suspects[1] <= suspects[0] + LESS_URGENT_EVERY + 3
    assert all(easel.beside[place] == 0 for place in suspects)
    assert all(easel.beside[place + 1] == 0 for place in suspects if place < 21)


async def test_what_runs_here_is_not_claimed_again_when_its_lease_lapses(database: Database, queue) -> None:
    """As after the database was away for longer than a lease; what is new is claimed meanwhile, within the slots."""
    await queue("ada", 1)
    async with working(database, slots=3, lease_s=0.01) as easel:
        await until(lambda: easel.begun)
        await asyncio.sleep(0.3)
        assert [one.attempt for one in easel.begun] == [1]
        await queue("ben", 5)
        await until(lambda: len(easel.begun) >= 3)
        await asyncio.sleep(0.3)
        assert [one.attempt for one in easel.begun] == [1, 1, 1]
        easel.release()
        await until(lambda: len(easel.begun) == 6)

    assert easel.widest == 3
    assert len({one.id for one in easel.begun}) == 6


async def test_a_generation_whose_lease_has_lapsed_is_stopped_by_its_id(database: Database, queue) -> None:
    await queue("ada", 1)
    async with working(database, slots=2, lease_s=0.01) as easel:
        await until(lambda: easel.begun)
        await asyncio.sleep(0.3)
        async with database.writing() as transaction:
            await cancel(transaction, easel.begun[0].id, now=NOW)
        easel.worker.halt(easel.begun[0].id)
        await easel.worker.let_go(easel.begun[0].id)
        assert easel.is_empty

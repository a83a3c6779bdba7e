"""Claims whose server died are queued again, and counted against what it held alone."""

import pytest

from storage import Database, State
from storage.generations import accept, claim, fetch
from storage.lost_claims import DIED_ALONE, DIED_IN_COMPANY, give_back, is_suspect, take_back
from tests.storage.conftest import generation_of


@pytest.fixture
async def claims(database: Database, account):
    """Generations `gen_1` and on, the numbers given claimed by an owner for so long."""

    async def put(*ids: str) -> None:
        async with database.writing() as transaction:
            for id in ids:
                await accept(transaction, generation_of(id))

    return put


async def taken(database, *ids, owner="dead", lease_s=30.0):
    async with database.writing() as transaction:
        for id in ids:
            found = await fetch(transaction, "acct_1", id)
            assert await claim(transaction, found[0].number, owner=owner, lease_s=lease_s) is not None


async def seen(database, id):
    async with database.reading() as connection:
        found = await fetch(connection, "acct_1", id)
    return found[0]


async def lost(database, **given):
    async with database.writing() as transaction:
        return await take_back(transaction, **{"owner": "new", "only_lapsed": False, **given})


async def test_a_server_that_stops_in_good_order_blames_nobody(database: Database, claims) -> None:
    await claims("gen_1", "gen_2")
    await taken(database, "gen_1", owner="one")
    await taken(database, "gen_2", owner="other")
    async with database.writing() as transaction:
        assert await give_back(transaction, owner="one") == 1
    one, other = await seen(database, "gen_1"), await seen(database, "gen_2")
    assert (one.state, one.failures, one.lease_owner) == (State.QUEUED, {}, None)
    assert (other.state, other.lease_owner) == (State.PROCESSING, "other")


async def test_who_was_with_others_is_a_suspect_and_only_who_was_alone_three_times_is_guilty(
    database: Database, claims
) -> None:
    await claims("gen_1", "gen_2", "gen_3")
    await taken(database, "gen_1", "gen_2")
    assert (await lost(database)).requeued == 2
    assert [(await seen(database, id)).failures for id in ("gen_1", "gen_3")] == [{DIED_IN_COMPANY: 1}, {}]
    assert is_suspect((await seen(database, "gen_2")).failures)

    await taken(database, "gen_1")
    assert (await lost(database)).requeued == 1
    await taken(database, "gen_1")
    ended = await lost(database)
    assert ([one.id for one in ended.guilty], ended.requeued) == (["gen_1"], 0)
    assert (await seen(database, "gen_1")).failures == {DIED_IN_COMPANY: 1, DIED_ALONE: 2}
    assert (await seen(database, "gen_1")).state is State.PROCESSING, "its end is for who settles it"
    assert (await seen(database, "gen_2")).failures == {DIED_IN_COMPANY: 1}


async def test_beside_other_servers_only_what_has_lapsed_is_taken_and_ones_own_is_not_counted(
    database: Database, claims
) -> None:
    await claims("gen_1", "gen_2", "gen_3", "gen_4")
    await taken(database, "gen_1", lease_s=-1)
    await taken(database, "gen_2", owner="alive")
    await taken(database, "gen_3", "gen_4", owner="new", lease_s=-1)
    running = (await seen(database, "gen_4")).number
    assert (await lost(database, only_lapsed=True, besides=[running])).requeued == 2
    states = {id: (await seen(database, id)).state.value for id in ("gen_1", "gen_2", "gen_3", "gen_4")}
    assert states == {"gen_1": "queued", "gen_2": "processing", "gen_3": "queued", "gen_4": "processing"}
    assert [(await seen(database, id)).failures for id in ("gen_1", "gen_3")] == [{DIED_ALONE: 1}, {}]

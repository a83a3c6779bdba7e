"""Credits: whatever happens in whatever order, they add up."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storage import Account, CreditsShort, Database
from storage.accounts import add_account, balances
from storage.keys import add_key
from storage.ledger import capture, entries, grant, hold, release, withdraw
from storage.tables import ledger
from tests.storage.conftest import NOW, key_of

STEPS = st.tuples(st.sampled_from(["grant", "hold", "capture", "release"]), st.integers(0, 3), st.integers(0, 9))


@pytest.fixture(scope="session")
def fresh_ids() -> Iterator[int]:
    return itertools.count()


async def granted(database: Database, credits: int, account_id: str = "acct_1") -> None:
    async with database.writing() as transaction:
        await grant(transaction, account_id, credits, now=NOW, note="a gift")


async def held(database: Database, generation_id: str, credits: int, account_id: str = "acct_1") -> bool:
    key_id = "key_1" if account_id == "acct_1" else f"{account_id}_key"
    try:
        async with database.writing() as transaction:
            await hold(transaction, account_id, generation_id, credits, key_id=key_id, now=NOW)
    except CreditsShort:
        return False
    return True


async def captured(database: Database, generation_id: str) -> bool:
    async with database.writing() as transaction:
        return await capture(transaction, generation_id, now=NOW)


async def released(database: Database, generation_id: str) -> bool:
    async with database.writing() as transaction:
        return await release(transaction, generation_id, now=NOW)


async def balance(database: Database, account_id: str = "acct_1") -> tuple[int, int, int, int]:
    """Available, held, captured, granted."""
    async with database.reading() as connection:
        left = (await balances(connection, [account_id]))[account_id]
    return left.available, left.held, left.captured, left.granted


async def test_credits_go_from_available_over_held_to_captured(database: Database, account: Account) -> None:
    await granted(database, 10)
    assert await balance(database) == (10, 0, 0, 10)

    assert await held(database, "gen_1", 4)
    assert await balance(database) == (6, 4, 0, 10)

    assert await captured(database, "gen_1")
    assert await balance(database) == (6, 0, 4, 10)


async def test_released_credits_are_available_again(database: Database, account: Account) -> None:
    await granted(database, 10)
    await held(database, "gen_1", 4)

    assert await released(database, "gen_1")

    assert await balance(database) == (10, 0, 0, 10)


async def test_a_hold_ends_once_and_in_one_way(database: Database, account: Account) -> None:
    await granted(database, 10)
    await held(database, "gen_1", 4)
    await held(database, "gen_2", 1)

    assert [await captured(database, "gen_1") for _ in range(2)] == [True, False]
    assert not await released(database, "gen_1")
    assert [await released(database, "gen_2") for _ in range(2)] == [True, False]
    assert not await captured(database, "gen_2")

    assert await balance(database) == (6, 0, 4, 10)


async def test_what_was_never_held_cannot_end(database: Database, account: Account) -> None:
    assert not await captured(database, "gen_1")
    assert not await released(database, "gen_1")
    assert await balance(database) == (0, 0, 0, 0)


async def test_a_generation_is_never_held_for_twice(database: Database, account: Account) -> None:
    await granted(database, 10)
    await held(database, "gen_1", 4)

    with pytest.raises(IntegrityError):
        await held(database, "gen_1", 4)

    assert await balance(database) == (6, 4, 0, 10)


async def test_more_than_is_available_is_refused(database: Database, account: Account) -> None:
    await granted(database, 3)

    with pytest.raises(CreditsShort, match="4 credits") as raised:
        async with database.writing() as transaction:
            await hold(transaction, "acct_1", "gen_1", 4, key_id="key_1", now=NOW)

    assert raised.value.code == "insufficient_credits"
    assert await balance(database) == (3, 0, 0, 3)
    assert not await captured(database, "gen_1")


async def test_what_costs_nothing_is_written_down_too(database: Database, account: Account) -> None:
    assert await held(database, "gen_1", 0)
    assert await captured(database, "gen_1")

    async with database.reading() as connection:
        rows = (await connection.execute(select(ledger.c.kind, ledger.c.credits).order_by(ledger.c.number))).all()
    assert [tuple(row) for row in rows] == [("hold", 0), ("capture", 0)]
    assert await balance(database) == (0, 0, 0, 0)


async def test_of_64_holds_at_once_exactly_those_get_through_that_are_paid_for(
    database: Database, database_url: str, account: Account
) -> None:
    await granted(database, 20)
    other = Database(database_url)

    answers = await asyncio.gather(
        *(held(one, f"gen_{number}", 1) for number, one in enumerate([database, other] * 32))
    )

    assert sum(answers) == 20
    assert await balance(database) == (0, 20, 0, 20)
    await other.close()


async def test_capture_and_release_at_once_have_one_winner(database: Database, account: Account) -> None:
    await granted(database, 10)
    for number in range(10):
        await held(database, f"gen_{number}", 1)

    answers = await asyncio.gather(
        *(end(database, f"gen_{number}") for number in range(10) for end in (captured, released))
    )

    ends = [answers[index : index + 2] for index in range(0, 20, 2)]
    assert all(sum(pair) == 1 for pair in ends)
    won = sum(pair[0] for pair in ends)
    assert await balance(database) == (10 - won, 0, won, 10)


async def test_what_was_granted_can_be_withdrawn_while_nobody_holds_it(database: Database, account: Account) -> None:
    await granted(database, 10)
    await held(database, "gen_1", 4)
    async with database.writing() as transaction:
        await withdraw(transaction, "acct_1", 5, now=NOW, note="a mistake")
    assert await balance(database) == (1, 4, 0, 5)

    with pytest.raises(CreditsShort):
        async with database.writing() as transaction:
            await withdraw(transaction, "acct_1", 2, now=NOW, note="too much")
    assert await balance(database) == (1, 4, 0, 5)


async def test_a_keys_own_cap_counts_what_is_held_and_gives_back_what_is_released(
    database: Database, account: Account
) -> None:
    await granted(database, 10)
    async with database.writing() as transaction:
        await add_key(transaction, key_of(account.id, id="key_2", spend_cap=5))

    async def held_by_the_key(generation_id: str) -> bool:
        try:
            async with database.writing() as transaction:
                await hold(transaction, "acct_1", generation_id, 3, key_id="key_2", now=NOW)
        except CreditsShort:
            return False
        return True

    assert [await held_by_the_key(id) for id in ("gen_1", "gen_2")] == [True, False]
    assert await released(database, "gen_1")
    assert [await held_by_the_key(id) for id in ("gen_3", "gen_4")] == [True, False]
    assert await captured(database, "gen_3")
    assert not await held_by_the_key("gen_5")
    assert await balance(database) == (7, 0, 3, 10)


async def test_the_rows_are_read_newest_first_in_pages(database: Database, account: Account) -> None:
    await granted(database, 10)
    await held(database, "gen_1", 4)
    await captured(database, "gen_1")

    async with database.reading() as connection:
        rows = await entries(connection, "acct_1", limit=2)
        rest = await entries(connection, limit=2, before=rows[-1].number)
        assert await entries(connection, "acct_2", limit=2) == []
    assert [(row.kind, row.credits, row.key_id, row.note) for row in (*rows, *rest)] == [
        ("capture", 4, "key_1", ""),
        ("hold", 4, "key_1", ""),
        ("grant", 10, None, "a gift"),
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
async def test_any_history_keeps_the_invariant(
    database: Database, fresh_ids: Iterator[int], steps: list[tuple[str, int, int]]
) -> None:
    """A model of four numbers goes through the same history as the tables."""
    id = f"acct_{next(fresh_ids)}"
    async with database.writing() as transaction:
        await add_account(transaction, id=id, name=id, plan="p", webhook_secret="s", now=NOW)
        await add_key(transaction, key_of(id, id=f"{id}_key"))
    available, given_in_all, taken = 0, 0, 0
    holds: dict[str, int] = {}
    ended: set[str] = set()
    for kind, which, credits in steps:
        name = f"{id}_gen_{which}"
        is_open = name in holds and name not in ended
        if kind == "grant":
            await granted(database, credits, id)
            available, given_in_all = available + credits, given_in_all + credits
        elif kind == "hold" and name not in holds:
            assert await held(database, name, credits, id) == (credits <= available)
            if credits <= available:
                holds[name], available = credits, available - credits
        elif kind == "capture":
            assert await captured(database, name) == is_open
            taken += holds[name] if is_open else 0
            ended |= {name} & holds.keys()
        elif kind == "release":
            assert await released(database, name) == is_open
            available += holds[name] if is_open else 0
            ended |= {name} & holds.keys()

    in_hold = sum(credits for name, credits in holds.items() if name not in ended)
    assert await balance(database, id) == (available, in_hold, taken, given_in_all)
    assert available + in_hold + taken == given_in_all
    assert await rows_by_kind(database, id) == {"hold": len(holds), "ended": len(ended)}


async def rows_by_kind(database: Database, account_id: str) -> dict[str, int]:
    query = (
        select(ledger.c.kind, func.count().label("rows"))
        .where(ledger.c.account_id == account_id, ledger.c.kind != "grant")
        .group_by(ledger.c.kind)
    )
    async with database.reading() as connection:
        counts = {row.kind: row.rows for row in await connection.execute(query)}
    return {"hold": counts.get("hold", 0), "ended": counts.get("capture", 0) + counts.get("release", 0)}

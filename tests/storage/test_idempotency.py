"""One key makes one generation, for a day."""

import asyncio
from datetime import timedelta

import pytest

from storage import Database, State
from storage.generations import accept, cancel, count_open, remove
from storage.idempotency import Remembered, recall, remember
from tests.storage.conftest import NOW, generation_of

pytestmark = pytest.mark.usefixtures("account")


class Beaten(Exception):
    """Another request has the key."""


async def asked(
    database: Database, generation_id: str, *, key: str = "once", body: str = "b", after_h: float = 0
) -> bool:
    """Accept a generation under a key as a use case does: undo everything when the key is taken."""
    try:
        async with database.writing() as transaction:
            await accept(transaction, generation_of(generation_id))
            now = NOW + timedelta(hours=after_h)
            stop_unless(await remember(transaction, "acct_1", key, body, generation_id, now=now))
    except Beaten:
        return False
    return True


def stop_unless(is_ours: bool) -> None:
    if not is_ours:
        raise Beaten


async def recalled(
    database: Database, *, key: str = "once", account_id: str = "acct_1", after_h: float = 0
) -> Remembered | None:
    async with database.reading() as connection:
        return await recall(connection, account_id, key, now=NOW + timedelta(hours=after_h))


async def test_a_key_recalls_what_it_made(database: Database) -> None:
    assert await asked(database, "gen_1", body="body")

    remembered = await recalled(database)

    assert remembered == Remembered(
        generation_id="gen_1", batch_id=None, body_sha256="body", created_at=NOW, state=State.QUEUED, notices=b"[]"
    )
    assert not remembered.is_finished


async def test_it_is_finished_when_its_generation_is(database: Database) -> None:
    await asked(database, "gen_1")
    async with database.writing() as transaction:
        await cancel(transaction, "gen_1", now=NOW)

    remembered = await recalled(database)

    assert remembered is not None
    assert remembered.is_finished


async def test_keys_are_each_accounts_own(database: Database) -> None:
    await asked(database, "gen_1")

    assert await recalled(database, account_id="acct_2") is None
    assert await recalled(database, key="twice") is None


async def test_after_a_day_a_key_is_free_again(database: Database) -> None:
    await asked(database, "gen_1")

    assert await recalled(database, after_h=23.9) is not None
    assert not await asked(database, "gen_2", after_h=23.9)
    assert await recalled(database, after_h=24) is None
    assert await asked(database, "gen_3", after_h=24)
    later = await recalled(database, after_h=25)
    assert later is not None
    assert later.generation_id == "gen_3"


async def test_of_eight_at_once_one_makes_a_generation(database: Database) -> None:
    answers = await asyncio.gather(*(asked(database, f"gen_{number}") for number in range(8)))

    assert sorted(answers) == [False] * 7 + [True]
    remembered = await recalled(database)
    assert remembered is not None
    assert remembered.generation_id == f"gen_{answers.index(True)}"
    async with database.reading() as connection:
        assert await count_open(connection) == 1


async def test_a_deleted_generation_is_forgotten_with_its_key(database: Database) -> None:
    await asked(database, "gen_1")
    async with database.writing() as transaction:
        await remove(transaction, "gen_1")

    assert await recalled(database) is None
    assert await asked(database, "gen_2")

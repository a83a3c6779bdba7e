"""Keys are remembered for seconds, and what changes counts in time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.access import Gatekeeper, KeyRejected, KnownKeys, LastUses, load_plans
from gateway.accounts import CLI, KeyOrder
from gateway.settings import ROOT
from gateway.wiring import Access
from storage import Database
from storage.keys import key_by_id, revoke_key
from storage.local_blobs import LocalBlobs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Stopwatch:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def access(database: Database, tmp_path: Path) -> Access:
    """The other process: it changes keys, and this one does not hear of it."""
    return Access(
        database=database,
        blobs=LocalBlobs(tmp_path / "pictures"),
        plans=load_plans(ROOT / "configs" / "plans.toml"),
        pepper=None,
        clock=lambda: NOW,
    )


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def known(database: Database, stopwatch: Stopwatch) -> KnownKeys:
    return KnownKeys(database, stopwatch)


@pytest.fixture
def gatekeeper(access: Access, known: KnownKeys, database: Database) -> Gatekeeper:
    return Gatekeeper(known=known, plans=access.plans, hashes=access.hashes, uses=LastUses(database))


async def test_what_another_process_revokes_is_dead_within_five_seconds(gatekeeper, access, stopwatch):
    made = await access.accounts.add_key(KeyOrder(account="ada"))
    await gatekeeper.caller(made.token.text, now=NOW)
    await access.keys.revoke(made.key.id, by=CLI)

    stopwatch.seconds += 4.9
    assert (await gatekeeper.caller(made.token.text, now=NOW)).key.id == made.key.id
    stopwatch.seconds += 0.1
    with pytest.raises(KeyRejected):
        await gatekeeper.caller(made.token.text, now=NOW)


async def test_a_key_that_expires_is_not_remembered_beyond_that(gatekeeper, access):
    made = await access.accounts.add_key(KeyOrder(account="ada", expires_at=NOW + timedelta(seconds=1)))
    await gatekeeper.caller(made.token.text, now=NOW)
    with pytest.raises(KeyRejected):
        await gatekeeper.caller(made.token.text, now=NOW + timedelta(seconds=1))


async def test_an_unknown_id_is_asked_for_each_time(known, access):
    assert await known.find("key_nothing") is None
    made = await access.accounts.add_key(KeyOrder(account="ada"))
    found = await known.find(made.key.id)
    assert found is not None
    assert found.key == made.key


async def test_what_was_read_before_a_change_is_not_remembered_after_it(database, access, stopwatch):
    """The change is committed while the answer of the database is on its way."""
    made = await access.accounts.add_key(KeyOrder(account="ada"))
    known = KnownKeys(Slow(database, meanwhile=lambda: revoked(database, made.key.id, known)), stopwatch)

    stale = await known.find(made.key.id)
    fresh = await known.find(made.key.id)

    assert stale is not None
    assert fresh is not None
    assert stale.key.revoked_at is None
    assert fresh.key.revoked_at == NOW


async def revoked(database: Database, id: str, known: KnownKeys) -> None:
    async with database.writing() as transaction:
        await revoke_key(transaction, id, now=NOW)
    known.forget()


class Slow:
    """A database to which something happens once, between its answer and the reader's hearing of it."""

    def __init__(self, database: Database, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.database, self.meanwhile, self.is_over = database, meanwhile, False

    def reading(self) -> "Slow":
        return self

    async def __aenter__(self):
        self.connection = self.database.reading()
        return await self.connection.__aenter__()

    async def __aexit__(self, *error):
        await self.connection.__aexit__(*error)
        if not self.is_over:
            self.is_over = True
            await self.meanwhile()


async def test_uses_are_written_together_and_later_ones_wait_for_the_next_time(database, access):
    first = await access.accounts.add_key(KeyOrder(account="ada"))
    second = await access.accounts.add_key(KeyOrder(account="ada"))
    uses = LastUses(database)
    uses.note(first.key.id, NOW)
    uses.note(first.key.id, NOW + timedelta(seconds=3))
    uses.note(second.key.id, NOW)
    writing = asyncio.ensure_future(uses.write())
    await asyncio.sleep(0)
    uses.note(second.key.id, NOW + timedelta(seconds=9))
    await writing
    assert await last_used(database, first, second) == [NOW + timedelta(seconds=3), NOW]

    await uses.write()
    await uses.write()
    assert await last_used(database, first, second) == [NOW + timedelta(seconds=3), NOW + timedelta(seconds=9)]


async def last_used(database, *made):
    async with database.reading() as connection:
        return [(await key_by_id(connection, one.key.id)).last_used_at for one in made]

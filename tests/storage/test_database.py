"""Connections, transactions, migrations, and what goes wrong with them."""

import asyncio
import subprocess
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, literal, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage import Account, Database, StoreUnavailable
from storage.accounts import account_by_id, add_account, list_accounts
from storage.columns import DatabaseTime
from storage.database import REVISION
from storage.tables import metadata
from storage.upgrade import newest_revision
from tests.plugins.postgresql import Cluster

HOLD_THE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE accounts SET name = 'renamed'")
print("locked", flush=True)
sys.stdin.read()
connection.execute("COMMIT")
connection.close()
"""

SLOW_QUERY = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 1000000)
SELECT max(n) FROM numbers UNION ALL SELECT 0
"""

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


async def add(database: Database, name: str, now: datetime) -> None:
    async with database.writing() as transaction:
        await add_account(transaction, id=f"acct_{name}", name=name, plan="free", webhook_secret="s", now=now)


async def names_in(database: Database) -> list[str]:
    async with database.reading() as connection:
        return sorted(account.name for account in await list_accounts(connection))


async def test_migrating_makes_the_tables_that_the_code_speaks_of(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


def test_the_revision_wanted_is_the_newest_there_is() -> None:
    assert newest_revision() == REVISION


async def test_a_database_is_made_where_there_is_none(tmp_path: Path, now: datetime) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/folder/pinxit.db")

    await database.migrate()
    await database.migrate()

    await add(database, "ada", now)
    assert await names_in(database) == ["ada"]
    modes = {file.stat().st_mode & 0o777 for file in (tmp_path / "new/folder").iterdir()}
    assert modes == {0o600}
    await database.close()


async def test_two_processes_may_migrate_at_the_same_time(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/pinxit.db"
    if database_kind == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        url = cluster.create("migrated_twice")
    both = Database(url), Database(url)

    await asyncio.gather(*(database.migrate() for database in both))

    assert [await names_in(database) for database in both] == [[], []]
    for database in both:
        await database.close()


def test_alembic_is_not_loaded_when_there_is_nothing_to_migrate(migrated_sqlite: Path) -> None:
    program = (
        "import asyncio, sys; from storage import Database\n"
        f"async def start():\n  d = Database('sqlite:///{migrated_sqlite}'); await d.migrate(); await d.close()\n"
        "asyncio.run(start()); print('alembic' in sys.modules)"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert run.stdout.strip() == "False", run.stderr


async def test_a_transaction_that_raises_leaves_nothing(database: Database, now: datetime) -> None:
    async def change_its_mind() -> None:
        async with database.writing() as transaction:
            await add_account(transaction, id="acct_1", name="ada", plan="free", webhook_secret="s", now=now)
            raise LookupError

    with pytest.raises(LookupError):
        await change_its_mind()

    assert await names_in(database) == []


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(database: Database, now: datetime) -> None:
    begun = asyncio.Event()

    async def stall() -> None:
        async with database.writing() as transaction:
            await add_account(transaction, id="acct_1", name="ada", plan="free", webhook_secret="s", now=now)
            begun.set()
            await asyncio.Event().wait()

    stalled = asyncio.create_task(stall())
    await begun.wait()
    stalled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stalled

    await add(database, "grace", now)
    assert await names_in(database) == ["grace"]


async def test_readers_see_what_is_committed_and_nothing_else(
    database: Database, account: Account, now: datetime
) -> None:
    async with database.writing() as transaction:
        await add_account(transaction, id="acct_2", name="grace", plan="free", webhook_secret="s", now=now)
        assert await names_in(database) == ["ada"]

    assert await names_in(database) == ["ada", "grace"]


async def test_many_writers_take_turns(database: Database, now: datetime) -> None:
    await asyncio.gather(*(add(database, f"n{number:02}", now) for number in range(32)))

    assert len(await names_in(database)) == 32


@sqlite_only
async def test_a_write_waits_for_another_process_that_writes(
    database: Database, tmp_path: Path, account: Account, now: datetime
) -> None:
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD_THE_LOCK, tmp_path / "pinxit.db", stdin=PIPE, stdout=PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert await other.stdout.readline() == b"locked\n"
    ours = asyncio.create_task(add(database, "grace", now))
    assert await names_in(database) == ["ada"]

    other.stdin.close()

    await ours
    assert await other.wait() == 0
    assert await names_in(database) == ["grace", "renamed"]


@sqlite_only
async def test_commits_are_forced_to_the_disk(database: Database) -> None:
    async with database.writing() as transaction:
        assert await transaction.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await transaction.scalar(text("PRAGMA synchronous")) == 2
        assert await transaction.scalar(text("PRAGMA foreign_keys")) == 1
        assert await transaction.scalar(text("PRAGMA busy_timeout")) == 10_000


@sqlite_only
async def test_a_reader_cannot_write(database: Database, now: datetime) -> None:
    with pytest.raises((StoreUnavailable, DBAPIError)):
        async with database.reading() as connection:
            await add_account(connection, id="acct_1", name="ada", plan="free", webhook_secret="s", now=now)

    assert await names_in(database) == []


async def test_a_file_that_is_no_database_is_store_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "pinxit.db"
    file.write_bytes(b"not a database" * 1000)
    database = Database(f"sqlite:///{file}")

    with pytest.raises(StoreUnavailable) as raised:
        await names_in(database)

    assert raised.value.retryable
    assert raised.value.code == "overloaded"
    await database.close()


@sqlite_only
async def test_a_full_disk_is_store_unavailable_and_loses_nothing(
    database: Database, account: Account, now: datetime
) -> None:
    async with database.writing() as transaction:
        pages = await transaction.scalar(text("PRAGMA page_count"))
        await transaction.execute(text(f"PRAGMA max_page_count = {pages}"))

    with pytest.raises(StoreUnavailable):
        async with database.writing() as transaction:
            await add_account(transaction, id="a2", name="n" * 2**20, plan="p", webhook_secret="s", now=now)

    assert await names_in(database) == ["ada"]


async def test_a_server_that_is_away_is_store_unavailable_until_it_is_back(now: datetime, postgresql: Cluster) -> None:
    database = Database(postgresql.create("goes_away"))
    await database.migrate()
    await add(database, "ada", now)

    postgresql.stop()
    try:
        with pytest.raises(StoreUnavailable):
            await names_in(database)
        with pytest.raises(StoreUnavailable):
            await add(database, "grace", now)
    finally:
        postgresql.start()

    assert await names_in(database) == ["ada"]
    await add(database, "grace", now)
    assert await names_in(database) == ["ada", "grace"]
    await database.close()


async def test_our_own_defects_are_not_hidden_as_unavailability(
    database: Database, account: Account, now: datetime
) -> None:
    with pytest.raises(IntegrityError):
        await add(database, "ada", now)


async def test_moments_come_back_to_the_millisecond(database: Database) -> None:
    moment = datetime(2026, 11, 21, 23, 59, 59, 123456, tzinfo=UTC)
    await add(database, "ada", moment)

    async with database.reading() as connection:
        kept = await account_by_id(connection, "acct_ada")

    assert kept is not None
    assert kept.created_at == moment.replace(microsecond=123000)


async def test_the_databases_clock_is_about_ours_and_adds_what_is_asked(database: Database) -> None:
    async with database.reading() as connection:
        now, later = (await connection.execute(select(DatabaseTime(), DatabaseTime(after_ms=30_000)))).one()

    assert abs((datetime.now(UTC) - now).total_seconds()) < 5
    assert 29 < (later - now).total_seconds() < 31


@sqlite_only
async def test_a_writer_cancelled_inside_a_statement_lets_go_of_the_lock(database: Database, now: datetime) -> None:
    async def write_slowly() -> None:
        async with database.writing() as transaction:
            await add_account(transaction, id="acct_x", name="x", plan="free", webhook_secret="s", now=now)
            await transaction.execute(text(SLOW_QUERY))

    writing = asyncio.create_task(write_slowly())
    await asyncio.sleep(0.1)
    writing.cancel()
    await asyncio.wait([writing])  # kept, with its traceback and the cursor in it

    async with asyncio.timeout(60):
        await add(database, "ada", now)
    assert await names_in(database) == ["ada"]


@sqlite_only
async def test_a_question_that_turns_out_slow_is_asked_again_in_a_thread(database: Database) -> None:
    """Whether it is broken off when it begins or while its rows are fetched."""
    numbers = select(literal(1).label("n")).cte(recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < 300_000))

    async with database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(numbers)) == 300_000
        assert len((await connection.execute(select(numbers.c.n))).all()) == 300_000


async def test_what_a_failed_test_left_open_does_not_fail_the_next(
    postgresql: Cluster, migrated_postgresql: str
) -> None:
    """The fixture's own promise: a lock that nobody gives back any more is taken from its holder."""
    left = Database(migrated_postgresql)

    async def hold_on_to_a_table() -> None:
        async with left.writing() as transaction:
            await transaction.execute(text("LOCK TABLE generations IN ACCESS EXCLUSIVE MODE"))
            await asyncio.to_thread(postgresql.execute, "pinxit", "TRUNCATE generations CASCADE")

    with pytest.raises(StoreUnavailable):
        await hold_on_to_a_table()
    await left.close()

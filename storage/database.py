"""One database, SQLite or PostgreSQL: connections to read, transactions to write, and the errors of both as ours."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as BlockingConnection
from sqlalchemy import event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.errors import StoreUnavailable

# What is read may be a little behind; what is written is one transaction. The type is the same, the promise is not.
Connection = AsyncConnection
Transaction = AsyncConnection

REVISION = "0009"  # the newest file of storage/migrations/versions
MIGRATION_LOCK = 7064
READERS = 4
POSTGRESQL_WRITERS = 8
BUSY_TIMEOUT_S = 10


class Database:
    """The one owner of connections. SQLite has one writer at a time, here and across processes, beside its readers."""

    def __init__(self, url: str) -> None:
        """`url` names the driver, as in `sqlite+aiosqlite:////folder/file.db`. Opens nothing yet."""
        self._url = make_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._readers = _engine(url, pool_size=READERS, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        if self._is_sqlite:
            self._writers = _engine(url, pool_size=1, factory=_Writer)
            event.listen(self._readers.sync_engine, "connect", _open_reader)
            event.listen(self._writers.sync_engine, "connect", _open_writer)
            event.listen(self._writers.sync_engine, "begin", _begin_immediate)
        else:
            self._writers = _engine(url, pool_size=POSTGRESQL_WRITERS)
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if self._is_sqlite else nullcontext()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection to read from; each statement sees what is committed when it starts.

        Raises:
            StoreUnavailable: also from inside the block, whatever statement met it.
        """
        with _failures_as_ours():
            async with self._readers.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A transaction: committed, durably, at the end of the block; rolled back if the block raises.

        Raises:
            StoreUnavailable: as `reading`; also when another process has been writing for ten seconds.
        """
        with _failures_as_ours():
            async with self._turn, self._writers.begin() as transaction:
                yield transaction

    async def migrate(self) -> None:
        """Bring the tables to the shape this version wants; costs two short reads when they have it."""
        if self._is_sqlite and self._url.database:
            _make_file(Path(self._url.database))
        async with self.reading() as connection:
            if await connection.run_sync(_revision) == REVISION:
                return
        upgrade = await asyncio.to_thread(_load_upgrade)
        async with self.writing() as transaction:
            if not self._is_sqlite:
                await transaction.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            await transaction.run_sync(upgrade)

    async def close(self) -> None:
        """Close every connection; a later call opens them again."""
        await self._readers.dispose()
        await self._writers.dispose()


class _Writer(sqlite3.Connection):
    """Lets go of the write lock when it is closed.

    Who is cancelled inside a statement leaves its cursor behind, and SQLite keeps a closed connection with its
    transaction until the last cursor is gone: until then nobody else could write.
    """

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()


def _engine(
    url: str, *, pool_size: int, factory: type[sqlite3.Connection] | None = None, **options: Any
) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_S,
        pool_pre_ping=not url.startswith("sqlite"),
        connect_args={"timeout": BUSY_TIMEOUT_S} | ({"factory": factory} if factory else {}),
        **options,
    )


def _make_file(file: Path) -> None:
    """For its owner alone, since the secrets of webhooks lie in it; SQLite gives the files beside it the same mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)


def _open_reader(connection: DBAPIConnection, _record: object) -> None:
    connection.cursor().execute("PRAGMA query_only = ON")


def _open_writer(connection: DBAPIConnection, _record: object) -> None:
    """Durable at commit, readers undisturbed; transactions begin and end where we say, not where the driver guesses."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: BlockingConnection) -> None:
    """Take the write lock at the start: a transaction that reads first must not find out later that it cannot write."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _revision(connection: BlockingConnection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _load_upgrade() -> Callable[[BlockingConnection], None]:
    """Import alembic, which takes longer than everything else here, only where there is something to change."""
    from storage.upgrade import upgrade  # noqa: PLC0415 - see above

    return upgrade


@contextmanager
def _failures_as_ours() -> Iterator[None]:
    """The database's troubles become StoreUnavailable; a broken constraint or statement is our own defect and stays.

    A server that cannot be reached shows as a bare OSError, so blocks must do nothing but database work.
    """
    try:
        yield
    except (IntegrityError, ProgrammingError):
        raise
    except (DBAPIError, PoolExhausted, OSError) as failure:
        raise StoreUnavailable("The database does not answer; try again in a few seconds.") from failure

"""One database, SQLite or PostgreSQL: connections to read, transactions to write, and the errors of both as ours."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Connection as BlockingConnection
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import StoreUnavailable
from storage.postgresql import PostgresqlServer
from storage.sqlite import SqliteFile

REVISION = "0014"  # the newest file of storage/migrations/versions
MIGRATION_LOCK = 7064
MANY = 1 << 30


# What is read may be a little behind; what is written is one transaction. The type is the same, the promise is not.
# SQLite's own connections can do as much of this as we use, see `storage.sqlite`.
Connection = AsyncConnection
Transaction = AsyncConnection


class Database:
    """The one owner of connections. SQLite has one writer at a time, here and across processes, beside its readers."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy reads it, `sqlite:////folder/file.db` or `postgresql+asyncpg://…`. Opens nothing yet."""
        self._url = make_url(url)
        self.failures = 0  # how often it did not answer
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._store = SqliteFile(self._url) if self._is_sqlite else PostgresqlServer(self._url)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection to read from; each statement sees what is committed when it starts.

        Raises:
            StoreUnavailable: also from inside the block, whatever statement met it.
        """
        with self._failures_as_ours():
            async with self._store.reading() as connection:
                yield cast("Connection", connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A transaction: committed, durably, at the end of the block; rolled back if the block raises.

        Raises:
            StoreUnavailable: as `reading`; also when another process has been writing for ten seconds.
        """
        with self._failures_as_ours():
            async with self._store.writing() as transaction:
                yield cast("Transaction", transaction)

    async def forget_deleted(self) -> None:
        """Leave nothing of deleted rows in the files of SQLite; a server looks after its files itself.

        Raises:
            StoreUnavailable.
        """
        if isinstance(self._store, SqliteFile):
            with self._failures_as_ours():
                await self._store.empty_log()

    async def try_writing(self) -> None:
        """Change something that nobody reads, and commit it. Raises StoreUnavailable."""
        async with self.writing() as transaction:
            if self._is_sqlite:  # what does not change the file's pages is not written, so a number is counted on
                version = await transaction.scalar(text("PRAGMA user_version"))
                await transaction.exec_driver_sql(f"PRAGMA user_version = {(int(version or 0) + 1) % MANY}")
            else:
                await transaction.execute(text("UPDATE alembic_version SET version_num = version_num"))

    async def migrate(self) -> None:
        """Bring the tables to the shape this version wants; costs two short reads when they have it.

        Raises:
            StoreUnavailable: with the reason as its cause.
        """
        if self._is_sqlite and self._url.database:
            with self._failures_as_ours():
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
        await self._store.close()

    @contextmanager
    def _failures_as_ours(self) -> Iterator[None]:
        """The database's troubles become StoreUnavailable; a broken constraint or statement is our own defect and stays.

        A server that cannot be reached shows as a bare OSError, so blocks must do nothing but database work.
        """
        try:
            yield
        except (IntegrityError, ProgrammingError):
            raise
        except (DBAPIError, PoolExhausted, sqlite3.OperationalError, OSError) as failure:
            self.failures += 1
            raise StoreUnavailable("The database does not answer; try again in a few seconds.") from failure


def _make_file(file: Path) -> None:
    """For its owner alone, since the secrets of webhooks lie in it; SQLite gives the files beside it the same mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)


def _revision(connection: BlockingConnection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _load_upgrade() -> Callable[[BlockingConnection], None]:
    """Import alembic, which takes longer than everything else here, only where there is something to change."""
    from storage.upgrade import upgrade  # noqa: PLC0415 - see above

    return upgrade

"""SQLite on the event loop: most statements take less time than it takes to reach another thread.

So what reads, and what adds a row, runs at once. What may take long goes to a thread: the commit, which waits for the
disk; a lock that another process holds; changes of many rows; and a question that turns out to be a slow one.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import URL, Connection, CursorResult, Dialect, Engine, Executable, ScalarResult, create_engine, event
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError

READERS = 4
BUSY_TIMEOUT_S = 10
PROMPT_S = 0.005
"""How long a statement may hold up everybody else."""
INSTRUCTIONS_PER_LOOK = 2000
"""SQLite's instructions between two looks at the time, some ten microseconds."""

# What SQLAlchemy says of statements whose columns it does not know.
Rows = CursorResult[Any]
Scalars = ScalarResult[Any]
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

P = ParamSpec("P")
T = TypeVar("T")


class PromptConnection:
    """As much of SQLAlchemy's AsyncConnection as we use. One statement at a time."""

    def __init__(self, connection: Connection, threads: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._threads = threads
        self._driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        self._until = float("inf")
        self._driver.set_progress_handler(lambda: time.perf_counter() > self._until, INSTRUCTIONS_PER_LOOK)

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Parameters = None) -> Rows:
        if statement.is_insert:
            return _whole(self._connection.execute(statement, parameters))
        if not statement.is_select:
            return await self.run_sync(_execute, statement, parameters)
        try:
            return self._asked_promptly(statement, parameters)
        except (
            OperationalError,
            sqlite3.OperationalError,
        ) as refused:  # while it was begun, or while rows were fetched
            if _code_of(refused) != sqlite3.SQLITE_INTERRUPT:
                raise
        return await self.run_sync(_execute, statement, parameters)

    async def exec_driver_sql(self, statement: str) -> Rows:
        return await self.run_sync(lambda connection: _whole(connection.exec_driver_sql(statement)))

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> object:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Parameters = None) -> Scalars:
        return (await self.execute(statement, parameters)).scalars()

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        """A savepoint: what raises inside undoes no more than what was done inside."""
        with self._connection.begin_nested():
            yield

    async def run_sync(self, work: Callable[Concatenate[Connection, P], T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do something slow with the connection, in a thread. Who is cancelled meanwhile leaves nothing running."""
        return await self._waited(partial(work, self._connection, *arguments, **named), self._driver.interrupt)

    async def commit(self) -> None:
        """Waits for the disk; a cancelled caller hears of that after it."""
        await self._waited(self._connection.commit)

    async def rollback(self) -> None:
        await self._waited(self._connection.rollback)

    async def _waited(self, work: Callable[[], T], stop: Callable[[], None] | None = None) -> T:
        working = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            if stop is not None:
                stop()
            await asyncio.gather(working, return_exceptions=True)
            raise

    def _asked_promptly(self, statement: Executable, parameters: Parameters) -> Rows:
        self._until = time.perf_counter() + PROMPT_S
        try:
            return _whole(self._connection.execute(statement, parameters))
        finally:
            self._until = float("inf")


def _execute(connection: Connection, statement: Executable, parameters: Parameters) -> Rows:
    return _whole(connection.execute(statement, parameters))


def _code_of(refused: OperationalError | sqlite3.OperationalError) -> int:
    """SQLite's own, 0 where there is none."""
    code: int = getattr(getattr(refused, "orig", refused), "sqlite_errorcode", 0)
    return code


def _whole(result: Rows) -> Rows:
    """With all its rows in memory, so that reading them runs nothing."""
    if result.returns_rows and result.cursor is not None:
        rows = result.cursor.fetchall()
        result.cursor_strategy = FullyBufferedCursorFetchStrategy(result.cursor, initial_buffer=rows)
    return result


class SqliteFile:
    """One file: several readers, one writer at a time, here and across processes."""

    def __init__(self, url: URL) -> None:
        """Opens nothing yet."""
        self._readers = _engine(url, pool_size=READERS, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        self._writers = _engine(url, pool_size=1, factory=_Writer)
        event.listen(self._readers, "connect", _open_reader)
        event.listen(self._writers, "connect", _open_writer)
        self._reading, self._writing = asyncio.Semaphore(READERS), asyncio.Lock()
        self._threads = ThreadPoolExecutor(READERS + 1, thread_name_prefix="sqlite")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[PromptConnection]:
        async with self._reading:
            await asyncio.sleep(0)  # who does nothing but read lets others have a turn
            with self._readers.connect() as connection:
                yield PromptConnection(connection, self._threads)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PromptConnection]:
        """Takes the write lock at the start: a transaction that reads first must not find out later that it cannot write."""
        async with self._writing:
            with self._writers.connect() as connection:
                transaction = PromptConnection(connection, self._threads)
                await _begin(transaction, connection)
                is_whole = False
                try:
                    yield transaction
                    is_whole = True
                finally:
                    await (transaction.commit() if is_whole else transaction.rollback())

    async def empty_log(self) -> None:
        """Bring what was written into the file itself and cut the log beside it, which still holds what was there before.

        Somebody who reads just then keeps the log; the next time it goes.
        """
        async with self._writing:
            with self._writers.connect() as connection:
                await PromptConnection(connection, self._threads).exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        self._readers.dispose()
        self._writers.dispose()
        self._threads.shutdown()
        self._threads = ThreadPoolExecutor(READERS + 1, thread_name_prefix="sqlite")


async def _begin(transaction: PromptConnection, connection: Connection) -> None:
    """At once where nobody else writes; else in a thread, for as long as another process may take."""
    try:
        _wait_at_most(connection, 0)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as refused:
        if _code_of(refused) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        await transaction.run_sync(_wait_for_the_lock)
    _wait_at_most(connection, BUSY_TIMEOUT_S)


def _wait_for_the_lock(connection: Connection) -> None:
    _wait_at_most(connection, BUSY_TIMEOUT_S)
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _wait_at_most(connection: Connection, seconds: int) -> None:
    """For locks. Said to the driver itself: twice in every transaction SQLAlchemy would take ten times as long over it."""
    cast("sqlite3.Connection", connection.connection.dbapi_connection).execute(
        f"PRAGMA busy_timeout = {seconds * 1000}"
    )


class _Writer(sqlite3.Connection):
    """Lets go of the write lock when it is closed, whatever became of its cursors."""

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()


def _engine(
    url: URL, *, pool_size: int, factory: type[sqlite3.Connection] = sqlite3.Connection, **options: Any
) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False, "factory": factory},
        **options,
    )


def _open_reader(connection: DBAPIConnection, _record: object) -> None:
    connection.cursor().execute("PRAGMA query_only = ON")


def _open_writer(connection: DBAPIConnection, _record: object) -> None:
    """Durable at commit, readers undisturbed; what is deleted is overwritten, for it may be what somebody had erased.
    Transactions begin and end where we say, not where the driver guesses."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")

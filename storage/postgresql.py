"""PostgreSQL over asyncpg, spoken to by several servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

READERS = 4
WRITERS = 8
TIMEOUT_S = 10


class PostgresqlServer:
    """One pool to read from, one to write to."""

    def __init__(self, url: URL) -> None:
        """Opens nothing yet."""
        options = {"max_overflow": 0, "pool_timeout": TIMEOUT_S, "pool_pre_ping": True}
        connecting = {"timeout": TIMEOUT_S}
        self._writers = create_async_engine(url, pool_size=WRITERS, connect_args=connecting, **options)
        self._readers = create_async_engine(
            url,
            pool_size=READERS,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            connect_args=connecting,
            **options,
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._writers.begin() as transaction:
            yield transaction

    async def close(self) -> None:
        await self._readers.dispose()
        await self._writers.dispose()

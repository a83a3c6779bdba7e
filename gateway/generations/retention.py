"""Let go of generations whose time is over: record, prompt and pictures. The ledger keeps its rows.

Several servers may sweep one database: what another one has removed meanwhile is gone, and that is all.
"""

import asyncio
from dataclasses import dataclass

import structlog

from gateway.clock import Clock
from gateway.generations.remove import Remove
from models import Failed
from storage import Database
from storage.generations import expired

SWEPT_EVERY_S = 60.0
AT_A_TIME = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """A generation that has not ended by then is kept until it has."""

    database: Database
    remove: Remove
    clock: Clock

    async def run(self) -> None:
        """Once a minute; a store that is away is asked again a minute later."""
        while True:
            try:
                await self.sweep()
            except Failed as unavailable:
                log.warning("expired generations stay for now", reason=unavailable.message)
            await asyncio.sleep(SWEPT_EVERY_S)

    async def sweep(self) -> int:
        """Remove all that has expired by now; how many that were.

        Raises:
            Failed: StoreUnavailable, BlobUnavailable; what was not reached expires the next time.
        """
        swept = 0
        while True:
            async with self.database.reading() as connection:
                due = await expired(connection, now=self.clock(), limit=AT_A_TIME)
            for generation in due:
                await self.remove.forget(generation)
            swept += len(due)
            if len(due) < AT_A_TIME:
                return swept

"""Let go of generations whose time is over: record, prompt and pictures; and of decisions of the content policy. The ledger keeps its rows.

Several servers may sweep one database: what another one has removed meanwhile is gone, and that is all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from gateway.clock import Clock
from gateway.generations.ending.orphans import OrphanSweeper
from gateway.generations.ending.remove import Remove
from models import Failed
from storage import Blobs, Database
from storage.erasure import open_of_erased
from storage.generations import expired

SWEPT_EVERY_S = 60.0
DECISIONS_SWEPT_EVERY_S = 3_600.0
ORPHANS_SWEPT_EVERY_S = 86_400.0  # all blobs of generations are looked through
AT_A_TIME = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """A generation that has not ended by then is kept until it has; but what an erased account has open ends here."""

    database: Database
    remove: Remove
    blobs: Blobs
    forget_decisions: Callable[[], Awaitable[int]]
    clock: Clock

    @property
    def orphans(self) -> OrphanSweeper:
        return OrphanSweeper(database=self.database, blobs=self.blobs, clock=self.clock)

    async def run(self) -> None:
        """Until cancelled; a store that is away is asked again the next time."""
        async with asyncio.TaskGroup() as sweeping:
            sweeping.create_task(_sweep_for_ever(self.sweep, every_s=SWEPT_EVERY_S))
            sweeping.create_task(_sweep_for_ever(self.forget_decisions, every_s=DECISIONS_SWEPT_EVERY_S))
            sweeping.create_task(_sweep_for_ever(self.orphans.sweep, every_s=ORPHANS_SWEPT_EVERY_S))

    async def sweep(self) -> int:
        """End what erased accounts still have open, and remove all that has expired by now; how many that were.

        Raises:
            Failed: StoreUnavailable, BlobUnavailable; what was not reached expires the next time.
        """
        await self._end_erased()
        swept = 0
        while True:
            async with self.database.reading() as connection:
                due = await expired(connection, now=self.clock(), limit=AT_A_TIME)
            for generation in due:
                await self.remove.forget(generation)
            swept += len(due)
            if len(due) < AT_A_TIME:
                break
        if swept:
            await self.database.forget_deleted()
        return swept

    async def _end_erased(self) -> None:
        """Nobody waits for it any more, and what it is painted from is what was to be forgotten."""
        async with self.database.reading() as connection:
            unwanted = await open_of_erased(connection)
        for generation in unwanted:
            await self.remove.end(generation)


async def _sweep_for_ever(sweep: Callable[[], Awaitable[int]], *, every_s: float) -> None:
    while True:
        try:
            await sweep()
        except Failed as unavailable:
            log.warning("what should go stays for now", reason=unavailable.message)
        await asyncio.sleep(every_s)

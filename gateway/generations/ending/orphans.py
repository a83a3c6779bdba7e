"""Let go of pictures to begin from that no generation has: a crash came between keeping them and accepting it."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.clock import Clock
from gateway.generations.inputs.source_images import SourceImages, generation_of
from storage import Database
from storage.sharing import known_paintings

LEFT_FOR = timedelta(hours=6)
"""Between keeping the files and accepting the generation lie seconds, and minutes in a large batch."""
AT_A_TIME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanSweeper:
    """A generation's row is written after its files, so only what is old has none for good."""

    database: Database
    source_images: SourceImages
    clock: Clock

    async def sweep(self) -> int:
        """Remove what is old enough and belongs to no row; of how many generations that was.

        Raises:
            Failed: StoreUnavailable, BlobUnavailable; what was not reached goes the next time.
        """
        swept = 0
        suspects = set[str]()
        async for key in self.source_images.blobs.written_before(self.clock() - LEFT_FOR, "gen/"):
            if (id := generation_of(key)) is not None:
                suspects.add(id)
            if len(suspects) >= AT_A_TIME:
                swept += await self._let_go(suspects)
                suspects = set[str]()
        return swept + await self._let_go(suspects)

    async def _let_go(self, suspects: set[str]) -> int:
        """Of those without a row. An id is never given twice, so none can get one any more."""
        async with self.database.reading() as connection:
            orphans = suspects - await known_paintings(connection, suspects)
        for id in orphans:
            await self.source_images.forget(id)
        return len(orphans)

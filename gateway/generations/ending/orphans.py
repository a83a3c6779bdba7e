"""Let go of files that belong to no row: a crash came between keeping them and accepting what they are for, or between the
deletion of a generation and the end of whoever was still storing a picture of it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from gateway.clock import Clock
from storage import Blobs, Database
from storage.files import FILES, known_files
from storage.sharing import PAINTINGS, folder_of, known_paintings

LEFT_FOR = timedelta(hours=6)
"""Between keeping the files and accepting the generation lie seconds, and minutes in a large batch."""
AT_A_TIME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanSweeper:
    """Rows are written after their files, so only what is old has none for good."""

    database: Database
    blobs: Blobs
    clock: Clock

    async def sweep(self) -> int:
        """Remove what is old enough and belongs to no row; of how many generations and sent files that was.

        Raises:
            Failed: StoreUnavailable, BlobUnavailable; what was not reached goes the next time.
        """
        await self.blobs.sweep_unfinished(self.clock() - LEFT_FOR)
        paintings = await self._sweep(PAINTINGS, _folder_in, self._without_painting)
        return paintings + await self._sweep(FILES, lambda key: key, self._without_file)

    async def _sweep(
        self, prefix: str, suspect: Callable[[str], str], orphans: Callable[[set[str]], Awaitable[set[str]]]
    ) -> int:
        """`suspect` says what goes as a whole with a key, `orphans` which of several such have no row."""
        swept = 0
        suspects = set[str]()
        async for key in self.blobs.written_before(self.clock() - LEFT_FOR, prefix):
            suspects.add(suspect(key))
            if len(suspects) >= AT_A_TIME:
                swept += await self._let_go(await orphans(suspects))
                suspects = set[str]()
        return swept + await self._let_go(await orphans(suspects))

    async def _let_go(self, keys: set[str]) -> int:
        """An id is never given twice, so none of them can get a row any more."""
        for key in keys:
            await self.blobs.delete(key)
        return len(keys)

    async def _without_painting(self, folders: set[str]) -> set[str]:
        ids = {folder.split("/")[1] for folder in folders}
        async with self.database.reading() as connection:
            return {folder_of(id) for id in ids - await known_paintings(connection, ids)}

    async def _without_file(self, keys: set[str]) -> set[str]:
        async with self.database.reading() as connection:
            return keys - await known_files(connection, keys)


def _folder_in(key: str) -> str:
    """The folder of the painting under whose files this key is."""
    return folder_of(key.split("/")[1])

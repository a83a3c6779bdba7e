"""The files of pictures as they are handed out: never one that is not what was stored, and a lost one is noticed once.

What is gone or damaged is named in the log and counted, and the same request is painted anew instead of sharing it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.metrics import Metrics
from storage import BlobDamaged, BlobGone, Blobs, BlobUnavailable, Database, Picture
from storage.recent_blobs import SMALL_BYTES
from storage.sharing import PAINTINGS, share_no_more

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFiles:
    """Every method raises BlobGone, BlobDamaged and BlobUnavailable, unless it says otherwise."""

    database: Database
    blobs: Blobs
    metrics: Metrics

    async def read(self, picture: Picture) -> bytes:
        """All of it, as it was stored."""
        async with self._noticed(picture):
            return await self.blobs.get(picture.blob_key, sha256=picture.file_sha256)

    async def find(self, picture: Picture) -> Path | bytes:
        """The file itself where it is large and lies on this machine, else its bytes. A small file is read in one go,
        and stays in memory for a while: sending it piece by piece changes threads four times."""
        if picture.byte_count <= SMALL_BYTES:
            return await self.read(picture)
        async with self._noticed(picture):
            path = await self.blobs.checked_path(picture.blob_key, sha256=picture.file_sha256)
        return path or await self.read(picture)

    async def are_there(self, pictures: Sequence[Picture]) -> bool:
        """Whether each has a file of its size, as far as anybody can say now: quick, and reads none of them."""
        try:
            for picture in pictures:
                if await self.blobs.size(picture.blob_key) != picture.byte_count:
                    self._count(picture, BlobGone.code)
                    return False
        except BlobUnavailable:
            return True
        return True

    @asynccontextmanager
    async def _noticed(self, picture: Picture) -> AsyncIterator[None]:
        try:
            yield
        except (BlobGone, BlobDamaged) as lost:
            self._count(picture, lost.code)
            async with self.database.writing() as transaction:
                await share_no_more(transaction, painting_of(picture))
            raise

    def _count(self, picture: Picture, code: str) -> None:
        log.error("a stored picture is lost", generation=picture.generation_id, key=picture.blob_key, code=code)
        self.metrics.count_lost_picture(code)


def painting_of(picture: Picture) -> str:
    """The painting under whose files it lies."""
    return picture.blob_key.removeprefix(PAINTINGS).partition("/")[0]

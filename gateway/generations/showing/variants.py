"""Pictures in other widths, formats and qualities: made when first asked for, then kept beside the picture.

They lie in the folder of the picture's attempt, so deleting the generation deletes them too.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from gateway.generations.showing.fetch import GenerationUnknown
from gateway.generations.showing.picture_files import PictureFiles
from models import RequestInvalid
from storage import BlobGone, Blobs, BlobUnavailable, Database, Picture
from storage.encoding import ENCODER, encode_again
from storage.generations import picture_named
from storage.links import ENDINGS, THUMBNAIL, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """Variants of the widths and qualities that the operator allows, beside thumbnails. One is made at a time: a large
    picture takes a second of a core and 200 MB."""

    database: Database
    blobs: Blobs
    files: PictureFiles
    widths: frozenset[int]
    qualities: frozenset[int]
    _making: dict[str, asyncio.Task[bytes]] = field(default_factory=dict[str, asyncio.Task[bytes]])
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def check(self, variant: Variant) -> None:
        """Raises RequestInvalid: this service makes no such variant."""
        if variant == THUMBNAIL:
            return
        _check_among(variant.width, self.widths, field="w")
        _check_among(variant.quality, self.qualities, field="q")

    def tag(self, picture: Picture, variant: Variant) -> str:
        """Tells its bytes from all others; another version of the encoder may write other bytes."""
        return f"{picture.file_sha256[:32]}-{variant.width}-{variant.format}-{variant.quality}-{ENCODER}"

    async def __call__(self, picture: Picture, variant: Variant) -> Path | bytes:
        """The variant's file, or its bytes where it does not lie on this machine.

        Raises:
            GenerationUnknown: the picture has been deleted meanwhile.
            BlobGone, BlobDamaged: of the picture itself.
            BlobUnavailable.
        """
        key = self._key(picture, variant)
        if (path := self.blobs.local_path(key)) is not None:
            return path
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.create_task(self._kept_or_made(key, picture, variant))
            making.add_done_callback(lambda _: self._making.pop(key))
        return await asyncio.shield(making)  # others may wait for it too

    async def _kept_or_made(self, key: str, picture: Picture, variant: Variant) -> bytes:
        try:
            return await self.blobs.get(key)
        except (BlobGone, BlobUnavailable):
            return await self._made(key, picture, variant)

    async def _made(self, key: str, picture: Picture, variant: Variant) -> bytes:
        async with self._turn:
            original = await self.files.find(picture)
            content = await asyncio.to_thread(
                encode_again,
                original,
                variant.format or picture.format,
                width=variant.width,
                quality=variant.quality,
            )
        await self.blobs.put(key, content)
        async with self.database.reading() as connection:
            is_there = await picture_named(connection, picture.name) is not None
        if not is_there:  # deleted while this was made, so nobody else would delete it
            await self.blobs.delete(key)
            raise GenerationUnknown(f"There is no picture {picture.name!r}.")
        return content

    def _key(self, picture: Picture, variant: Variant) -> str:
        folder = picture.blob_key.rpartition("/")[0]
        ending = ENDINGS[variant.format or picture.format]
        return f"{folder}/variants/{ENCODER}/{picture.position}-{variant.width}-{variant.quality}.{ending}"


def _check_among(given: int | None, allowed: frozenset[int], *, field: str) -> None:
    if given is not None and given not in allowed:
        listed = ", ".join(map(str, sorted(allowed)))
        raise RequestInvalid(f"`{field}` must be one of {listed}.", field=field)

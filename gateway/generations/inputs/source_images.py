"""What a painting begins from: pictures that the caller sent, or an earlier painting of the same account.

given -> read (`gateway.image_decoder`) -> written as plain PNG -> kept under the generation before it is accepted, so
that it can be painted after a restart, and painted again. What the caller sent is not kept, only what it shows.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

from gateway.access import Caller
from gateway.generations.showing.fetch import Fetch
from gateway.generations.showing.picture_files import PictureFiles
from gateway.image_decoder import ImageDecoder, ImageInvalid, ImagePart, Pixels
from models import DEFAULT_STRENGTH, GenerationSpec, ImageFormat, InitImage, RequestInvalid
from storage import Blobs
from storage.encoding import encode

GenerationId = NewType("GenerationId", str)
Source = bytes | GenerationId
"""A picture as it was given: the content of a file, or the generation whose first picture it is."""


_IS_LIGHT = bytes(value >= 128 for value in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a request says about its source."""

    image: Source | None = None
    mask: Source | None = None
    strength: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenImages:
    """What the spec says of it, and the files that it names, by their SHA-256. `masked_share` is the part of the picture,
    0 to 1, that the mask lets be repainted; None without a mask."""

    init_image: InitImage | None = None
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    masked_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImages:
    """Reads what was given, and finds again what was kept."""

    fetch: Fetch
    files: PictureFiles
    blobs: Blobs
    decoder: ImageDecoder

    async def read(self, caller: Caller, given: Given) -> GivenImages:
        """Raises:
        RequestInvalid: a mask or a strength without a picture, a mask of another size, or no picture that we read.
        GenerationUnknown: the account has no such generation.
        Failed: BlobGone, BlobDamaged, BlobUnavailable, DecoderStopped.
        """
        check_given(given)
        if given.image is None:
            return GivenImages()
        image = await self._pixels(caller, given.image, ImagePart.IMAGE)
        mask = None if given.mask is None else await self._pixels(caller, given.mask, ImagePart.MASK)
        if mask is not None and mask.given != image.given:
            raise ImageInvalid(f"`mask` is {mask.given}, `image` {image.given}; they must be the same.", field="mask")
        files = [await asyncio.to_thread(_file_of, pixels) for pixels in (image, mask) if pixels is not None]
        names = [hashlib.sha256(content).hexdigest() for content in files]
        init_image = InitImage(
            sha256=names[0],
            strength=DEFAULT_STRENGTH if given.strength is None else given.strength,
            mask_sha256=names[1] if mask is not None else None,
        )
        share = None if mask is None else await asyncio.to_thread(_masked_share, mask)
        return GivenImages(init_image=init_image, files=dict(zip(names, files, strict=True)), masked_share=share)

    async def kept(self, painting_id: str, spec: GenerationSpec) -> Mapping[str, bytes]:
        """The files that the spec of a kept painting names, by their SHA-256.

        Raises:
            BlobGone, BlobDamaged, BlobUnavailable.
        """
        init = spec.init_image
        names = () if init is None else tuple(name for name in (init.sha256, init.mask_sha256) if name is not None)
        return {name: await self.blobs.get(key_of(painting_id, name), sha256=name) for name in names}

    async def keep(self, generation_id: str, files: Mapping[str, bytes]) -> None:
        """Durable when this returns. Whoever deletes the generation's folder deletes them too.

        Raises:
            BlobUnavailable.
        """
        for name, content in files.items():
            await self.blobs.put(key_of(generation_id, name), content)

    async def forget(self, generation_id: str) -> None:
        """Of a generation that was not accepted.

        Raises:
            BlobUnavailable.
        """
        await self.blobs.delete(_folder(generation_id))

    async def _pixels(self, caller: Caller, source: Source, part: ImagePart) -> Pixels:
        content = source if isinstance(source, bytes) else await self._painted(caller, source, part)
        return await self.decoder.read(content, part)

    async def _painted(self, caller: Caller, generation_id: str, part: ImagePart) -> bytes:
        """The file of the generation's first picture."""
        pictures = (await self.fetch.one(caller, generation_id)).pictures
        if not pictures:
            raise ImageInvalid(f"The generation {generation_id!r} has no picture yet.", field=part.value)
        return await self.files.read(pictures[0])


def check_given(given: Given) -> None:
    """Raises RequestInvalid: a mask or a strength without a picture."""
    for name, value in (("mask", given.mask), ("strength", given.strength)):
        if given.image is None and value is not None:
            raise RequestInvalid(f"`{name}` needs `image`, the picture that it speaks of.", field=name)


def key_of(generation_id: str, sha256: str) -> str:
    """Where a file lies that this generation begins from."""
    return f"{_folder(generation_id)}{sha256}"


def _folder(generation_id: str) -> str:
    return f"gen/{generation_id}/from/"


def _masked_share(mask: Pixels) -> float:
    """How much of it is rather white than black. It is grey: its first channel says all."""
    return mask.rgb[::3].translate(_IS_LIGHT).count(1) / mask.size.pixels


def _file_of(pixels: Pixels) -> bytes:
    return encode(pixels.rgb, pixels.size, ImageFormat.PNG, text={})

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
from gateway.image_decoder import ImageDecoder, ImageInvalid, MaskRule, Pixels
from models import DEFAULT_STRENGTH, GenerationSpec, ImageFormat, ImageSize, InitImage, RequestInvalid
from storage import Blobs
from storage.encoding import encode

GenerationId = NewType("GenerationId", str)
Source = bytes | GenerationId
"""A picture as it was given: the content of a file, or the generation whose first picture it is."""


PAINTED_WHERE: Mapping[MaskRule, str] = {
    MaskRule.HOLES_OR_WHITE: "transparent, nor white",
    MaskRule.OPAQUE_OR_WHITE: "white, or opaque where parts of it are transparent",
    MaskRule.INVERTED_OPAQUE_OR_WHITE: "black, or transparent",
    MaskRule.WHITE: "white and opaque",
    MaskRule.HOLES: "transparent",
}
_IS_LIGHT = bytes(value >= 128 for value in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a request says about its source. `mask_rule` is the convention by which the surface's masks are read.

    `strength` None means `masked_strength` where there is a mask, and the usual one where there is none, or that is
    None too. `holes_are_mask`: without a mask, the transparent parts of `image` are it.
    """

    mask_rule: MaskRule
    image: Source | None = None
    mask: Source | None = None
    strength: float | None = None
    masked_strength: float | None = None
    holes_are_mask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenImages:
    """What the spec says of it, and the files that it names, by their SHA-256. `masked_share` is the part of the picture,
    0 to 1, that the mask lets be repainted; None without a mask. `size` is the picture's own, as it was sent;
    `has_lost_holes` where it has transparent parts that are no mask, so that they became white."""

    init_image: InitImage | None = None
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    masked_share: float | None = None
    size: ImageSize | None = None
    has_lost_holes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImages:
    """Reads what was given, and finds again what was kept."""

    fetch: Fetch
    files: PictureFiles
    blobs: Blobs
    decoder: ImageDecoder

    async def read(self, caller: Caller, given: Given) -> GivenImages:
        """Raises:
        RequestInvalid: a mask or a strength without a picture, a mask of another size or one that lets nothing be
            painted, or no picture that we read.
        GenerationUnknown: the account has no such generation.
        Failed: BlobGone, BlobDamaged, BlobUnavailable, DecoderStopped.
        """
        check_given(given)
        if given.image is None:
            return GivenImages()
        image = await self._image(caller, given.image)
        mask = await self._mask(caller, given, image)
        share = None if mask is None else await asyncio.to_thread(_masked_share, mask)
        if share == 0:
            where = PAINTED_WHERE[given.mask_rule]
            raise ImageInvalid(f"`mask` lets nothing be painted: it is nowhere {where}.", field="mask")
        files = [await asyncio.to_thread(_file_of, pixels) for pixels in (image, mask) if pixels is not None]
        names = [hashlib.sha256(content).hexdigest() for content in files]
        init_image = InitImage(
            sha256=names[0],
            strength=_strength(given, is_masked=mask is not None),
            mask_sha256=names[1] if mask is not None else None,
        )
        return GivenImages(
            init_image=init_image,
            files=dict(zip(names, files, strict=True)),
            masked_share=share,
            size=image.given,
            has_lost_holes=image.has_holes and (mask is None or given.mask is not None),
        )

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

    async def _image(self, caller: Caller, source: Source) -> Pixels:
        return await self.decoder.read(await self._content(caller, source, field="image"), account=caller.account.id)

    async def _mask(self, caller: Caller, given: Given, image: Pixels) -> Pixels | None:
        """Raises ImageInvalid: it has another size than the picture."""
        if given.mask is not None:
            content = await self._content(caller, given.mask, field="mask")
            mask = await self.decoder.read_mask(content, given.mask_rule, account=caller.account.id)
        elif given.holes_are_mask and image.has_holes and isinstance(given.image, bytes):
            mask = await self.decoder.read_mask(given.image, MaskRule.HOLES, account=caller.account.id)
        else:
            return None
        if mask.given != image.given:
            raise ImageInvalid(f"`mask` is {mask.given}, `image` {image.given}; they must be the same.", field="mask")
        return mask

    async def _content(self, caller: Caller, source: Source, *, field: str) -> bytes:
        return source if isinstance(source, bytes) else await self._painted(caller, source, field=field)

    async def _painted(self, caller: Caller, generation_id: str, *, field: str) -> bytes:
        """The file of the generation's first picture."""
        pictures = (await self.fetch.one(caller, generation_id)).pictures
        if not pictures:
            raise ImageInvalid(f"The generation {generation_id!r} has no picture yet.", field=field)
        return await self.files.read(pictures[0])


def check_given(given: Given) -> None:
    """Raises RequestInvalid: a mask or a strength without a picture."""
    for name, value in (("mask", given.mask), ("strength", given.strength)):
        if given.image is None and value is not None:
            raise RequestInvalid(f"`{name}` needs `image`, the picture that it speaks of.", field=name)


def key_of(generation_id: str, sha256: str) -> str:
    """Where a file lies that this generation begins from."""
    return f"{_folder(generation_id)}{sha256}"


def _strength(given: Given, *, is_masked: bool) -> float:
    usual = given.masked_strength if is_masked else None
    return next(one for one in (given.strength, usual, DEFAULT_STRENGTH) if one is not None)


def _folder(generation_id: str) -> str:
    return f"gen/{generation_id}/from/"


def _masked_share(mask: Pixels) -> float:
    """How much of it is rather white than black. It is grey: its first channel says all."""
    return mask.rgb[::3].translate(_IS_LIGHT).count(1) / mask.size.pixels


def _file_of(pixels: Pixels) -> bytes:
    return encode(pixels.rgb, pixels.size, ImageFormat.PNG, text={})

"""Did we make this file? Its bytes are looked for, then its pixels; what it says of itself is told as its claim."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from gateway.image_decoder import DecoderStopped, ImageDecoder
from models import Recipe
from storage import Database
from storage.encoding import read_text
from storage.made import Made, made_file, made_pixels

MOST_WAITING = 16  # each holds a file of up to 20 MB, and anybody may send one


class Match(StrEnum):
    """How a file was recognized: every byte of it, or every pixel."""

    FILE = "file"
    PIXELS = "pixels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the recipe inside a file says, which anybody could have written. `is_of_these_pixels` compares its hash with
    the file's pixels, None where these were not needed or are not exactly known."""

    model: str
    version: str
    is_of_these_pixels: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`made` is what we found in our own records, None: nothing; `match` is how."""

    match: Match | None
    made: Made | None
    claim: Claim | None


@dataclass(slots=True, kw_only=True)
class Provenance:
    """Checks files of strangers. Nothing of them is kept."""

    database: Database
    decoder: ImageDecoder
    _waiting: int = field(default=0, init=False)

    async def check(self, content: bytes) -> Origin:
        """Raises ImageInvalid: no picture that we read. DecoderStopped: not the picture's fault."""
        if self._waiting >= MOST_WAITING:
            raise DecoderStopped("Too many files are being checked; try again in a few seconds.")
        self._waiting += 1
        try:
            return await self._checked(content)
        finally:
            self._waiting -= 1

    async def _checked(self, content: bytes) -> Origin:
        file_sha256 = await asyncio.to_thread(_sha256, content)
        async with self.database.reading() as connection:
            made = await made_file(connection, file_sha256)
        if made is not None:
            return Origin(match=Match.FILE, made=made, claim=await asyncio.to_thread(_claim, content, None))
        pixel_sha256 = await self._pixels_of(content)
        if pixel_sha256 is not None:
            async with self.database.reading() as connection:
                made = await made_pixels(connection, pixel_sha256)
        claim = await asyncio.to_thread(_claim, content, pixel_sha256)
        return Origin(match=None if made is None else Match.PIXELS, made=made, claim=claim)

    async def _pixels_of(self, content: bytes) -> str | None:
        """None: the picture is larger than the decoder gives out, so its own pixels are not known."""
        pixels = await self.decoder.read(content)
        return await asyncio.to_thread(_sha256, pixels.rgb) if pixels.size == pixels.given else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _claim(content: bytes, pixel_sha256: str | None) -> Claim | None:
    """None: there is no recipe of ours in it."""
    try:
        recipe = msgspec.json.decode(read_text(content).get("pinxit", ""), type=Recipe)
    except (ValueError, msgspec.MsgspecError):
        return None
    return Claim(
        model=recipe.spec.model,
        version=recipe.fingerprint.pinxit,
        is_of_these_pixels=None if pixel_sha256 is None else recipe.pixel_sha256 == pixel_sha256,
    )

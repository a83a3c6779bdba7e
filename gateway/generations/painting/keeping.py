"""One painted picture becomes a stored file: marked, encoded with its recipe inside, and kept under its attempt."""

import asyncio
import hashlib
from dataclasses import dataclass

import msgspec
import structlog

from gateway.generations.showing.marks import marks_of
from models import Painting, machine_short
from safety.provenance import Mark, marked
from storage import Blobs, Generation, Picture
from storage.encoding import encode, holds
from storage.links import image_name
from storage.sharing import folder_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Stores finished pictures. Doing it again, with the same painting, is harmless."""

    blobs: Blobs

    async def __call__(self, generation: Generation, position: int, painting: Painting) -> Picture:
        """The stored bytes are durable when this returns; only then the pixels go.

        Raises:
            Failed: BlobUnavailable, MachineShort; the pixels are still there.
        """
        text = {"pinxit": msgspec.json.encode(painting.recipe).decode()}
        with machine_short():
            pixels, delivered_sha256 = await asyncio.to_thread(_marked, painting, marks_of(generation))
            content = await asyncio.to_thread(encode, pixels, painting.size, generation.format, text=text)
        if not holds(generation.format, text):  # it is kept in the database all the same
            log.warning("recipe too long for the file", generation=generation.id, position=position)
        file_sha256 = hashlib.sha256(content).hexdigest()
        blob_key = f"{attempt_folder(generation)}{position}.{generation.format}"
        await self.blobs.put(blob_key, content)
        painting.pixels.unlink(missing_ok=True)
        return Picture(
            generation_id=generation.id,
            position=position,
            name=image_name(generation.id, position, file_sha256, generation.format),
            blob_key=blob_key,
            width=painting.size.width,
            height=painting.size.height,
            format=generation.format,
            seed=painting.recipe.spec.seed,
            pixel_sha256=painting.recipe.pixel_sha256,
            delivered_sha256=delivered_sha256,
            file_sha256=file_sha256,
            byte_count=len(content),
        )


def attempt_folder(generation: Generation) -> str:
    """Where the blobs of this attempt lie."""
    return f"{folder_of(generation.painting_id)}a{generation.attempt}/"


def _marked(painting: Painting, marks: frozenset[Mark]) -> tuple[bytes, str]:
    """The pixels as they are delivered, and their SHA-256."""
    painted = painting.pixels.read_bytes()
    if not marks:
        return painted, painting.recipe.pixel_sha256
    delivered = marked(painted, painting.size, marks)
    return delivered, hashlib.sha256(delivered).hexdigest()

"""The files that a painting begins from, as a person names them on the command line."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageOps

from gateway.generations.inputs.noticing import notices_of_files, notices_of_ratio
from models import DEFAULT_STRENGTH, ImageSize, InitImage, RequestInvalid
from models.notices import Notices

HALF = 128
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
MAX_FILE_BYTES = 256 << 20  # the largest picture we paint has 177 MB of pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFiles:
    """What was given; None: nothing. `strength` is how far the painting may leave `image`, above 0 up to 1."""

    image: Path | None = None
    mask: Path | None = None
    strength: float = DEFAULT_STRENGTH

    def init_image(self) -> InitImage | None:
        """What the spec says of it.

        Raises:
            RequestInvalid: the strength is out of bounds, there is a mask and no picture, or it lets nothing be painted.
        """
        if self.image is None:
            if self.mask is not None:
                raise RequestInvalid("--mask needs --init-image, the picture that it bounds.", field="--mask")
            return None
        if not 0 < self.strength <= 1:
            raise RequestInvalid(f"--strength must be above 0 and at most 1, not {self.strength}.", field="--strength")
        if self.mask is not None:
            _masked_share(content_of(self.mask))
        return InitImage(
            sha256=_sha256(content_of(self.image)),
            strength=self.strength,
            mask_sha256=None if self.mask is None else _sha256(content_of(self.mask)),
        )

    def masked_share(self) -> float | None:
        """The part of the picture that the mask lets be repainted, 0 to 1; None without one. Raises RequestInvalid."""
        return None if self.mask is None else _masked_share(content_of(self.mask))

    def notices(self, target: ImageSize) -> Notices:
        """What of the files does not act as it was given. Raises RequestInvalid: the picture cannot be read."""
        if self.image is None:
            return ()
        try:
            with Image.open(BytesIO(content_of(self.image))) as image:
                upright = ImageOps.exif_transpose(image)
                has_holes = upright.has_transparency_data and _has_holes(upright.convert("RGBA"))
        except UNREADABLE:
            raise RequestInvalid("--init-image cannot be read as a picture.", field="--init-image") from None
        size = ImageSize(width=upright.width, height=upright.height)
        found = notices_of_files(has_lost_holes=has_holes, masked_share=self.masked_share())
        return (*found, *notices_of_ratio(size, target))

    def contents(self) -> Mapping[str, bytes]:
        """The files by their SHA-256.

        Raises:
            RequestInvalid: a file cannot be read, or has no end in sight.
        """
        contents = [content_of(file) for file in (self.image, self.mask) if file is not None]
        return {_sha256(content): content for content in contents}


def _masked_share(content: bytes) -> float:
    """How much of a mask is white and opaque.

    Raises:
        RequestInvalid: it is no picture, or nowhere so.
    """
    try:
        with Image.open(BytesIO(content)) as mask:
            layer = mask.convert("RGBA")
        levels = ImageChops.multiply(layer.convert("L"), layer.getchannel("A"))
    except UNREADABLE:
        raise RequestInvalid("--mask cannot be read as a picture.", field="--mask") from None
    painted = sum(levels.histogram()[HALF:])
    if painted == 0:
        raise RequestInvalid("--mask lets nothing be painted: it is nowhere white and opaque.", field="--mask")
    return painted / (levels.width * levels.height)


def _has_holes(layer: Image.Image) -> bool:
    """Whether some of an RGBA picture is rather transparent than opaque."""
    return sum(layer.getchannel("A").histogram()[:HALF]) > 0


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def content_of(file: Path) -> bytes:
    """Raises RequestInvalid: the file cannot be read, or has no end in sight."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as wrong:
        raise RequestInvalid(f"{file}: {wrong.strerror}.", field="file") from None
    if len(content) > MAX_FILE_BYTES:
        raise RequestInvalid(f"{file.name}: a file may have {MAX_FILE_BYTES >> 20} MB.", field="file")
    return content

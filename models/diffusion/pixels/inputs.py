"""Picture files that a painting starts from: checked, decoded, turned upright, in eight bits."""

import hashlib
import re
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from models.errors import PaintingBroken
from models.request import MAX_INIT_PIXELS, InitImage

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")
SHA256 = re.compile("[0-9a-f]{64}")


def read_picture(init: InitImage, workspace: Path) -> Image.Image:
    """RGB; transparent parts are white, as on paper.

    Raises:
        PaintingBroken: the file is missing, damaged, too large, or not the one that was named.
    """
    image = _eight_bits(_read(init.sha256, workspace, what="picture"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def read_mask(init: InitImage, workspace: Path) -> Image.Image | None:
    """L, bright where anything is painted, transparent parts black; None where no mask was sent.
    Raises PaintingBroken, as for the picture."""
    if init.mask_sha256 is None:
        return None
    mask = _eight_bits(_read(init.mask_sha256, workspace, what="mask"))
    if mask.has_transparency_data:
        mask = mask.convert("RGBA")
        mask = Image.alpha_composite(Image.new("RGBA", mask.size, "black"), mask)
    return mask.convert("L")


def _read(sha256: str, workspace: Path, *, what: str) -> Image.Image:
    """Upright. The file's first bytes are looked at before its pixels are unpacked."""
    if not SHA256.fullmatch(sha256):
        raise PaintingBroken(f"The {what} to start from must be named by its SHA-256.")
    try:
        content = (workspace / sha256).read_bytes()
    except OSError as wrong:
        raise PaintingBroken(f"The {what} to start from is not there: {wrong.strerror}.") from wrong
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PaintingBroken(f"The {what} to start from is not the file that was named: its SHA-256 differs.")
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAX_INIT_PIXELS:
            raise PaintingBroken(
                f"The {what} to start from has {image.width} x {image.height} pixels; that is too many."
            )
        return ImageOps.exif_transpose(image)
    # Pillow's decoders have no error of their own: damage shows as any of these.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as wrong:
        raise PaintingBroken(f"The {what} to start from is damaged, or in no format that we read.") from wrong


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow cuts 16-bit grey off at 255 instead of dividing it."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8), "L")

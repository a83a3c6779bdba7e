"""Pictures to start from, put into a workspace as the gateway does; needs no torch."""

import hashlib
from pathlib import Path

from PIL import Image

from models import ImageSize

# One shape that is no multiple of a latent, away from the middle.
HOLE = (3, 5, 21, 19)


def garden(size: ImageSize) -> Image.Image:
    """Three unlike channels, none of them flat."""
    across = Image.linear_gradient("L").rotate(90)
    channels = (across, Image.linear_gradient("L"), Image.radial_gradient("L"))
    return Image.merge("RGB", channels).resize((size.width, size.height))


def hole(size: ImageSize) -> Image.Image:
    """White where something new is wanted."""
    mask = Image.new("L", (size.width, size.height), 0)
    mask.paste(255, HOLE)
    return mask


def put(image: Image.Image, workspace: Path) -> str:
    """Returns its name, the SHA-256 of the file."""
    part = workspace / "part.png"
    image.save(part)
    sha256 = hashlib.sha256(part.read_bytes()).hexdigest()
    part.rename(workspace / sha256)
    return sha256

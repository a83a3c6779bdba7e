"""From the painted size to the delivered one: enlarge, crop the centre, upscale; in strips, so that memory stays small."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from PIL import Image

from models.spec import SizePlan

STRIP_PIXELS = 1 << 20

T = TypeVar("T")


def needs_enlarging(plan: SizePlan) -> bool:
    return plan.delivered != plan.painted


def write_picture(image: Image.Image, plan: SizePlan, file: Path, *, beat: T) -> Generator[T, None, str]:
    """Follow the plan and write RGB rows to `file`; yields `beat` before each strip.

    Returns:
        The SHA-256 of everything written, `pixel_sha256`.
    """
    target = _to_target(image, plan)
    digest = hashlib.sha256()
    with file.open("wb") as rows:
        for strip in _strips(target, plan):
            yield beat
            pixels = strip().tobytes()
            rows.write(pixels)
            digest.update(pixels)
    return digest.hexdigest()


def _to_target(image: Image.Image, plan: SizePlan) -> Image.Image:
    """Enlarge to the covering size and crop its centre, in one resampling of just the part that is kept."""
    if plan.painted == plan.target:
        return image
    covering, target = plan.covering, plan.target
    across, down = plan.painted.width / covering.width, plan.painted.height / covering.height
    left, top = (covering.width - target.width) // 2, (covering.height - target.height) // 2
    box = (left * across, top * down, (left + target.width) * across, (top + target.height) * down)
    return image.resize((target.width, target.height), Image.Resampling.LANCZOS, box=box)


def _strips(target: Image.Image, plan: SizePlan) -> Iterator[Callable[[], Image.Image]]:
    """The delivered picture from top to bottom, each strip made when called.

    Pillow's filter sees the pixels around the box, so strips meet without a seam.
    """
    width, height = plan.delivered.width, plan.delivered.height
    rows = max(STRIP_PIXELS // width, 1)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        if plan.upscale == 1:
            yield partial(target.crop, (0, top, width, bottom))
        else:
            box = (0, top / plan.upscale, target.width, bottom / plan.upscale)
            yield partial(target.resize, (width, bottom - top), Image.Resampling.LANCZOS, box=box)

"""From the painted size to the delivered one: enlarge, crop the centre, upscale; in strips, so that
memory stays small."""

import hashlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from models.diffusion.pixels.keeping import Keeping
from models.diffusion.pixels.upscaling import Upscaler
from models.errors import ModelUnavailable
from models.spec import Resampling, SizePlan

STRIP_PIXELS = 1 << 20

T = TypeVar("T")
Strips = Iterator[np.ndarray | None]
"""Rows of a picture from top to bottom; None stands before work."""


def needs_enlarging(plan: SizePlan) -> bool:
    return plan.delivered != plan.drawn


def write_picture(
    image: Image.Image,
    plan: SizePlan,
    file: Path,
    *,
    beat: T,
    upscaler: Upscaler | None = None,
    keeping: Keeping | None = None,
) -> Generator[T, None, str]:
    """Follow the plan and write RGB rows to `file`; yields `beat` before each strip or tile. What
    is to be kept is put back at every size.

    Beside `image` memory holds the target's pixels, sixteen times `image` while a network makes
    them, and one strip.

    Returns:
        The SHA-256 of everything written, `pixel_sha256`.

    Raises:
        ModelUnavailable: the plan wants an upscaler and there is none.
    """
    image = image if keeping is None else keeping.in_drawn(image)
    target = yield from _to_target(image, plan, beat=beat, upscaler=upscaler)
    target = target if keeping is None or target is image else keeping.in_target(target)
    digest, top = hashlib.sha256(), 0
    with file.open("wb") as rows:
        for strip in _strips(target, plan, upscaler):
            if strip is None:
                yield beat
                continue
            pixels = (strip if keeping is None or plan.upscale == 1 else keeping.in_rows(strip, top)).tobytes()
            top += len(strip)
            rows.write(pixels)
            digest.update(pixels)
    return digest.hexdigest()


def _to_target(
    image: Image.Image, plan: SizePlan, *, beat: T, upscaler: Upscaler | None
) -> Generator[T, None, Image.Image]:
    """Enlarge to the covering size and crop its centre, in one resampling of just the part that is
    kept."""
    if plan.drawn == plan.target:
        return image
    if plan.resampling is Resampling.NETWORK:
        image = yield from _enlarged(image, beat=beat, upscaler=upscaler)
    covering, target = plan.covering, plan.target
    across, down = image.width / covering.width, image.height / covering.height
    left, top = (covering.width - target.width) // 2, (covering.height - target.height) // 2
    box = (left * across, top * down, (left + target.width) * across, (top + target.height) * down)
    return image.resize((target.width, target.height), Image.Resampling.LANCZOS, box=box)


def _enlarged(image: Image.Image, *, beat: T, upscaler: Upscaler | None) -> Generator[T, None, Image.Image]:
    """The whole picture four times as large."""
    bands: list[np.ndarray] = []
    for band in _by_network(image, upscaler):
        if band is None:
            yield beat
        else:
            bands.append(band)
    return Image.fromarray(np.concatenate(bands))


def _strips(target: Image.Image, plan: SizePlan, upscaler: Upscaler | None) -> Strips:
    """The delivered picture."""
    if plan.upscale_resampling is Resampling.NETWORK:
        return _by_network(target, upscaler)
    return _by_filter(target, plan)


def _by_network(image: Image.Image, upscaler: Upscaler | None) -> Strips:
    if upscaler is None:
        raise ModelUnavailable("The picture is to be enlarged by a network, but no upscaler is installed.")
    return upscaler.bands(np.asarray(image))


def _by_filter(target: Image.Image, plan: SizePlan) -> Strips:
    """Pillow's filter sees the pixels around the box, so strips meet without a seam."""
    width, height = plan.delivered.width, plan.delivered.height
    rows = max(STRIP_PIXELS // width, 1)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield None
        if plan.upscale == 1:
            yield np.asarray(target.crop((0, top, width, bottom)))
        else:
            box = (0, top / plan.upscale, target.width, bottom / plan.upscale)
            yield np.asarray(target.resize((width, bottom - top), Image.Resampling.LANCZOS, box=box))

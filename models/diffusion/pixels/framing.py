"""Which part of a given picture is seen: the delivered picture shows its centre, and the drawn one
more or less of it."""

import math
from typing import TypeAlias

import numpy as np
from PIL import Image

from models.request import ImageSize
from models.spec import Resampling, SizePlan

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of the given picture; the drawn picture's may lie outside
it."""

DIGITS = 9  # of a place in pixels; beyond them is what rounding leaves


def delivered_box(given: Image.Image, plan: SizePlan) -> Box:
    """What of a given picture is delivered: all of it where its ratio is the target's, else as much
    as covers that."""
    size = ImageSize(width=given.width, height=given.height)
    covering = SizePlan(
        painted=size,
        target=plan.target,
        resampling=Resampling.LANCZOS,
        upscale=1,
        upscale_resampling=Resampling.NONE,
    ).covering
    return _centre(covering, plan.target, across=size.width / covering.width, down=size.height / covering.height)


def drawn_box(given: Image.Image, plan: SizePlan) -> Box:
    """What a drawn picture shows of it, so that cropping that to the target leaves what is
    delivered."""
    left, top, right, bottom = delivered_box(given, plan)
    covering, target = plan.covering, plan.target
    across, down = (right - left) / target.width, (bottom - top) / target.height
    before, above = (covering.width - target.width) // 2, (covering.height - target.height) // 2
    return (
        round(left - before * across, DIGITS),
        round(top - above * down, DIGITS),
        round(left + (covering.width - before) * across, DIGITS),
        round(top + (covering.height - above) * down, DIGITS),
    )


def framed(image: Image.Image, box: Box, size: ImageSize) -> Image.Image:
    """What lies in the box, at a size. Pixels that need no resampling stay as they are; beyond its
    edges the picture goes on as it ends."""
    image, box = _extended(image, box)
    left, top, right, bottom = box
    is_whole = all(side == int(side) for side in box)
    if is_whole and (right - left, bottom - top) == (size.width, size.height):
        return image.crop((int(left), int(top), int(right), int(bottom)))
    return image.resize((size.width, size.height), Image.Resampling.LANCZOS, box=box)


def rows_of(box: Box, top: int, bottom: int, *, of: int) -> Box:
    """The part of a box that holds the rows from `top` to `bottom` of a picture of `of` rows."""
    left, first, right, last = box
    down = (last - first) / of
    return left, first + top * down, right, first + bottom * down


def _centre(covering: ImageSize, target: ImageSize, *, across: float, down: float) -> Box:
    left, top = (covering.width - target.width) // 2, (covering.height - target.height) // 2
    return left * across, top * down, (left + target.width) * across, (top + target.height) * down


def _extended(image: Image.Image, box: Box) -> tuple[Image.Image, Box]:
    """The picture with its outermost pixels repeated as far as the box goes, and the box within
    it."""
    left, top, right, bottom = box
    before, above = max(math.ceil(-left), 0), max(math.ceil(-top), 0)
    behind, below = max(math.ceil(right - image.width), 0), max(math.ceil(bottom - image.height), 0)
    if not (before or above or behind or below):
        return image, box
    channels = [(0, 0)] * (np.asarray(image).ndim - 2)
    wider = np.pad(np.asarray(image), [(above, below), (before, behind), *channels], mode="edge")
    return Image.fromarray(wider), (left + before, top + above, right + before, bottom + above)

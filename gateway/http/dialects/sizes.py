"""Sizes as other people's clients write them. The native contract offers a list; these ask for any."""

import re

from models import MAX_SIDE, MIN_SIDE, ImageSize, SizeInvalid

MULTIPLE = 16
MAX_RATIO = 3
AUTO = "auto"
_RATIO = re.compile(r"([1-9][0-9]{0,3}):([1-9][0-9]{0,3})", re.ASCII)
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


def read_size(text: str) -> ImageSize | None:
    """`1024x1536` as OpenAI's clients write it; None for `auto`.

    Raises:
        SizeInvalid: anything else, a side that is too small, too large or no multiple of 16, or a picture more than
            three times as long as wide.
    """
    if text == AUTO:
        return None
    found = _SIZE.fullmatch(text)
    size = ImageSize(width=int(found[1]), height=int(found[2])) if found else None
    if size is None or not _is_offered(size):
        raise SizeInvalid(
            f"`size` must be `auto` or WIDTHxHEIGHT, both a multiple of {MULTIPLE} from {MIN_SIDE} to {MAX_SIDE},"
            f" neither more than {MAX_RATIO} times the other.",
            field="size",
        )
    return size


def read_ratio(text: str, *, field: str) -> ImageSize:
    """`16:9` as a size of that ratio.

    Raises:
        SizeInvalid: anything else, or a picture more than three times as long as wide.
    """
    found = _RATIO.fullmatch(text)
    size = ImageSize(width=int(found[1]), height=int(found[2])) if found else None
    if size is None or not 1 / MAX_RATIO <= size.ratio <= MAX_RATIO:
        raise SizeInvalid(f"`{field}` must be like `16:9`, at most {MAX_RATIO}:1, not {text[:20]!r}.", field=field)
    return size


def fitted(given: ImageSize, *, pixels: int) -> ImageSize:
    """About `pixels` in the ratio of `given`, as near to it as the bounds allow."""
    width = (pixels * given.ratio) ** 0.5
    return ImageSize(width=_rounded(width), height=_rounded(width / given.ratio))


def _rounded(side: float) -> int:
    return min(max(round(side / MULTIPLE) * MULTIPLE, MIN_SIDE), MAX_SIDE)


def _is_offered(size: ImageSize) -> bool:
    sides = (size.width, size.height)
    is_bounded = all(MIN_SIDE <= side <= MAX_SIDE and side % MULTIPLE == 0 for side in sides)
    return is_bounded and max(sides) <= MAX_RATIO * min(sides)

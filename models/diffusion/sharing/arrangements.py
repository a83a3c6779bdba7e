"""Which picture goes through the network in which slot of a batch, as data. Pure."""

DISTINCT = 9
"""So many different pictures take part at most; in a larger batch they come again."""

Arrangement = tuple[int, ...]
"""The number of the picture in each slot."""


def pictures_for(size: int) -> int:
    """How many different pictures the arrangements of a size need: one more than there are slots,
    so that each arrangement leaves another one out, and neighbours change. Never a divisor of the
    size: each batch would hold the same pictures equally often."""
    count = min(size + 1, DISTINCT)
    while size % count == 0:
        count -= 1
    return count


def arrangements(size: int) -> tuple[Arrangement, ...]:
    """All that are tried at a size of at least 2: each picture stands in each slot once, or more
    often."""
    count = pictures_for(size)
    return tuple(tuple((slot + turn) % count for slot in range(size)) for turn in range(count))

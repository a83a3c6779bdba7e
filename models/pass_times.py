"""How long passes take, learnt from the passes themselves. Pure: whoever runs passes notes them
here.

Times decide which of the proven sizes is used, never which bits come out.
"""

from collections import deque
from collections.abc import Mapping
from math import inf

RECENT = 8
"""Passes of a size that count: the quickest of them, so that one slow pass says nothing."""
STALE = 64
"""After so many passes of other sizes, what is known of a size is believed only where it is good
news."""


class PassTimes:
    """Begins with what a measurement found, which may have been made on a busy machine.

    A size that has not been tried for long is taken to be at least as quick as smaller passes one
    after the other. So one that was once found slow is tried again now and then, and stays in use
    where it has become the better one.
    """

    def __init__(self, measured: Mapping[int, float]) -> None:
        """`measured`: milliseconds of a pass of each size."""
        self._recent = {size: deque([ms], RECENT) for size, ms in sorted(measured.items())}
        self._untried = dict.fromkeys(self._recent, STALE)

    def note(self, size: int, ms: float) -> None:
        """A pass of `size`, one of those measured, took `ms`."""
        for other in self._untried:
            self._untried[other] += 1
        self._untried[size] = 0
        self._recent[size].append(ms)

    def ms(self) -> dict[int, float]:
        """What a pass of each size is expected to take."""
        expected: dict[int, float] = {}
        for size, recent in self._recent.items():
            in_pieces = _in_pieces(size, expected) if self._untried[size] >= STALE else inf
            expected[size] = min(*recent, in_pieces)
        return expected


def _in_pieces(count: int, ms: Mapping[int, float]) -> float:
    """The least time in which full passes of these sizes bring `count` pictures forward; infinite
    where none add up."""
    least = [0.0] + [inf] * count
    for pictures in range(1, count + 1):
        least[pictures] = min((ms[size] + least[pictures - size] for size in ms if size <= pictures), default=inf)
    return least[count]

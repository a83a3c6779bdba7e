"""A pass that fails is tried again in smaller ones, so that only who spoils it fails."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch

from models.diffusion.recovering import recover
from models.diffusion.steps.passes import PassWanted

log = logging.getLogger(__name__)

Outcome: TypeAlias = torch.Tensor | Exception
RunPass: TypeAlias = Callable[[Sequence[PassWanted], int], Sequence[torch.Tensor]]


def attempted(wanted: Sequence[PassWanted], size: int, sizes: Sequence[int], run: RunPass) -> list[Outcome]:
    """The network's answer for each, or what went wrong for that one.

    `sizes` are those of the class, ascending. They are tried downwards from `size`; at the smallest
    each picture goes by itself, padded where that is not 1, so that its bits stay those of the
    class.

    Raises:
        AcceleratorError: nothing runs on the device in this process any more.
    """
    try:
        return [*run(wanted, size)]
    except Exception as wrong:
        recover(wrong)
        smaller = max((other for other in sizes if other < size), default=None)
        if smaller is None and len(wanted) == 1:
            return [wrong]
        log.warning("a pass of %d for %d pictures failed; it is tried in pieces", size, len(wanted), exc_info=wrong)
    count = smaller or 1
    parts = [wanted[first : first + count] for first in range(0, len(wanted), count)]
    return [outcome for part in parts for outcome in attempted(part, smaller or size, sizes, run)]

"""Which of the proven batch sizes are used: policy, made from proof alone. Pure; no time decides
here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.batching import BatchSizes

PADDED = 4
"""A lone picture is padded to at most so many where its own size shares its bits with no other."""

Bits = Mapping[int, str]
"""The hash of what the network predicted, by the number of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The proven sizes, counted in pictures, and the layers that run picture by picture at them.

    `ms` is the quickest pass of each size of the class; it advises the planner.

    Raises:
        ValueError: the sizes do not ascend, or one has no time while others have.
    """

    sizes: tuple[int, ...]
    steadied: tuple[str, ...] = ()
    ms: Mapping[int, float]

    def __post_init__(self) -> None:
        if self.sizes:
            self.as_batch_sizes()

    def as_batch_sizes(self) -> BatchSizes:
        """For the planner."""
        return BatchSizes(self.sizes, self.ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One size: the bits of every picture that was tried in it, None where slot or neighbours
    changed those of one; milliseconds of the quickest pass."""

    size: int
    bits: Bits | None
    ms: float

    def agrees(self, other: "Trial") -> bool:
        """Both tried the same pictures, some at least, and each has the same bits in both."""
        if self.bits is None or other.bits is None:
            return False
        both = self.bits.keys() & other.bits.keys()
        return bool(both) and all(self.bits[picture] == other.bits[picture] for picture in both)


def chosen(plain: Sequence[Trial], steady: Sequence[Trial], steadied: tuple[str, ...]) -> Calibration:
    """The class to serve from. The first trial of both is that of size 1.

    That of size 1, with steadied layers, wherever it holds another size. Else, of the classes of
    `plain` trials that begin at `PADDED` or below, one with size 1, or the one with the largest
    size that pads a lone picture least.
    """
    own = _agreeing(steady[0], steady)
    others = [members for trial in plain[1:] if trial.size <= PADDED and (members := _agreeing(trial, plain))]
    if len(own) > 1 or not others:
        return _calibration(own or steady[:1], steadied)
    return _calibration(max(others, key=_worth), ())


def _agreeing(first: Trial, trials: Sequence[Trial]) -> list[Trial]:
    """Those that agree with `first` and with each other, by size."""
    members: list[Trial] = []
    for trial in trials:
        if trial.agrees(first) and all(trial.agrees(member) for member in members):
            members.append(trial)
    return sorted(members, key=lambda trial: trial.size)


def _worth(members: Sequence[Trial]) -> tuple[bool, int, int]:
    smallest, largest = members[0].size, members[-1].size
    return smallest == 1, largest, -smallest


def _calibration(members: Sequence[Trial], steadied: tuple[str, ...]) -> Calibration:
    """All sizes of a class: which of them pays is for the planner to say, pass by pass."""
    ms = {trial.size: trial.ms for trial in members}
    return Calibration(sizes=tuple(ms), steadied=steadied if len(ms) > 1 else (), ms=ms)

"""Which pictures go through the network together next. Pure: the engine's loop does it, this
decides it.

A picture is never starved: when its group has n members at the next pass that is made, newcomers
included, of which at least s go at a time, it goes in one of the group's next ceil(n / s) passes,
and between two passes of its group every other group gets at most twice the cost of the dearest
pass of that time (see `Turns`).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from models.turns import Turns

Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """The sizes, counted in pictures and ascending, that passes of one group may have.

    `ms` is how long a pass of each size takes; empty where nobody has measured.
    """

    proven: tuple[int, ...]
    ms: Mapping[int, float] = field(default_factory=dict[int, float])

    def __post_init__(self) -> None:
        if not self.proven or self.proven[0] < 1 or list(self.proven) != sorted(set(self.proven)):
            raise ValueError(f"Batch sizes must ascend from at least 1: {self.proven}.")
        if self.ms and not set(self.proven) <= self.ms.keys():
            raise ValueError(f"Not every size of {self.proven} has its time: {dict(self.ms)}.")

    def fitting(self, count: int) -> int:
        """The smallest that holds `count` pictures, or the largest where none does; a smaller one
        if its passes, which are full, take less time for each picture than that one's, which may be
        padded."""
        holding = next((size for size in self.proven if size >= count), self.proven[-1])
        if not self.ms:
            return holding
        choices = [size for size in reversed(self.proven) if size <= holding]
        return min(choices, key=lambda size: self.ms[size] / min(size, count))


@dataclass(frozen=True, kw_only=True)
class Active(Generic[Group]):
    """A picture that wants a pass. Only members of one group may share it.

    `cost` is one picture's share of a pass, rows x latent positions. `waited` counts the passes, of
    whatever group, since its last one or since it came. `is_new`: it has not had one yet.
    """

    number: int
    group: Group
    cost: float
    waited: int
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class StepPlan(Generic[Group]):
    """One pass: whose rows go, and for how many pictures it is made; the rest of `size` is
    padding."""

    numbers: tuple[int, ...]
    size: int
    group: Group


def plan_step(
    active: Sequence[Active[Group]], sizes: Mapping[Group, BatchSizes], turns: Turns[Group]
) -> tuple[StepPlan[Group] | None, Turns[Group]]:
    """Choose the next pass, and the turns after it; None when nobody wants one.

    `active` is in the order of arrival: of those who waited equally long the new go first, then who
    came first, so that a newcomer need not see the others off before its own first step. `turns` is
    over groups; a pass costs what its whole size costs, padding included. `sizes` holds every group
    of `active`.
    """
    if not active:
        return None, Turns()
    members: dict[Group, list[Active[Group]]] = {}
    for picture in active:
        members.setdefault(picture.group, []).append(picture)
    passes = {group: sizes[group].fitting(len(pictures)) for group, pictures in members.items()}
    group, turns = turns.next(
        {group: size * max(picture.cost for picture in members[group]) for group, size in passes.items()}
    )
    longest_first = sorted(members[group], key=lambda picture: (-picture.waited, not picture.is_new))
    going = tuple(picture.number for picture in longest_first[: passes[group]])
    return StepPlan(numbers=going, size=passes[group], group=group), turns

"""The pure planner: proven sizes only, nobody twice, nobody forgotten, no group before its share."""

from collections import Counter
from dataclasses import dataclass, field
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from models import Turns
from models.batching import Active, BatchSizes, StepPlan, plan_step

QUICK = settings(max_examples=40, stateful_step_count=60, deadline=None, derandomize=True)
SIZES = {
    "sd1": BatchSizes((1, 2, 4)),
    "sdxl": BatchSizes((1,)),
    "wide": BatchSizes((3, 8)),
    "lora": BatchSizes((1, 3, 6), {1: 10.0, 3: 15.0, 6: 24.0}),
}
COSTS = {"sd1": 8.0, "sdxl": 130.0, "wide": 3.0, "lora": 8.0}
GROUPS = tuple(SIZES)
GOING = {"sd1": 4, "sdxl": 1, "wide": 8, "lora": 3}  # that many at least, where not everybody goes


def waiting(*waited: int, group: str = "sd1", first: int = 1) -> list[Active[str]]:
    return [
        Active(number=number, group=group, cost=COSTS[group], waited=passes)
        for number, passes in enumerate(waited, first)
    ]


def planned(active: list[Active[str]], turns: Turns[str] | None = None) -> StepPlan[str]:
    plan, _ = plan_step(active, SIZES, turns or Turns())
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    ("proven", "count", "size"),
    [
        ((1,), 1, 1),
        ((1,), 9, 1),
        ((1, 2, 4, 8), 3, 4),
        ((1, 2, 4, 8), 8, 8),
        ((1, 2, 4, 8), 9, 8),
        ((4,), 1, 4),
        ((2, 6), 3, 6),
    ],
)
def test_a_pass_has_the_smallest_proven_size_that_fits(proven: tuple[int, ...], count: int, size: int) -> None:
    assert BatchSizes(proven).fitting(count) == size


@pytest.mark.parametrize(
    ("ms", "sizes"),
    [
        ({1: 10, 2: 20, 4: 40, 8: 80}, [1, 2, 2, 4, 4, 4, 4, 8, 8]),  # as on a busy processor: no padding pays
        ({1: 10, 2: 10, 4: 11, 8: 13}, [1, 2, 4, 4, 8, 8, 8, 8, 8]),  # as on an idle card: nobody is left behind
        ({1: 10, 2: 15, 4: 24, 8: 40}, [1, 2, 2, 4, 4, 4, 8, 8, 8]),
    ],
)
def test_where_times_are_known_a_pass_has_the_size_at_which_a_picture_costs_least(
    ms: dict[int, float], sizes: list[int]
) -> None:
    assert [BatchSizes((1, 2, 4, 8), ms).fitting(count) for count in range(1, 10)] == sizes


def test_times_must_be_known_for_all_sizes_or_none() -> None:
    with pytest.raises(ValueError, match="time"):
        BatchSizes((1, 2), {1: 10.0})


@pytest.mark.parametrize("proven", [(), (0, 1), (2, 1), (1, 1), (-1,)])
def test_sizes_that_do_not_ascend_from_one_are_refused(proven: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        BatchSizes(proven)


def test_nobody_there_makes_no_pass_and_forgets_the_turns() -> None:
    assert plan_step([], SIZES, Turns({"sd1": 5.0})) == (None, Turns())


@pytest.mark.parametrize(
    ("active", "numbers", "size"),
    [
        (waiting(0), (1,), 1),
        (waiting(0, 0, 0), (1, 2, 3), 4),
        (waiting(0, 0, 0, 0), (1, 2, 3, 4), 4),
        (waiting(0, 0, 0, 0, 0), (1, 2, 3, 4), 4),
        (waiting(0, 0, 0, 0, 1), (5, 1, 2, 3), 4),
        (waiting(0, 2, 0, 1, 1), (2, 4, 5, 1), 4),
        (waiting(5, 9, group="sdxl"), (2,), 1),
        (waiting(0, 0, group="wide"), (1, 2), 3),
    ],
)
def test_those_who_waited_longest_go_and_the_rest_is_padding(
    active: list[Active[str]], numbers: tuple[int, ...], size: int
) -> None:
    assert planned(active) == StepPlan(numbers=numbers, size=size, group=active[0].group)


def test_among_equals_a_newcomer_goes_first_and_never_before_who_waited_longer() -> None:
    newcomer = Active(number=9, group="sd1", cost=COSTS["sd1"], waited=0, is_new=True)

    assert planned([*waiting(0, 0, 0, 0), newcomer]).numbers == (9, 1, 2, 3)
    assert planned([*waiting(1, 1, 1, 1), newcomer]).numbers == (1, 2, 3, 4)


def test_one_pass_holds_one_group() -> None:
    plan = planned([*waiting(0, 0), *waiting(0, group="sdxl", first=3), *waiting(0, first=4)])

    assert plan == StepPlan(numbers=(1, 2, 4), size=4, group="sd1")


def test_padding_is_paid_by_the_group_that_needs_it() -> None:
    """One picture at size 3 costs as much as three."""
    _, turns = plan_step([*waiting(0, group="wide"), *waiting(0, group="sdxl", first=2)], SIZES, Turns())

    assert turns.deficits == {"sdxl": 3 * COSTS["wide"], "wide": 0.0}


@QUICK
@given(st.lists(st.fixed_dictionaries({group: st.integers(1, 12) for group in GROUPS}), min_size=1, max_size=20))
def test_busy_groups_share_the_device_within_a_tenth(crowds: list[dict[str, int]]) -> None:
    """However many pictures each holds, and however that changes from pass to pass."""
    turns, spent, passes = Turns[str](), Counter[str](), 0
    dearest = max(COSTS[group] * SIZES[group].proven[-1] for group in GROUPS)
    while max(spent.values(), default=0.0) < 12 * dearest:
        crowd = crowds[passes % len(crowds)]
        active = [picture for group in GROUPS for picture in waiting(*[0] * crowd[group], group=group)]
        plan, turns = plan_step(active, SIZES, turns)
        assert plan is not None
        spent[plan.group] += plan.size * COSTS[plan.group]
        passes += 1

    assert min(spent[group] for group in GROUPS) >= 0.9 * max(spent.values())


@dataclass
class Picture:
    """One that paints. `ahead` is how many its group held at the first pass that it waited for; `missed` counts its group's passes
    without it, `meanwhile` what each other group has cost since its own group's last pass."""

    group: str
    passes_left: int
    ahead: int = 1
    is_new: bool = True
    waited: int = 0
    missed: int = 0
    meanwhile: Counter[str] = field(default_factory=Counter)


class Planning(RuleBasedStateMachine):
    """Pictures come, go on and leave in any order; the planner is asked for one pass after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: Turns[str] = Turns()
        self.pictures: dict[int, Picture] = {}
        self.came = 0

    @rule(group=st.sampled_from(GROUPS), passes=st.integers(1, 12), count=st.integers(1, 7))
    def join(self, group: str, passes: int, count: int) -> None:
        for _ in range(count):
            self.came += 1
            self.pictures[self.came] = Picture(group=group, passes_left=passes)

    @precondition(lambda self: self.pictures)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        del self.pictures[data.draw(st.sampled_from(sorted(self.pictures)))]

    @precondition(lambda self: self.pictures)
    @rule(passes=st.integers(1, 6))
    def step(self, passes: int) -> None:
        for _ in range(passes):
            if self.pictures:
                self.make_one_pass()

    def make_one_pass(self) -> None:
        for picture in self.pictures.values():
            if picture.waited == 0:  # whoever comes later has waited less
                picture.ahead = self.held(picture.group)
        active = [
            Active(
                number=number,
                group=picture.group,
                cost=COSTS[picture.group],
                waited=picture.waited,
                is_new=picture.is_new,
            )
            for number, picture in self.pictures.items()
        ]
        plan, self.turns = plan_step(active, SIZES, self.turns)
        assert plan is not None, "somebody wants a pass"
        self.check(plan)
        for number, picture in self.pictures.items():
            self.note(plan, number, picture)
        self.pictures = {number: picture for number, picture in self.pictures.items() if picture.passes_left}

    def check(self, plan: StepPlan[str]) -> None:
        members = {number for number, picture in self.pictures.items() if picture.group == plan.group}
        proven = SIZES[plan.group].proven
        assert plan.size in proven
        assert len(set(plan.numbers)) == len(plan.numbers), "nobody goes twice"
        assert set(plan.numbers) <= members
        assert len(plan.numbers) == min(len(members), plan.size), "no place is left empty while somebody waits"
        assert not any(len(plan.numbers) <= size < plan.size for size in proven), "no more padding than needed"

    def note(self, plan: StepPlan[str], number: int, picture: Picture) -> None:
        if number in plan.numbers:
            picture.passes_left -= 1
            picture.waited, picture.missed, picture.is_new = 0, 0, False
        else:
            picture.waited += 1
            picture.missed += plan.group == picture.group
        if plan.group == picture.group:
            picture.meanwhile.clear()
        else:
            picture.meanwhile[plan.group] += plan.size * COSTS[plan.group]

    def held(self, group: str) -> int:
        return sum(picture.group == group for picture in self.pictures.values())

    @invariant()
    def nobody_is_starved(self) -> None:
        dearest = max(COSTS[group] * SIZES[group].proven[-1] for group in GROUPS)
        for picture in self.pictures.values():
            assert picture.missed < ceil(picture.ahead / GOING[picture.group])
            assert all(cost <= 2 * dearest for cost in picture.meanwhile.values())
            assert picture.waited < longest_wait(picture.group, picture.ahead)

    def teardown(self) -> None:
        """Nobody is lost: all who are left are painted, and each pass brings somebody on."""
        wanted = sum(picture.passes_left for picture in self.pictures.values())
        for _ in range(wanted):
            if self.pictures:
                self.make_one_pass()
                self.nobody_is_starved()
        assert not self.pictures


def longest_wait(group: str, members: int) -> int:
    """The bound of models/batching.py in passes: after so many at most a picture goes, `members` being in its group."""
    dearest = max(COSTS[other] * SIZES[other].proven[-1] for other in GROUPS)
    between = sum(floor(2 * dearest / (COSTS[other] * SIZES[other].proven[0])) for other in GROUPS if other != group)
    return ceil(members / GOING[group]) * (1 + between)


TestPlanning = Planning.TestCase
TestPlanning.settings = QUICK

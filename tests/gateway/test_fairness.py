"""Who is claimed next: a pure function, held to its bounds."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fairness import Fairness
from storage import LESS_URGENT_EVERY, Candidate, Priority

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
ACCOUNTS = ("ada", "ben", "cyd", "dan")
LEAST = 512 * 512 * 4
MOST = 1920 * 1920 * 99 * 10
WORK = st.integers(min_value=LEAST, max_value=MOST)


def candidate(
    number: int, account: str = "ada", *, work: int = 10, pictures: int = 1, priority: int = Priority.INTERACTIVE
) -> Candidate:
    return Candidate(number=number, account_id=account, priority=priority, work=work, picture_count=pictures)


def chosen_in_turn(
    queue: Sequence[Candidate], *, times: int, free: int = 8, fairness: Fairness | None = None
) -> list[Candidate]:
    """Each is claimed and done at once; the queue shrinks."""
    fairness, left, order = fairness or Fairness(), list(queue), []
    for _ in range(times):
        choice = fairness.choose(left, free=free, is_idle=True)
        assert choice is not None
        taken, fairness = choice
        left.remove(taken)
        order.append(taken)
    return order


def numbers(order: Sequence[Candidate]) -> list[int]:
    return [taken.number for taken in order]


def test_one_account_is_served_oldest_first() -> None:
    assert numbers(chosen_in_turn([candidate(3), candidate(1), candidate(2)], times=3)) == [1, 2, 3]


def test_accounts_take_turns_however_much_one_has_queued() -> None:
    queue = [*(candidate(number, "ada") for number in range(6)), candidate(6, "ben"), candidate(7, "ben")]

    order = chosen_in_turn(queue, times=8)

    assert "".join(taken.account_id[0] for taken in order) == "ababaaaa"


def test_what_is_interactive_goes_before_batch() -> None:
    queue = [
        candidate(1, "ada", priority=Priority.BATCH),
        candidate(2, "ben", priority=Priority.BATCH),
        candidate(3, "ada"),
        candidate(4, "ada"),
        candidate(5, "cyd"),
    ]

    assert numbers(chosen_in_turn(queue, times=5)) == [3, 5, 4, 1, 2]


@QUICK
@given(
    st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.integers(1, 50)), min_size=1, max_size=20),
    st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.integers(1, 50)), min_size=1, max_size=5),
    st.integers(min_value=0, max_value=20),
)
def test_batch_gets_every_eighth_claim_however_much_interactive_work_comes(
    urgent: list[tuple[str, int]], batch: list[tuple[str, int]], before: int
) -> None:
    """The bound that `Fairness` states; the interactive work never ends, the batch work comes after a while."""
    fairness, order = Fairness(), list[int]()
    left = [
        candidate(10_000 + number, account, work=work, priority=Priority.BATCH)
        for number, (account, work) in enumerate(batch)
    ]
    for turn in range(before + len(batch) * LESS_URGENT_EVERY):
        account, work = urgent[turn % len(urgent)]
        choice = fairness.choose(
            [candidate(turn, account, work=work), *(left if turn >= before else ())], free=1, is_idle=False
        )
        assert choice is not None
        taken, fairness = choice
        order.append(taken.priority)
        if taken in left:
            left.remove(taken)

    assert order == [Priority.INTERACTIVE] * before + (
        [Priority.INTERACTIVE] * (LESS_URGENT_EVERY - 1) + [Priority.BATCH]
    ) * len(batch)


def test_a_batch_generation_whose_turn_has_come_is_passed_by_nobody() -> None:
    """Else it would lose its turn to whatever fits into fewer slots."""
    queue = [candidate(99, "ben", pictures=4, priority=Priority.BATCH), *(candidate(n, "ada") for n in range(20))]
    fairness = Fairness()
    for _ in range(LESS_URGENT_EVERY - 1):
        choice = fairness.choose(queue, free=2, is_idle=False)
        assert choice is not None
        taken, fairness = choice
        queue.remove(taken)

    assert fairness.choose(queue, free=2, is_idle=False) is None
    choice = fairness.choose(queue, free=4, is_idle=False)
    assert choice is not None
    assert choice[0].number == 99


def test_interactive_work_does_not_cost_a_batch_account_what_it_had_saved() -> None:
    """Else whoever is in the middle of saving for a large one would begin anew with each small interruption."""
    batch = [candidate(1, "ada", work=1, priority=1), candidate(2, "ben", work=5, priority=1)]
    fairness, batch_turns = Fairness(), []
    for number in range(3, 20):
        interruption = candidate(number, "cyd", work=3)
        choice = fairness.choose([*batch, interruption], free=8, is_idle=True)
        assert choice is not None
        assert choice[0] == interruption
        choice = choice[1].choose(batch, free=8, is_idle=True)
        assert choice is not None
        taken, fairness = choice
        batch_turns.append(taken.account_id)

    assert batch_turns.count("ada") == pytest.approx(5 * batch_turns.count("ben"), abs=5)
    assert batch_turns.count("ben") >= 2


def test_what_does_not_fit_yet_is_waited_for_by_everybody() -> None:
    """The small ones behind it would else keep the slots from ever being free."""
    queue = [candidate(1, "ada", pictures=4), candidate(2, "ben", pictures=1)]

    assert Fairness().choose(queue, free=3, is_idle=False) is None
    choice = Fairness().choose(queue, free=4, is_idle=False)
    assert choice is not None
    assert choice[0].number == 1


def test_what_will_never_fit_runs_when_nothing_else_does() -> None:
    queue = [candidate(1, pictures=10)]

    assert Fairness().choose(queue, free=7, is_idle=False) is None
    assert Fairness().choose(queue, free=8, is_idle=True) is not None


def test_nobody_is_chosen_without_a_queue_or_without_room() -> None:
    assert Fairness().choose([candidate(1)], free=0, is_idle=False) is None
    assert Fairness().choose([], free=8, is_idle=True) is None


def shares(sizes: Mapping[str, Sequence[int]], *, until: int) -> Counter[str]:
    """Work claimed by accounts that are never done, each with its own sizes over and over."""
    fairness, claimed, count, number = Fairness(), Counter[str](), Counter[str](), 0
    queue = {account: candidate(index, account, work=sizes[account][0]) for index, account in enumerate(sizes)}
    while sum(claimed.values()) < until:
        choice = fairness.choose(list(queue.values()), free=1, is_idle=False)
        assert choice is not None
        taken, fairness = choice
        account, number = taken.account_id, number + 1
        claimed[account] += taken.work
        count[account] += 1
        queue[account] = candidate(
            len(sizes) + number, account, work=sizes[account][count[account] % len(sizes[account])]
        )
    return claimed


@QUICK
@given(st.fixed_dictionaries({account: st.lists(st.integers(1, 50), min_size=1, max_size=5) for account in ACCOUNTS}))
def test_busy_accounts_of_very_different_sizes_claim_equal_shares(sizes: Mapping[str, Sequence[int]]) -> None:
    dearest = max(max(works) for works in sizes.values())

    claimed = shares(sizes, until=4 * 40 * dearest)

    assert min(claimed[account] for account in ACCOUNTS) >= 0.9 * max(claimed.values())


@QUICK
@given(
    st.lists(WORK, min_size=1, max_size=30),
    WORK,
    st.integers(min_value=1, max_value=6),
    st.integers(min_value=0, max_value=40),
)
def test_one_request_behind_an_account_with_a_thousand_waits_for_twice_the_dearest_at_most(
    sizes: list[int], work: int, others: int, before: int
) -> None:
    """The bound that `Fairness` states, with several such accounts, and some of their work claimed already."""
    queue = [
        candidate(number * others + other, f"busy {other}", work=sizes[number % len(sizes)])
        for number in range(1000 // others)
        for other in range(others)
    ]
    heads: dict[str, list[Candidate]] = {}
    for waiting in queue:
        heads.setdefault(waiting.account_id, []).append(waiting)
    fairness, newcomer, ahead = Fairness(), candidate(5000, "newcomer", work=work), Counter[str]()
    for turn in range(10_000):
        offered = [line[0] for line in heads.values()] + ([newcomer] if turn >= before else [])
        choice = fairness.choose(offered, free=1, is_idle=False)
        assert choice is not None
        taken, fairness = choice
        if taken == newcomer:
            break
        heads[taken.account_id].pop(0)
        if turn >= before:
            ahead[taken.account_id] += taken.work
    else:
        pytest.fail("the newcomer was never served")

    dearest = max(*sizes, work)
    assert all(claimed <= 2 * dearest for claimed in ahead.values())


@QUICK
@given(st.lists(st.integers(1, 10), min_size=1, max_size=12), st.integers(min_value=1, max_value=8))
def test_every_generation_is_claimed_in_the_end_whatever_its_number_of_pictures(counts: list[int], slots: int) -> None:
    queue = [candidate(number, f"account {number % 3}", pictures=count) for number, count in enumerate(counts)]
    fairness, running, done = Fairness(), [], 0
    for _ in range(10 * len(counts)):
        free = slots - sum(taken.picture_count for taken in running)
        choice = fairness.choose(queue, free=free, is_idle=not running)
        if choice is not None:
            taken, fairness = choice
            queue.remove(taken)
            running.append(taken)
            assert len(running) == 1 or sum(one.picture_count for one in running) <= slots
        elif running:
            running.pop(0)
            done += 1
    assert done == len(counts)

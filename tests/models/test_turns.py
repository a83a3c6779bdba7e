"""Deficit round-robin: equal shares of cost, a bounded wait, and nothing that depends on the unit of cost."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import Turns

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
ACCOUNTS = ("ada", "ben", "cyd", "dan")
ROUNDING = 1 + 1e-9
COSTS = st.floats(min_value=1e-3, max_value=1e3)
PIECES = st.lists(st.floats(min_value=1, max_value=50), min_size=1, max_size=6)  # an account's, over and over


def served(demands: Mapping[str, float], *, times: int, turns: Turns[str] | None = None) -> list[str]:
    """Who goes, when everybody always has another piece of the same cost."""
    turns, order = turns or Turns(), []
    for _ in range(times):
        flow, turns = turns.next(demands)
        order.append(flow)
    return order


@pytest.mark.parametrize(
    ("demands", "order"),
    [
        ({"a": 5.0}, "aaaa"),
        ({"a": 1.0, "b": 1.0}, "abababab"),
        ({"b": 1.0, "a": 1.0, "c": 1.0}, "bacbac"),
        ({"a": 1.0, "b": 4.0}, "aaabaaaaba"),
        ({"a": 4.0, "b": 1.0}, "bbbabbbbab"),
        ({"a": 2.0, "b": 3.0}, "ababaababa"),
    ],
)
def test_the_first_who_has_been_granted_enough_goes(demands: dict[str, float], order: str) -> None:
    assert "".join(served(demands, times=len(order))) == order


def test_the_unit_of_cost_does_not_matter() -> None:
    demands = {"a": 3.0, "b": 7.0, "c": 1.5}
    in_other_units = {flow: cost * 2**40 for flow, cost in demands.items()}

    assert served(demands, times=200) == served(in_other_units, times=200)


def test_one_who_was_away_has_nothing_and_comes_last_among_equals() -> None:
    _, turns = Turns[str]().next({"a": 1.0, "b": 10.0})
    assert turns.deficits == {"b": 1.0, "a": 0.0}

    _, turns = turns.next({"a": 1.0})

    assert turns.deficits == {"a": 0.0}
    assert served({"b": 1.0, "a": 1.0}, times=3, turns=turns) == ["a", "b", "a"]


def test_a_newcomer_waits_for_one_piece_of_each_who_is_as_dear() -> None:
    busy = dict.fromkeys("abc", 7.0)
    _, turns = Turns[str]().next(busy)

    assert served({**busy, "new": 7.0}, times=4, turns=turns) == ["b", "c", "a", "new"]


def test_a_small_piece_does_not_wait_for_a_burst_of_others() -> None:
    heavy = dict.fromkeys("abcdefgh", 100.0)
    _, turns = Turns[str]().next(heavy | {"small": 1.0})

    assert served({**heavy, "new": 1.0}, times=1, turns=turns) == ["new"]


def test_what_was_granted_for_a_piece_that_became_cheaper_is_kept() -> None:
    _, turns = Turns[str]({"a": 9.0}).next({"a": 2.0, "b": 8.0})

    assert turns.deficits == {"b": 0.0, "a": 7.0}


def test_turns_are_a_value() -> None:
    turns = Turns[str]()

    assert turns.next({"a": 1.0}) == turns.next({"a": 1.0})
    assert turns == Turns()


@pytest.mark.parametrize("demands", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}])
def test_nobody_and_pieces_for_nothing_are_refused(demands: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="cost something"):
        Turns[str]().next(demands)


@QUICK
@given(st.fixed_dictionaries(dict.fromkeys(ACCOUNTS, PIECES)))
def test_busy_accounts_get_equal_shares_however_different_their_pieces(pieces: dict[str, list[float]]) -> None:
    turns, spent, taken = Turns[str](), Counter[str](), Counter[str]()
    dearest = max(max(costs) for costs in pieces.values())
    while max(spent.values(), default=0.0) < 12 * dearest:
        demands = {account: costs[taken[account] % len(costs)] for account, costs in pieces.items()}
        account, turns = turns.next(demands)
        spent[account] += demands[account]
        taken[account] += 1

    shares = [spent[account] for account in ACCOUNTS]

    assert max(shares) - min(shares) <= dearest * ROUNDING
    assert min(shares) >= 0.9 * max(shares)


@QUICK
@given(st.lists(st.dictionaries(st.sampled_from(ACCOUNTS), COSTS, min_size=1), min_size=1, max_size=80))
def test_between_two_of_ones_pieces_others_get_at_most_twice_the_dearest(rounds: list[dict[str, float]]) -> None:
    """`ada` always has something to do; the others come and go, with another cost every time."""
    turns, dearest = Turns[str](), 1.0
    meanwhile: Counter[str] = Counter()
    for others in rounds:
        demands = {**others, "ada": others.get("ada", 1.0)}
        dearest = max(dearest, *demands.values())
        flow, turns = turns.next(demands)
        meanwhile = Counter() if flow == "ada" else meanwhile + Counter({flow: demands[flow]})  # type: ignore[dict-item]
        assert all(cost <= 2 * dearest * ROUNDING for cost in meanwhile.values())

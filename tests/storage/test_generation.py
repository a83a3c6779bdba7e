"""The table of states, without a database."""

from hypothesis import given
from hypothesis import strategies as st

from storage.generation import MOVES, OPEN_STATES, State, states_before

ENDS = {State.COMPLETED, State.FAILED, State.CANCELED}


def test_every_state_has_its_row() -> None:
    assert set(MOVES) == set(State)


def test_exactly_three_states_are_final() -> None:
    assert {state for state in State if state.is_final} == ENDS
    assert set(OPEN_STATES) == set(State) - ENDS


def test_who_may_become_what() -> None:
    assert states_before(State.PROCESSING) == (State.QUEUED, State.PROCESSING)
    assert states_before(State.QUEUED) == (State.PROCESSING,)
    assert states_before(State.COMPLETED) == (State.PROCESSING,)
    assert states_before(State.FAILED) == (State.PROCESSING,)
    assert states_before(State.CANCELED) == (State.QUEUED, State.PROCESSING)


@given(st.lists(st.sampled_from(State), max_size=30))
def test_a_walk_through_the_table_ends_at_most_once(wishes: list[State]) -> None:
    state, ended = State.QUEUED, 0
    for wish in wishes:
        if wish in MOVES[state]:
            state, ended = wish, ended + (wish in ENDS)

    assert ended == int(state in ENDS)


def test_from_everywhere_open_an_end_can_be_reached() -> None:
    reached = {State.QUEUED}
    for _ in State:
        reached |= {after for state in reached for after in MOVES[state]}

    assert reached == set(State)

"""Work in a thread of its own that moves only when it is told to."""

import threading
from collections.abc import Callable

import pytest

from models.diffusion.resident.alternation import Stopped, alternating


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("alternating")]


def test_the_work_moves_only_while_somebody_waits_for_it() -> None:
    seen: list[str] = []

    def work(pause: Callable[[], None]) -> str:
        for step in range(3):
            seen.append(f"work {step}")
            pause()
        return "done"

    steps = alternating(work)
    for step in range(3):
        next(steps)
        seen.append(f"owner {step}")
    with pytest.raises(StopIteration) as finished:
        next(steps)

    assert finished.value.value == "done"
    assert seen == ["work 0", "owner 0", "work 1", "owner 1", "work 2", "owner 2"]
    assert not ours()


def test_closing_stops_the_work_where_it_stands_and_ends_its_thread() -> None:
    seen: list[str] = []

    def work(pause: Callable[[], None]) -> None:
        try:
            pause()
            seen.append("went on")
        except Stopped:
            seen.append("stopped")
            raise

    steps = alternating(work)
    next(steps)
    steps.close()

    assert seen == ["stopped"]
    assert not ours()


def test_what_the_work_raises_is_raised_to_its_owner() -> None:
    def work(pause: Callable[[], None]) -> None:
        pause()
        raise KeyError("lost")

    steps = alternating(work)
    next(steps)
    with pytest.raises(KeyError, match="lost"):
        next(steps)

    assert not ours()


def test_work_that_was_never_asked_for_starts_no_thread() -> None:
    alternating(lambda pause: pause()).close()

    assert not ours()

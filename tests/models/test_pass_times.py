"""What is believed of passes' times: measurements, then what passes really took."""

import pytest

from models.batching import BatchSizes
from models.pass_times import RECENT, STALE, PassTimes

QUIET = {1: 60.0, 2: 100.0, 4: 160.0, 8: 208.0}


def chosen(times: PassTimes, pictures: int) -> int:
    ms = times.ms()
    return BatchSizes(tuple(ms), ms).fitting(pictures)


def passes(times: PassTimes, truth: dict[int, float], *, pictures: int, count: int) -> list[int]:
    """Which sizes a busy engine takes, pass by pass."""
    sizes: list[int] = []
    for _ in range(count):
        sizes.append(chosen(times, pictures))
        times.note(sizes[-1], truth[sizes[-1]])
    return sizes


def test_a_measurement_is_believed_where_larger_passes_are_cheaper() -> None:
    assert PassTimes(QUIET).ms() == QUIET


def test_a_size_that_was_measured_in_a_busy_moment_is_tried_and_stays() -> None:
    times = PassTimes({**QUIET, 8: 810.0})

    assert times.ms()[8] == 2 * QUIET[4]
    assert passes(times, QUIET, pictures=8, count=20) == [8] * 20


def test_a_size_that_is_truly_slow_is_left_and_looked_at_now_and_then() -> None:
    truth = {**QUIET, 8: 500.0}

    taken = passes(PassTimes(QUIET), truth, pictures=8, count=10 * STALE)

    assert taken[:RECENT] == [8] * RECENT
    assert 0 < taken[RECENT:].count(8) <= 10


def test_one_slow_pass_changes_nothing() -> None:
    times = PassTimes(QUIET)
    times.note(8, 5000.0)

    assert times.ms() == QUIET
    assert chosen(times, 8) == 8


def test_after_a_busy_hour_the_best_size_is_found_again() -> None:
    times = PassTimes(QUIET)
    passes(times, {size: 6 * ms for size, ms in QUIET.items()}, pictures=8, count=300)

    assert passes(times, QUIET, pictures=8, count=2 * STALE)[-RECENT:] == [8] * RECENT


@pytest.mark.parametrize("pictures", [1, 2, 3, 5, 8])
def test_a_class_without_small_sizes_is_believed_as_measured(pictures: int) -> None:
    times = PassTimes({3: 30.0, 8: 100.0})

    assert times.ms() == {3: 30.0, 8: 100.0}
    assert chosen(times, pictures) == 3

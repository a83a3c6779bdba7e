from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.webhooks import Answer, RetrySchedule
from gateway.webhooks.schedule import asked_wait

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FAILED = Answer(status=500)
SCHEDULE = RetrySchedule()


def wait_s(attempts: int, answer: Answer = FAILED, *, chance: float = 0.5) -> float | None:
    moment = SCHEDULE.next_attempt(attempts, answer, now=NOW, chance=lambda: chance)
    return None if moment is None else (moment - NOW).total_seconds()


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [(1, 5), (2, 300), (3, 1800), (4, 7200), (5, 18000), (6, 36000), (7, 36000), (8, None), (9, None)],
)
def test_the_waits_are_those_of_the_table(attempts: int, wait: float | None) -> None:
    assert wait_s(attempts) == wait


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 4.0), (0.25, 4.5), (0.5, 5.0), (0.999999, 5.999998)])
def test_chance_moves_a_wait_by_a_fifth_at_most(chance: float, wait: float) -> None:
    assert wait_s(1, chance=chance) == pytest.approx(wait)


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500, 502, 503, 504, None])
def test_every_failure_is_tried_again(status: int | None) -> None:
    assert wait_s(1, Answer(status=status)) == 5


@pytest.mark.parametrize("attempts", [1, 4, 7])
def test_gone_means_never_again(attempts: int) -> None:
    assert wait_s(attempts, Answer(status=410)) is None


@pytest.mark.parametrize(
    ("attempts", "retry_after", "wait"),
    [
        (1, "120", 120),
        (1, " 120 ", 120),
        (1, "1", 5),
        (1, "0", 5),
        (4, "60", 7200),
        (1, "86400", 86400),
        (1, "86401", 86400),
        (1, "99999999999999999999", 86400),
        (1, "Sat, 21 Nov 2026 12:10:00 GMT", 600),
        (1, "Sat, 21 Nov 2026 11:00:00 GMT", 5),
        (1, "Fri, 01 Jan 2100 00:00:00 GMT", 86400),
        (1, "-5", 5),
        (1, "soon", 5),
        (1, "١٢", 5),
        (1, "", 5),
        (1, None, 5),
        (8, "120", None),
    ],
)
def test_the_receivers_wish_lengthens_a_wait_to_a_day_at_most(
    attempts: int, retry_after: str | None, wait: float | None
) -> None:
    assert wait_s(attempts, Answer(status=429, retry_after=retry_after)) == wait


@given(st.text(max_size=40))
def test_no_header_breaks_the_schedule(retry_after: str) -> None:
    assert asked_wait(retry_after, now=NOW) >= timedelta(0)


def test_an_operators_waits_replace_the_table() -> None:
    schedule = RetrySchedule(delays_s=(0.5,))
    assert schedule.next_attempt(1, FAILED, now=NOW, chance=lambda: 0.5) == NOW + timedelta(seconds=0.5)
    assert schedule.next_attempt(2, FAILED, now=NOW, chance=lambda: 0.5) is None

"""How much work a picture is, and what is learned from pictures painted in company."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from plugins.tiny_specs import new_spec

from gateway.generations.showing.pace import FIRST_GUESS_MS, Pace, Sitting
from models import GenerationSpec


class Stopwatch:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class NotingPace(Pace):
    """Also remembers what it learned from."""

    def __init__(self, seconds: Stopwatch) -> None:
        super().__init__(seconds)
        self.shares_s: list[float] = []

    def learn(self, spec: GenerationSpec, *, elapsed_s: float, share_s: float) -> None:
        self.shares_s.append(share_s)
        super().learn(spec, elapsed_s=elapsed_s, share_s=share_s)


class Room:
    """Pictures that come and go."""

    def __init__(self) -> None:
        self.stopwatch = Stopwatch()
        self.pace = NotingPace(self.stopwatch)
        self.visits = ExitStack()

    def enter(self, spec: GenerationSpec) -> Sitting:
        sitting = self.visits.enter_context(self.pace.sitting(spec))
        sitting.begin()
        return sitting

    def wait(self, seconds: float) -> None:
        self.stopwatch.now_s += seconds


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    with room.visits:
        yield room


def test_before_anything_is_known_each_picture_gets_the_first_guess(room: Room) -> None:
    assert room.pace.estimate_ms([new_spec()], ahead=0) == FIRST_GUESS_MS
    assert room.pace.estimate_ms([new_spec()] * 3, ahead=1) == 6 * FIRST_GUESS_MS


def test_alone_one_picture_takes_what_the_last_one_took(room: Room) -> None:
    sitting = room.enter(new_spec())
    room.wait(3)
    sitting.end(is_finished=True)

    assert room.pace.estimate_ms([new_spec()], ahead=0) == 3000
    assert room.pace.estimate_ms([new_spec()], ahead=2) == 9000
    assert room.pace.estimate_ms([new_spec(num_inference_steps=6)], ahead=0) == 6000


def test_in_company_a_picture_takes_its_elapsed_time_and_a_queue_the_engines_busy_time(room: Room) -> None:
    """Four at a time take 8 s: one of them takes 8 s, but the queue moves by one every 2 s."""
    for _ in range(30):
        company = [room.enter(new_spec()) for _ in range(4)]
        room.wait(8)
        for sitting in company:
            sitting.end(is_finished=True)

    assert room.pace.estimate_ms([new_spec()], ahead=0) == pytest.approx(8000)
    assert room.pace.estimate_ms([new_spec()], ahead=12) == pytest.approx(8000 + 12 * 2000)
    assert room.pace.estimate_ms([new_spec()] * 4, ahead=0) == pytest.approx(8000)
    assert room.pace.estimate_ms([new_spec()] * 8, ahead=0) == pytest.approx(16_000)


def test_shares_add_up_to_the_time_in_which_anything_was_painted(room: Room) -> None:
    """However joins and leaves overlap, and whatever lies idle between."""
    first = room.enter(new_spec())
    room.wait(1)
    second = room.enter(new_spec())
    room.wait(2)
    first.end(is_finished=True)
    third = room.enter(new_spec())
    room.wait(4)
    second.end(is_finished=True)
    third.end(is_finished=True)
    room.wait(100)
    fourth = room.enter(new_spec())
    room.wait(5)
    fourth.end(is_finished=True)

    assert room.pace.shares_s == [1 + 1, 1 + 2, 2, 5]


def test_what_was_stopped_teaches_nothing_but_had_its_share(room: Room) -> None:
    spec = new_spec()
    with room.pace.sitting(spec) as stopped:
        stopped.begin()
        finished = room.enter(spec)
        room.wait(2)
    room.wait(1)
    finished.end(is_finished=True)

    assert room.pace.estimate_ms([spec], ahead=1) == 3000 + 2000


def test_waiting_for_a_slot_is_not_painting(room: Room) -> None:
    with room.pace.sitting(new_spec()) as sitting:
        room.wait(50)
        sitting.begin()
        sitting.begin()
        room.wait(1)
        sitting.end(is_finished=True)

    assert room.pace.estimate_ms([new_spec()], ahead=0) == 1000

"""Several paintings inside one child: they share it, and its death takes only the one that kills it alone."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from plugins.rehearsal import Asked, ask, is_alive, is_denoising, new_engine, until

from models import EngineStopped, Phase, Progress
from models.process.engine import EngineProcess

SLOTS = 3


@pytest.fixture
async def engine() -> AsyncIterator[EngineProcess]:
    engine = new_engine(slots=SLOTS)
    await engine.start()
    await until(lambda: engine.state().is_ready)
    yield engine
    await engine.close()


@pytest.fixture
def begin(engine: EngineProcess, tmp_path: Path) -> Callable[..., Asked]:
    return partial(ask, engine, tmp_path)


def is_waiting_again(heard: list[Progress]) -> bool:
    """It was at work, and then it waited."""
    phases = [progress.phase for progress in heard]
    return Phase.WAITING in phases[phases.index(Phase.ENCODING) :] if Phase.ENCODING in phases else False


def is_missing(file: Path) -> bool:
    return not file.exists()


async def all_at_work(*asked: Asked) -> None:
    await until(lambda: all(is_denoising(heard) for _, heard in asked))


async def most_at_work(asked: list[Asked], *, meanwhile: list[Asked]) -> int:
    """The largest number of `asked` between two steps at the same time, until `meanwhile` are all done."""
    most = 0
    while not all(work.done() for work, _ in meanwhile):
        most = max(most, sum(bool(not work.done() and heard and heard[-1].step) for work, heard in asked))
        await asyncio.sleep(0.002)
    return most


async def test_as_many_paint_at_a_time_as_there_are_slots(begin) -> None:
    asked = [begin(steps=10) for _ in range(SLOTS + 2)]

    assert await most_at_work(asked, meanwhile=asked) == SLOTS
    assert all(work.result().pixels.exists() for work, _ in asked)


async def test_those_who_wait_go_in_in_the_order_of_asking(begin) -> None:
    ends: list[int] = []
    asked = [begin(steps=3) for _ in range(3 * SLOTS)]
    for place, (work, _) in enumerate(asked):
        work.add_done_callback(lambda _, place=place: ends.append(place))

    await asyncio.gather(*(work for work, _ in asked))

    assert ends == sorted(ends)


async def test_a_free_slot_is_taken_at_once(begin) -> None:
    long, _ = begin(steps=200)
    others = [begin(steps=2) for _ in range(6)]

    await asyncio.gather(*(work for work, _ in others))

    assert not long.done()
    long.cancel()


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [("hang up", "silent for too long"), ("die now", "exited with status 3"), ("babble on", "no report")],
)
async def test_of_three_only_the_guilty_one_fails(begin, prompt: str, reason: str) -> None:
    before, after = begin(steps=30), begin(steps=30)
    await all_at_work(before, after)
    guilty = begin(prompt, steps=30)
    outside = begin(steps=2)

    with pytest.raises(EngineStopped, match=reason):
        await guilty[0]

    assert (await before[0]).pixels.exists()
    assert (await after[0]).pixels.exists()
    assert (await outside[0]).pixels.exists()
    assert is_waiting_again(before[1])
    assert is_waiting_again(after[1])


async def test_suspects_are_tried_alone_before_anybody_else_goes_in(begin, engine: EngineProcess) -> None:
    """Killed from outside: none of the three is to blame, and none may have neighbours until all are cleared."""
    suspects = [begin(steps=30) for _ in range(SLOTS)]
    outside = [begin(steps=3) for _ in range(2)]
    await all_at_work(*suspects)
    os.kill(int(engine.state().device_name), signal.SIGKILL)
    await until(lambda: all(is_waiting_again(heard) for _, heard in suspects))

    assert await most_at_work([*suspects, *outside], meanwhile=suspects) == 1
    assert all([(await work).pixels.exists() for work, _ in (*suspects, *outside)])


async def test_one_that_dies_only_among_others_is_painted_alone(begin) -> None:
    shy, other = begin("shy one", steps=4), begin(steps=4)

    assert (await shy[0]).pixels.exists()
    assert (await other[0]).pixels.exists()


async def test_two_guilty_ones_fail_and_nobody_else(begin) -> None:
    guilty = [begin("die now"), begin("hang up")]
    innocent = [begin(steps=4), begin(steps=4)]

    ends = await asyncio.gather(*(work for work, _ in (*guilty, *innocent)), return_exceptions=True)

    assert [type(end) is EngineStopped for end in ends] == [True, True, False, False]


async def test_cancelling_one_of_three_leaves_the_others_alone(begin, engine: EngineProcess) -> None:
    first, unwanted, last = begin(steps=20), begin(steps=500), begin(steps=20)
    await all_at_work(first, unwanted, last)
    pid = engine.state().device_name

    unwanted[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await unwanted[0]

    assert (await first[0]).pixels.exists()
    assert (await last[0]).pixels.exists()
    assert engine.state().device_name == pid
    assert not is_waiting_again(first[1])
    assert not is_waiting_again(last[1])


async def test_one_whose_caller_left_is_not_tried_again(begin, tmp_path: Path) -> None:
    innocent, unwanted = begin(steps=30), begin("hang up", steps=30)
    await all_at_work(innocent, unwanted)

    unwanted[0].cancel()

    assert (await innocent[0]).pixels.exists()
    assert unwanted[0].cancelled()
    assert is_waiting_again(innocent[1])
    assert is_missing(tmp_path / "2.rgb")


async def test_a_suspect_whose_caller_leaves_makes_room_for_the_next(begin, engine: EngineProcess) -> None:
    on_trial, unwanted, last = begin(steps=40), begin(steps=500), begin(steps=4)
    await all_at_work(on_trial, unwanted, last)
    os.kill(int(engine.state().device_name), signal.SIGKILL)
    await until(lambda: is_waiting_again(unwanted[1]))

    unwanted[0].cancel()

    assert (await on_trial[0]).pixels.exists()
    assert (await last[0]).pixels.exists()


async def test_closing_fails_everybody_inside_and_outside(begin, engine: EngineProcess) -> None:
    asked = [begin(steps=500) for _ in range(SLOTS + 2)]
    await all_at_work(*asked[:SLOTS])
    pid = int(engine.state().device_name)

    await engine.close()

    ends = await asyncio.gather(*(work for work, _ in asked), return_exceptions=True)
    assert {type(end) for end in ends} == {EngineStopped}
    assert not is_alive(pid)

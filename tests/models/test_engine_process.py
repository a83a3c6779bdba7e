"""The parent's side: what a child may do, and what becomes of those who wait. The child here is a rehearsal."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from plugins.rehearsal import ENVIRONMENT, LIMITS, Asked, ask, is_alive, is_denoising, new_engine, until
from plugins.tiny_specs import new_spec

from models import EngineStopped, Phase, Progress
from models.process.engine import EngineProcess
from models.process.protocol import Compute


@pytest.fixture
async def engine() -> AsyncIterator[EngineProcess]:
    engine = new_engine()
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def begin(engine: EngineProcess, tmp_path: Path) -> Callable[..., Asked]:
    return partial(ask, engine, tmp_path)


async def test_it_is_not_ready_before_the_child_is_and_paints_then(begin, engine: EngineProcess) -> None:
    assert not engine.state().is_ready

    painting, heard = begin()

    assert (await painting).size.width == 32
    assert heard[0] == Progress(phase=Phase.WAITING)
    assert engine.state().is_ready
    assert engine.state().resident_models == ("tiny",)


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [("hang up", "silent for too long"), ("die now", "exited with status 3"), ("babble on", "no report")],
)
async def test_a_child_that_fails_takes_only_the_painting_in_it(begin, prompt: str, reason: str) -> None:
    lost, _ = begin(prompt)
    waiting, _ = begin()

    with pytest.raises(EngineStopped, match=reason):
        await lost

    assert (await waiting).pixels.exists()


async def test_a_killed_child_fails_its_painting_and_the_next_one_works(begin, engine: EngineProcess) -> None:
    lost, heard = begin(steps=500)
    await until(lambda: is_denoising(heard))

    os.kill(int(engine.state().device_name), signal.SIGKILL)

    with pytest.raises(EngineStopped, match="killed by signal 9"):
        await lost
    assert not engine.state().is_ready
    assert (await begin()[0]).pixels.exists()


async def test_cancelling_frees_the_child_for_the_next(begin, engine: EngineProcess) -> None:
    unwanted, heard = begin(steps=500)
    await until(lambda: is_denoising(heard))
    pid = engine.state().device_name

    unwanted.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unwanted

    assert (await begin()[0]).pixels.exists()
    assert engine.state().device_name == pid, "the child was not restarted"


async def test_cancelling_one_who_waits_disturbs_nobody(begin) -> None:
    first, heard = begin(steps=10)
    await until(lambda: is_denoising(heard))
    unwanted, last = begin()[0], begin()[0]
    await asyncio.sleep(0)

    unwanted.cancel()

    assert (await first).pixels.exists()
    assert (await last).pixels.exists()
    assert unwanted.cancelled()


async def test_an_idle_child_may_be_silent_for_ever(tmp_path: Path) -> None:
    engine = new_engine(limits=replace(LIMITS, encoding_s=0.5, denoising_s=0.5))
    await engine.start()
    await ask(engine, tmp_path)[0]
    pid = engine.state().device_name

    await asyncio.sleep(0.8)

    assert (await ask(engine, tmp_path)[0]).pixels.exists()
    assert engine.state().device_name == pid
    await engine.close()


async def test_a_child_may_be_silent_as_long_as_what_it_said_last_may_take(begin, engine: EngineProcess) -> None:
    """A second of loading is longer than a step may take, and the beat that announced it is for nobody."""
    painting, heard = begin("load it", steps=2)

    assert (await painting).pixels.exists()
    assert heard[-1].phase is Phase.DENOISING


async def test_an_answer_for_a_painting_that_is_not_there_is_ignored(begin, engine: EngineProcess) -> None:
    mistaken, other = begin("mistake all of it")[0], begin()[0]

    assert (await mistaken).pixels.exists()
    assert (await other).pixels.exists()


async def test_progress_carries_time_left_and_previews_and_repeats_no_preview(
    engine: EngineProcess, tmp_path: Path
) -> None:
    heard: list[Progress] = []

    await engine.paint(
        new_spec(num_inference_steps=10), workspace=tmp_path, on_progress=heard.append, preview_every=lambda: 5
    )

    assert [one.step for one in heard if one.preview] == [5, 10]
    assert {one.step: one.eta_ms for one in heard if one.phase is Phase.DENOISING}[5] == 100


async def test_the_child_is_told_how_to_compute_and_says_what_it_makes_of_it(tmp_path: Path) -> None:
    engine = new_engine(device="cpu", threads=3, slots=2, calibrations=tmp_path, compute=Compute.FAST, dtype="bfloat16")
    assert engine.state().slots == 2
    await engine.start()

    await until(lambda: engine.state().is_ready)

    state = engine.state()
    assert (state.device, state.slots) == ("cpu", 2)
    assert state.why == f"a rehearsal over {tmp_path} with 3 threads"
    assert state.notes == ("fast bfloat16", "adapter ink")
    await engine.close()


async def test_those_who_wait_hear_so_again_and_again(begin) -> None:
    first, _ = begin(steps=20)
    second, heard = begin()

    await asyncio.gather(first, second)

    assert [progress.phase for progress in heard].count(Phase.WAITING) >= 3


async def test_closing_kills_the_child_and_fails_what_is_left(begin, engine: EngineProcess) -> None:
    painting, heard = begin(steps=500)
    waiting, _ = begin()
    await until(lambda: is_denoising(heard))
    pid = int(engine.state().device_name)

    await engine.close()

    with pytest.raises(EngineStopped):
        await painting
    with pytest.raises(EngineStopped):
        await waiting
    assert not is_alive(pid)


async def test_an_engine_that_never_starts_fails_those_who_wait(tmp_path: Path) -> None:
    engine = new_engine(model="broken-start")
    await engine.start()

    with pytest.raises(EngineStopped, match=r"does not start.*status 4"):
        await engine.paint(new_spec(), workspace=tmp_path, on_progress=lambda _: None)

    assert not engine.state().is_ready
    await engine.close()


async def test_a_progress_callback_that_raises_harms_nobody_but_its_loop_log(
    engine: EngineProcess, tmp_path: Path
) -> None:
    heard: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))

    def clumsy(_: Progress) -> None:
        raise ValueError("clumsy")

    painting = await engine.paint(new_spec(), workspace=tmp_path, on_progress=clumsy)

    assert painting.pixels.exists()
    assert heard


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import asyncio, os\n"
        "from pathlib import Path\n"
        "from plugins.tiny_specs import card_of, catalogue_of\n"
        "from models.process.engine import EngineProcess\n"
        "async def main():\n"
        "    engine = EngineProcess(catalogue_of(card_of(Path('x'))), environment=os.environ, entry='plugins.rehearsal_child')\n"
        "    await engine.start()\n"
        "    while not engine.state().is_ready:\n"
        "        await asyncio.sleep(0.01)\n"
        "    print('pid', engine.state().device_name, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, str(program)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = next(int(line.split()[1]) for line in parent.stdout if line.startswith("pid"))
        assert is_alive(pid)
        parent.kill()

    asyncio.run(until(lambda: not is_alive(pid)))

    assert not is_alive(pid)

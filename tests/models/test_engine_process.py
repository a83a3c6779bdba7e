"""The parent's side: what a child may do, and what becomes of those who wait. The child here is a rehearsal."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from plugins.tiny_specs import card_of, catalogue_of, new_spec

from models import EngineStopped, Painting, Phase, Progress
from models.child_process import EngineLimits
from models.engine_process import EngineProcess

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
LIMITS = EngineLimits(denoising_s=0.5, term_s=1.0, first_backoff_s=0.01, beat_s=0.05)


def new_engine(*, model: str = "tiny", limits: EngineLimits = LIMITS) -> EngineProcess:
    catalogue = catalogue_of(card_of(Path("nowhere"), name=model))
    return EngineProcess(catalogue, environment=ENVIRONMENT, limits=limits, entry="plugins.rehearsal_child")


@pytest.fixture
async def engine() -> AsyncIterator[EngineProcess]:
    engine = new_engine()
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def begin(engine: EngineProcess, tmp_path: Path) -> Callable[..., tuple[asyncio.Task[Painting], list[Progress]]]:
    """Start painting; the list fills with progress."""

    def started(prompt: str = "paint", steps: int = 3) -> tuple[asyncio.Task[Painting], list[Progress]]:
        heard: list[Progress] = []
        spec = new_spec(prompt=prompt, num_inference_steps=steps)
        return asyncio.create_task(engine.paint(spec, workspace=tmp_path, on_progress=heard.append)), heard

    return started


async def until(fact: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not fact():  # noqa: ASYNC110 - the fact is another process's
            await asyncio.sleep(0.005)


def is_denoising(heard: list[Progress]) -> bool:
    return any(progress.phase is Phase.DENOISING for progress in heard)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


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
        "from models.engine_process import EngineProcess\n"
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

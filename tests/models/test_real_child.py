"""The engine's real child, with torch, on a tiny model."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from plugins.tiny_specs import card_of, catalogue_of, new_spec

from models import EngineStopped, ModelUnavailable, Phase, Progress, WeightsRejected
from models.process.engine import EngineProcess

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

pytestmark = pytest.mark.asyncio(loop_scope="module")


def ignore(_: Progress) -> None:
    """Progress nobody reads."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine(sd1: Path, sdxl: Path) -> AsyncIterator[EngineProcess]:
    cards = (
        card_of(sd1),
        card_of(sdxl, name="xl", is_default=False),
        card_of(sd1 / "unet", name="nothing", is_default=False),
    )
    engine = EngineProcess(catalogue_of(*cards), environment=ENVIRONMENT, device="cpu", threads=1)
    await engine.start()
    yield engine
    await engine.close()


async def test_a_second_model_is_loaded_when_first_asked_for(engine: EngineProcess, tmp_path: Path) -> None:
    heard: list[Progress] = []

    await engine.paint(new_spec(model="xl"), workspace=tmp_path, on_progress=heard.append)

    assert Phase.LOADING in {progress.phase for progress in heard}
    assert set(engine.state().resident_models) == {"tiny", "xl"}


async def test_failures_keep_their_kind_across_the_pipe(engine: EngineProcess, tmp_path: Path) -> None:
    with pytest.raises(WeightsRejected, match=r"model_index\.json cannot be read"):
        await engine.paint(new_spec(model="nothing"), workspace=tmp_path, on_progress=ignore)
    with pytest.raises(ModelUnavailable, match="without a model called 'unheard'"):
        await engine.paint(new_spec(model="unheard"), workspace=tmp_path, on_progress=ignore)


async def test_a_child_killed_while_it_paints_is_replaced_and_paints_the_same(
    engine: EngineProcess, tmp_path: Path
) -> None:
    before = await engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore)
    begun = asyncio.Event()

    def note(progress: Progress) -> None:
        if progress.phase is Phase.DENOISING:
            begun.set()

    lost = asyncio.create_task(engine.paint(new_spec(num_inference_steps=900), workspace=tmp_path, on_progress=note))
    await begun.wait()
    for child in children_of(os.getpid()):
        os.kill(child, signal.SIGKILL)

    with pytest.raises(EngineStopped, match="killed by signal 9"):
        await lost
    after = await engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore)
    assert after.recipe == before.recipe


async def test_a_device_that_is_not_there_is_said_and_refused(sd1: Path, tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "CUDA_VISIBLE_DEVICES": ""}
    engine = EngineProcess(catalogue_of(card_of(sd1)), environment=environment, device="cuda")
    await engine.start()

    with pytest.raises(ModelUnavailable, match="no CUDA device was found"):
        await engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore)

    assert not engine.state().is_ready
    assert "no CUDA device" in engine.state().why
    await engine.close()


def children_of(pid: int) -> list[int]:
    """Processes of ours that run the engine."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if b"models.diffusion.child" in Path(f"/proc/{child}/cmdline").read_bytes()]

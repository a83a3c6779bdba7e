"""What every engine promises, whatever paints: the fake that other tests use, and the child process."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from plugins.fake_engine import FakeEngine
from plugins.tiny_specs import card_of, catalogue_of, new_spec, plain_size

from models import Engine, EngineStopped, Failed, ModelUnavailable, Phase, Progress
from models.process.engine import EngineProcess

ROOT = Path(__file__).resolve().parents[2]
SLOTS = 3

pytestmark = pytest.mark.asyncio(loop_scope="module")


def ignore(_: Progress) -> None:
    """Progress nobody reads."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sd1

    return build_sd1(tmp_path_factory.mktemp("models") / "sd1")


def new_engine(kind: str, folder: Path) -> Engine:
    if kind == "fake":
        return FakeEngine(slots=SLOTS, model="tiny")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return EngineProcess(catalogue_of(card_of(folder)), environment=environment, device="cpu", threads=1, slots=SLOTS)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["fake", "process"])
async def engine(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Engine]:
    engine = new_engine(request.param, folder)
    await engine.start()
    yield engine
    await engine.close()


async def test_the_fingerprint_of_a_resident_model_is_the_one_under_which_it_paints(
    engine: Engine, tmp_path: Path
) -> None:
    spec = new_spec()

    painting = await engine.paint(spec, workspace=tmp_path, on_progress=ignore)

    now = engine.state().fingerprints[spec.model]
    painted = painting.recipe.fingerprint
    assert replace(now, batch_class=painted.batch_class, decoding=painted.decoding) == painted


async def test_the_file_holds_the_picture_that_the_recipe_describes(engine: Engine, tmp_path: Path) -> None:
    spec = new_spec(size=plain_size(48, 32))

    painting = await engine.paint(spec, workspace=tmp_path, on_progress=ignore)

    pixels = painting.pixels.read_bytes()
    assert painting.pixels.parent == tmp_path
    assert painting.size == spec.size.delivered
    assert len(pixels) == 48 * 32 * 3
    assert painting.recipe.spec == spec
    assert painting.recipe.pixel_sha256 == hashlib.sha256(pixels).hexdigest()
    assert painting.render_ms >= 0


async def test_equal_specs_give_equal_pixels_and_other_seeds_others(engine: Engine, tmp_path: Path) -> None:
    paintings = [
        await engine.paint(new_spec(seed=seed), workspace=tmp_path, on_progress=ignore) for seed in (1, 1, 2, 2**32 - 1)
    ]

    one, again, *others = (painting.recipe.pixel_sha256 for painting in paintings)
    assert one == again
    assert len({one, *others}) == 3
    assert len({painting.pixels for painting in paintings}) == 4


async def test_steps_are_counted_to_the_last(engine: Engine, tmp_path: Path) -> None:
    heard: list[Progress] = []

    await engine.paint(new_spec(num_inference_steps=3), workspace=tmp_path, on_progress=heard.append)

    steps = [progress.step for progress in heard if progress.phase is Phase.DENOISING]
    assert steps == sorted(steps)
    assert steps[-1] == 3
    assert {progress.steps for progress in heard if progress.phase is Phase.DENOISING} == {3}
    assert heard[0].phase is Phase.WAITING


async def test_everyone_who_asks_at_once_is_answered(engine: Engine, tmp_path: Path) -> None:
    paintings = await asyncio.gather(
        *(engine.paint(new_spec(seed=seed), workspace=tmp_path, on_progress=ignore) for seed in range(8))
    )

    assert [painting.recipe.spec.seed for painting in paintings] == list(range(8))
    assert len({painting.recipe.pixel_sha256 for painting in paintings}) == 8


async def test_as_many_as_there_are_slots_paint_at_a_time(engine: Engine, tmp_path: Path) -> None:
    """Each painting's steps are heard before the one before it ends; the one too many hears only that it waits."""
    heard: list[list[Progress]] = [[] for _ in range(SLOTS + 1)]
    began_together: list[bool] = []

    def note_first(progress: Progress) -> None:
        heard[0].append(progress)
        if progress.step == 20:
            began_together.append(all(any(one.step for one in others) for others in heard[:SLOTS]))
            began_together.append({one.phase for one in heard[SLOTS]} == {Phase.WAITING})

    listeners = [note_first, *(others.append for others in heard[1:])]
    await asyncio.gather(
        *(
            engine.paint(new_spec(seed=seed, num_inference_steps=20), workspace=tmp_path, on_progress=listener)
            for seed, listener in enumerate(listeners)
        )
    )

    assert engine.state().slots == SLOTS
    assert began_together == [True, True]


async def test_company_changes_nobodys_picture(engine: Engine, tmp_path: Path) -> None:
    specs = [new_spec(seed=seed, prompt=f"boat {seed}", num_inference_steps=3 + seed) for seed in range(SLOTS + 2)]
    alone = [await engine.paint(spec, workspace=tmp_path, on_progress=ignore) for spec in specs]

    together = await asyncio.gather(*(engine.paint(spec, workspace=tmp_path, on_progress=ignore) for spec in specs))

    assert [one.recipe.pixel_sha256 for one in together] == [one.recipe.pixel_sha256 for one in alone]


async def test_previews_are_jpegs_at_the_steps_asked_for(engine: Engine, tmp_path: Path) -> None:
    heard: list[Progress] = []

    await engine.paint(
        new_spec(num_inference_steps=5), workspace=tmp_path, on_progress=heard.append, preview_every=lambda: 2
    )

    previews = {progress.step: progress.preview for progress in heard if progress.preview}
    assert sorted(previews) == [2, 4]
    assert {Image.open(io.BytesIO(preview)).format for preview in previews.values()} == {"JPEG"}


async def test_whoever_begins_to_look_is_shown_previews_until_he_looks_away(engine: Engine, tmp_path: Path) -> None:
    spec, heard = new_spec(num_inference_steps=24, seed=5), list[Progress]()
    unseen = await engine.paint(spec, workspace=tmp_path, on_progress=ignore)

    def shown() -> list[int]:
        return [progress.step for progress in heard if progress.preview]

    def looks() -> int:
        return 2 if any(progress.step >= 4 for progress in heard) and len(shown()) < 3 else 0

    seen = await engine.paint(spec, workspace=tmp_path, on_progress=heard.append, preview_every=looks)

    assert 3 <= len(shown()) < 10
    assert shown()[0] > 4
    assert all(step % 2 == 0 for step in shown())
    assert seen.recipe.pixel_sha256 == unseen.recipe.pixel_sha256


async def test_the_time_left_is_said_and_falls(engine: Engine, tmp_path: Path) -> None:
    heard: list[Progress] = []

    await engine.paint(new_spec(num_inference_steps=8), workspace=tmp_path, on_progress=heard.append)

    left = [one.eta_ms for one in heard if one.phase is Phase.DENOISING and one.eta_ms is not None]
    assert left
    assert min(left) >= 0
    assert left[-1] < left[0]


async def test_cancelling_one_stops_it_and_nothing_else(engine: Engine, tmp_path: Path) -> None:
    begun = asyncio.Event()
    heard: list[Progress] = []

    def note(progress: Progress) -> None:
        heard.append(progress)
        if progress.phase is Phase.DENOISING:
            begun.set()

    unwanted = asyncio.create_task(
        engine.paint(new_spec(num_inference_steps=900), workspace=tmp_path, on_progress=note)
    )
    other = asyncio.create_task(engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore))
    await begun.wait()
    unwanted.cancel()

    with pytest.raises(asyncio.CancelledError):
        await unwanted
    assert (await other).pixels.exists()
    assert heard[-1].step < 900


async def test_an_engine_that_paints_calls_itself_ready(engine: Engine, tmp_path: Path) -> None:
    await engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore)

    state = engine.state()

    assert state.is_ready
    assert state.device == "cpu"
    assert state.device_name
    assert state.resident_models
    assert state.why


@pytest.mark.parametrize("kind", ["fake", "process"])
async def test_a_closed_engine_paints_no_more(kind: str, folder: Path, tmp_path: Path) -> None:
    engine = new_engine(kind, folder)
    await engine.start()
    inside = asyncio.create_task(
        engine.paint(new_spec(num_inference_steps=900), workspace=tmp_path, on_progress=ignore)
    )
    await asyncio.sleep(0)

    await engine.close()

    with pytest.raises(EngineStopped):
        await inside
    with pytest.raises(EngineStopped):
        await engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore)
    assert not engine.state().is_ready


async def test_the_fake_fails_when_told_to(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.fail_next(ModelUnavailable("away"))

    with pytest.raises(Failed, match="away"):
        await engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore)
    assert (await engine.paint(new_spec(), workspace=tmp_path, on_progress=ignore)).pixels.exists()
    assert len(engine.painted) == 1

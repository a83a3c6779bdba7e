"""Models that have no adapter of ours paint as a whole, and leave the others their turns."""

import inspect as signatures
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import LatentConsistencyModelPipeline, PixArtAlphaPipeline
from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING
from plugins.at_once import whatever_at_once
from plugins.driven_loop import DrivenLoop, driven_loop
from plugins.tiny_specs import card_of, new_spec
from plugins.tiny_wholes import build_lcm, build_pag, build_pixart

from models import Execution, Family, GenerationSpec, InitImage, Phase, Refining, Sampler
from models.diffusion.device import Device
from models.diffusion.families.building import BUILDERS
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.whole import WholePipeline, unchanged
from models.diffusion.weights.folders import inspect
from models.errors import WeightsRejected
from models.process import protocol as wire
from models.whole_pipelines import WHOLE_PIPELINES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

STEPS = 5
PIXART = new_spec(model="pixart", sampler=Sampler.DPMPP_2M, num_inference_steps=STEPS)
LCM = new_spec(model="lcm", sampler=Sampler.LCM, num_inference_steps=STEPS)
PAG = new_spec(model="pag", num_inference_steps=STEPS)
NEIGHBOUR = new_spec(num_inference_steps=STEPS)


@pytest.fixture(scope="module")
def pixart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_pixart(tmp_path_factory.mktemp("models") / "pixart")


@pytest.fixture(scope="module")
def lcm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_lcm(tmp_path_factory.mktemp("models") / "lcm")


@pytest.fixture(scope="module")
def pag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_pag(tmp_path_factory.mktemp("models") / "pag")


@pytest.fixture
def loop(sd1: Path, pixart: Path, lcm: Path, pag: Path, device: Device, tmp_path: Path) -> DrivenLoop:
    folders = {"pixart": pixart, "lcm": lcm, "pag": pag}
    cards = {name: replace(card_of(folder, name=name), family=Family.OTHER) for name, folder in folders.items()}
    return driven_loop({"tiny": card_of(sd1), **cards}, device, tmp_path)


def diffusers_pixels(pipeline: Any, spec: GenerationSpec, **more: object) -> bytes:
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline(
        spec.prompt,
        width=spec.size.painted.width,
        height=spec.size.painted.height,
        num_inference_steps=spec.num_inference_steps,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        **more,
    ).images[0]
    return picture.tobytes()


def whole_of(loop: DrivenLoop, model: str) -> WholePipeline:
    pieces: Residency = loop.loop._residency
    loaded = whatever_at_once(pieces.pipeline(model))
    assert isinstance(loaded, WholePipeline)
    return loaded


def test_the_picture_is_diffusers_picture(loop: DrivenLoop, pixart: Path, lcm: Path) -> None:
    theirs = {
        loop.ask(PIXART): diffusers_pixels(
            PixArtAlphaPipeline.from_pretrained(pixart),
            PIXART,
            negative_prompt=PIXART.negative_prompt,
            use_resolution_binning=False,
            clean_caption=False,
        ),
        loop.ask(LCM): diffusers_pixels(LatentConsistencyModelPipeline.from_pretrained(lcm, safety_checker=None), LCM),
    }
    loop.run()

    for number, end in loop.ended().items():
        assert isinstance(end, wire.Painted)
        assert end.painting.pixels.read_bytes() == theirs[number]


def test_the_recipe_says_that_it_ran_as_a_whole_and_which_steps(loop: DrivenLoop) -> None:
    number = loop.ask(PIXART)
    loop.run()

    end = loop.ended()[number]
    assert isinstance(end, wire.Painted)
    assert end.painting.recipe.fingerprint.execution is Execution.PIPELINE
    assert len(end.painting.recipe.timesteps) == STEPS
    assert loop.steps(number) == list(range(STEPS + 1))
    assert any("PixArtAlphaPipeline" in note for note in loop.loop._residency.notes())


@pytest.mark.parametrize("spec", [PIXART, PAG], ids=["pixart", "pag"])
def test_equal_specs_give_equal_pixels_among_any_others(loop: DrivenLoop, spec: GenerationSpec) -> None:
    alone = loop.ask(spec)
    loop.run()
    short = loop.ask(replace(spec, num_inference_steps=2))
    twins = [loop.ask(spec), loop.ask(LCM), loop.ask(replace(spec, seed=8)), loop.ask(spec)]
    loop.ask(NEIGHBOUR)
    loop.run()
    after = loop.ask(spec)
    loop.run()

    pixels = loop.pixels()
    assert pixels[twins[0]] == pixels[twins[3]] == pixels[after] == pixels[alone]
    assert len({pixels[number] for number in (alone, twins[2], short)}) == 3


def test_a_model_paints_one_picture_after_the_other(loop: DrivenLoop) -> None:
    first, second = loop.ask(PAG), loop.ask(replace(PAG, seed=8))
    loop.run()

    begun = [report for report in loop.reports if isinstance(report, wire.Beat) and report.phase is Phase.ENCODING]
    ended = loop.ended()[first]
    assert [beat.number for beat in begun] == [first, second]
    assert loop.reports.index(begun[1]) > loop.reports.index(ended)


def test_others_step_between_its_steps(loop: DrivenLoop) -> None:
    loop.loop.load("tiny")
    loop.loop.load("pixart")
    whole, neighbour = loop.ask(PIXART), loop.ask(NEIGHBOUR)
    loop.run()

    beats = [report.number for report in loop.reports if isinstance(report, wire.Beat) and report.steps]
    first, last = beats.index(whole), len(beats) - 1 - beats[::-1].index(whole)
    assert beats[first:last].count(neighbour) >= STEPS - 1


def paint_until_the_second_step(loop: DrivenLoop, number: int) -> None:
    while 2 not in loop.steps(number):
        assert number not in loop.ended()
        loop.tick()


@pytest.mark.parametrize("spec", [PIXART, PAG], ids=["pixart", "pag"])
def test_a_cancel_in_the_middle_stops_it_at_the_next_step(loop: DrivenLoop, spec: GenerationSpec) -> None:
    before = loop.ask(spec)
    loop.run()
    number, neighbour, next_one = loop.ask(spec), loop.ask(NEIGHBOUR), loop.ask(spec)
    paint_until_the_second_step(loop, number)
    loop.canceled.add(number)
    loop.run()

    assert isinstance(loop.ended()[number], wire.Stopped)
    assert max(loop.steps(number)) <= 3
    pixels = loop.pixels()
    assert neighbour in pixels
    assert pixels[next_one] == pixels[before]


def test_what_a_pipeline_exchanged_is_put_back_after_a_cancel(loop: DrivenLoop) -> None:
    network = whole_of(loop, "pag").pipeline.unet
    before = network.attn_processors
    number = loop.ask(PAG)
    paint_until_the_second_step(loop, number)
    during = network.attn_processors
    loop.canceled.add(number)
    loop.run()

    after = network.attn_processors
    assert any(during[name] is not processor for name, processor in before.items())
    assert all(after[name] is processor for name, processor in before.items())


def test_an_autoencoder_that_a_failed_painting_left_in_another_dtype_is_put_back() -> None:
    network = torch.nn.Linear(2, 2).half()

    def paint_and_fail() -> None:
        with unchanged([network, torch.nn.Identity()]):
            network.float()
            raise RuntimeError("a kernel failed")

    with pytest.raises(RuntimeError):
        paint_and_fail()

    assert network.weight.dtype is torch.float16


def test_who_is_cancelled_while_waiting_holds_nobody_up(loop: DrivenLoop) -> None:
    first, impatient, last = (loop.ask(PAG) for _ in range(3))
    paint_until_the_second_step(loop, first)
    loop.canceled.add(impatient)
    loop.run()

    assert isinstance(loop.ended()[impatient], wire.Stopped)
    assert loop.steps(impatient) == []
    assert loop.pixels()[first] == loop.pixels()[last]


@pytest.mark.parametrize(("spec", "network"), [(PIXART, "transformer"), (PAG, "unet")], ids=["pixart", "pag"])
def test_a_pipeline_that_fails_in_the_middle_fails_alone(
    loop: DrivenLoop, caplog: pytest.LogCaptureFixture, spec: GenerationSpec, network: str
) -> None:
    passes = iter(range(100))

    def fail_at_the_third(*_: object) -> None:
        if next(passes) == 2:
            raise RuntimeError("a kernel failed")

    before = loop.ask(spec)
    loop.run()
    pipeline = whole_of(loop, spec.model).pipeline
    hook = getattr(pipeline, network).register_forward_pre_hook(fail_at_the_third)
    caplog.set_level(logging.CRITICAL)
    guilty, neighbour = loop.ask(spec), loop.ask(NEIGHBOUR)
    loop.run()
    hook.remove()
    again = loop.ask(spec)
    loop.run()

    failed = loop.ended()[guilty]
    assert isinstance(failed, wire.Broken)
    assert failed.kind == "PaintingBroken"
    pixels = loop.pixels()
    assert neighbour in pixels
    assert pixels[again] == pixels[before]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "lcm", "sampler": Sampler.EULER}, "painted with lcm, not with euler"),
        ({"sampler": Sampler.LCM}, "not with lcm"),
        ({"init_image": InitImage(sha256="0" * 64, strength=0.5)}, "starts from noise alone"),
        ({"clip_skip": 1}, "no layers can be left out"),
        (
            {"refining": Refining(rounds=1, strength=0.5, num_inference_steps=4, guidance_scale=1.0)},
            "cannot refine its paintings",
        ),
    ],
)
def test_what_the_pipeline_cannot_do_is_refused_in_words(
    loop: DrivenLoop, changes: dict[str, object], reason: str
) -> None:
    number = loop.ask(replace(PIXART, **changes))  # type: ignore[arg-type]
    loop.run()

    failed = loop.ended()[number]
    assert isinstance(failed, wire.Broken)
    assert reason in failed.message


def test_another_sampler_of_the_pipelines_kind_paints_another_picture(loop: DrivenLoop) -> None:
    numbers = [loop.ask(replace(PIXART, sampler=sampler)) for sampler in (Sampler.DPMPP_2M, Sampler.EULER)]
    loop.run()

    assert len({loop.pixels()[number] for number in numbers}) == 2


def changed(folder: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The folder's parts by link, with another index."""
    target.mkdir()
    for part in folder.iterdir():
        if part.is_dir():
            (target / part.name).symlink_to(part)
    index = json.loads((folder / "model_index.json").read_text())
    change(index)
    (target / "model_index.json").write_text(json.dumps(index))
    return target


@pytest.mark.parametrize(
    "named", [["my_code", "Transformer"], ["os", "system"], ["diffusers", "_Hidden"], ["diffusers"], ["diffusers", 3]]
)
def test_components_from_elsewhere_are_refused(pixart: Path, tmp_path: Path, named: list[object]) -> None:
    folder = changed(pixart, tmp_path / "model", lambda index: index.update(transformer=named))

    with pytest.raises(WeightsRejected, match="transformer"):
        inspect(folder)


def test_a_class_that_is_none_is_refused_when_it_is_loaded(pixart: Path, tmp_path: Path, device: Device) -> None:
    folder = changed(pixart, tmp_path / "model", lambda index: index.update(transformer=["diffusers", "utils"]))

    with pytest.raises(WeightsRejected, match="could not be loaded"):
        whatever_at_once(Residency({"tiny": card_of(folder)}, device).pipeline("tiny"))


def test_every_text_to_image_pipeline_of_diffusers_that_we_can_drive_is_known() -> None:
    wanted = {"prompt", "generator", "num_inference_steps", "height", "output_type"}
    known = {kind.__name__: set(signatures.signature(kind.__call__).parameters) for kind in _pipelines()}
    drivable = {
        name
        for name, takes in known.items()
        if wanted <= takes and takes & {"callback", "callback_on_step_end"} and "Control" not in name
    }

    assert drivable - set(BUILDERS) - {"HeliosPipeline"} - {name for name in drivable if "Combined" in name} == set(
        WHOLE_PIPELINES
    )


def _pipelines() -> list[type]:
    return list(AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values())


def test_what_a_card_adds_to_a_whole_pipeline_is_refused_and_not_forgotten(
    pixart: Path, tmp_path: Path, device: Device
) -> None:
    for added in ({"vae": pixart / "vae"}, {"embeddings": {"cat": pixart / "vae" / "config.json"}}):
        card = replace(card_of(pixart, name="pixart"), family=Family.OTHER, **added)

        with pytest.raises(WeightsRejected, match="as a whole; its card may name neither"):
            whatever_at_once(Residency({"pixart": card}, device).pipeline("pixart"))


def test_a_whole_pipeline_reads_a_weighted_word_as_the_word(loop: DrivenLoop) -> None:
    weighted = replace(PIXART, prompt=PIXART.prompt.replace("red", "(red:1.4)"))
    numbers = [loop.ask(spec) for spec in (PIXART, weighted)]
    loop.run()

    first, second = (loop.pixels()[number] for number in numbers)
    assert weighted.prompt != PIXART.prompt
    assert first == second

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
from plugins.open_studio import OpenStudio, open_studio
from plugins.tiny_specs import card_of, new_spec
from plugins.tiny_wholes import build_lcm, build_pag, build_pixart

from models import Execution, Family, GenerationSpec, InitImage, Phase, Refining, Sampler
from models import child_protocol as wire
from models.diffusion.device import Device
from models.diffusion.families.building import BUILDERS
from models.diffusion.families.whole import WholePipeline, unchanged
from models.diffusion.residency import Residency
from models.diffusion.weights import inspect
from models.errors import WeightsRejected
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
def studio(sd1: Path, pixart: Path, lcm: Path, pag: Path, device: Device, tmp_path: Path) -> OpenStudio:
    folders = {"pixart": pixart, "lcm": lcm, "pag": pag}
    cards = {name: replace(card_of(folder, name=name), family=Family.OTHER) for name, folder in folders.items()}
    return open_studio({"tiny": card_of(sd1), **cards}, device, tmp_path)


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


def whole_of(studio: OpenStudio, model: str) -> WholePipeline:
    pieces: Residency = studio.studio._residency
    loaded = whatever_at_once(pieces.pipeline(model))
    assert isinstance(loaded, WholePipeline)
    return loaded


def test_the_picture_is_diffusers_picture(studio: OpenStudio, pixart: Path, lcm: Path) -> None:
    theirs = {
        studio.ask(PIXART): diffusers_pixels(
            PixArtAlphaPipeline.from_pretrained(pixart),
            PIXART,
            negative_prompt=PIXART.negative_prompt,
            use_resolution_binning=False,
            clean_caption=False,
        ),
        studio.ask(LCM): diffusers_pixels(
            LatentConsistencyModelPipeline.from_pretrained(lcm, safety_checker=None), LCM
        ),
    }
    studio.run()

    for number, end in studio.ended().items():
        assert isinstance(end, wire.Painted)
        assert end.painting.pixels.read_bytes() == theirs[number]


def test_the_recipe_says_that_it_ran_as_a_whole_and_which_steps(studio: OpenStudio) -> None:
    number = studio.ask(PIXART)
    studio.run()

    end = studio.ended()[number]
    assert isinstance(end, wire.Painted)
    assert end.painting.recipe.fingerprint.execution is Execution.PIPELINE
    assert len(end.painting.recipe.timesteps) == STEPS
    assert studio.steps(number) == list(range(STEPS + 1))
    assert any("PixArtAlphaPipeline" in note for note in studio.studio._residency.notes())


@pytest.mark.parametrize("spec", [PIXART, PAG], ids=["pixart", "pag"])
def test_equal_specs_give_equal_pixels_in_any_company(studio: OpenStudio, spec: GenerationSpec) -> None:
    alone = studio.ask(spec)
    studio.run()
    short = studio.ask(replace(spec, num_inference_steps=2))
    twins = [studio.ask(spec), studio.ask(LCM), studio.ask(replace(spec, seed=8)), studio.ask(spec)]
    studio.ask(NEIGHBOUR)
    studio.run()
    after = studio.ask(spec)
    studio.run()

    pixels = studio.pixels()
    assert pixels[twins[0]] == pixels[twins[3]] == pixels[after] == pixels[alone]
    assert len({pixels[number] for number in (alone, twins[2], short)}) == 3


def test_a_model_paints_one_picture_after_the_other(studio: OpenStudio) -> None:
    first, second = studio.ask(PAG), studio.ask(replace(PAG, seed=8))
    studio.run()

    begun = [report for report in studio.reports if isinstance(report, wire.Beat) and report.phase is Phase.ENCODING]
    ended = studio.ended()[first]
    assert [beat.number for beat in begun] == [first, second]
    assert studio.reports.index(begun[1]) > studio.reports.index(ended)


def test_others_step_between_its_steps(studio: OpenStudio) -> None:
    studio.studio.load("tiny")
    studio.studio.load("pixart")
    whole, neighbour = studio.ask(PIXART), studio.ask(NEIGHBOUR)
    studio.run()

    beats = [report.number for report in studio.reports if isinstance(report, wire.Beat) and report.steps]
    first, last = beats.index(whole), len(beats) - 1 - beats[::-1].index(whole)
    assert beats[first:last].count(neighbour) >= STEPS - 1


def paint_until_the_second_step(studio: OpenStudio, number: int) -> None:
    while 2 not in studio.steps(number):
        assert number not in studio.ended()
        studio.tick()


@pytest.mark.parametrize("spec", [PIXART, PAG], ids=["pixart", "pag"])
def test_a_cancel_in_the_middle_stops_it_at_the_next_step(studio: OpenStudio, spec: GenerationSpec) -> None:
    before = studio.ask(spec)
    studio.run()
    number, neighbour, next_one = studio.ask(spec), studio.ask(NEIGHBOUR), studio.ask(spec)
    paint_until_the_second_step(studio, number)
    studio.canceled.add(number)
    studio.run()

    assert isinstance(studio.ended()[number], wire.Stopped)
    assert max(studio.steps(number)) <= 3
    pixels = studio.pixels()
    assert neighbour in pixels
    assert pixels[next_one] == pixels[before]


def test_what_a_pipeline_exchanged_is_put_back_after_a_cancel(studio: OpenStudio) -> None:
    network = whole_of(studio, "pag").pipeline.unet
    before = network.attn_processors
    number = studio.ask(PAG)
    paint_until_the_second_step(studio, number)
    during = network.attn_processors
    studio.canceled.add(number)
    studio.run()

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


def test_who_is_cancelled_while_waiting_holds_nobody_up(studio: OpenStudio) -> None:
    first, impatient, last = (studio.ask(PAG) for _ in range(3))
    paint_until_the_second_step(studio, first)
    studio.canceled.add(impatient)
    studio.run()

    assert isinstance(studio.ended()[impatient], wire.Stopped)
    assert studio.steps(impatient) == []
    assert studio.pixels()[first] == studio.pixels()[last]


@pytest.mark.parametrize(("spec", "network"), [(PIXART, "transformer"), (PAG, "unet")], ids=["pixart", "pag"])
def test_a_pipeline_that_fails_in_the_middle_fails_alone(
    studio: OpenStudio, caplog: pytest.LogCaptureFixture, spec: GenerationSpec, network: str
) -> None:
    passes = iter(range(100))

    def fail_at_the_third(*_: object) -> None:
        if next(passes) == 2:
            raise RuntimeError("a kernel failed")

    before = studio.ask(spec)
    studio.run()
    pipeline = whole_of(studio, spec.model).pipeline
    hook = getattr(pipeline, network).register_forward_pre_hook(fail_at_the_third)
    caplog.set_level(logging.CRITICAL)
    guilty, neighbour = studio.ask(spec), studio.ask(NEIGHBOUR)
    studio.run()
    hook.remove()
    again = studio.ask(spec)
    studio.run()

    failed = studio.ended()[guilty]
    assert isinstance(failed, wire.Broken)
    assert failed.kind == "PaintingBroken"
    pixels = studio.pixels()
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
            "cannot go over its paintings",
        ),
    ],
)
def test_what_the_pipeline_cannot_do_is_refused_in_words(
    studio: OpenStudio, changes: dict[str, object], reason: str
) -> None:
    number = studio.ask(replace(PIXART, **changes))  # type: ignore[arg-type]
    studio.run()

    failed = studio.ended()[number]
    assert isinstance(failed, wire.Broken)
    assert reason in failed.message


def test_another_sampler_of_the_pipelines_kind_paints_another_picture(studio: OpenStudio) -> None:
    numbers = [studio.ask(replace(PIXART, sampler=sampler)) for sampler in (Sampler.DPMPP_2M, Sampler.EULER)]
    studio.run()

    assert len({studio.pixels()[number] for number in numbers}) == 2


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


def test_a_whole_pipeline_reads_a_weighted_word_as_the_word(studio: OpenStudio) -> None:
    weighted = replace(PIXART, prompt=PIXART.prompt.replace("red", "(red:1.4)"))
    numbers = [studio.ask(spec) for spec in (PIXART, weighted)]
    studio.run()

    first, second = (studio.pixels()[number] for number in numbers)
    assert weighted.prompt != PIXART.prompt
    assert first == second

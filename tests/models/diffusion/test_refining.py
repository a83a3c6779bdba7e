"""What was painted is refined: as if it had been sent back as a picture to start from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from plugins.driven_loop import DrivenLoop, driven_loop
from plugins.tiny_loras import adapter_card, write_lora
from plugins.tiny_pictures import put
from plugins.tiny_specs import card_of, new_spec, plain_size

from gateway.generations.showing.progress import JointProgress
from models import Adapter, GenerationSpec, InitImage, Painting, PaintingBroken, Progress, Refining
from models.catalogue import refiner_of
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.refining import SEED_STRIDE, round_of
from models.diffusion.painting.run import pass_wanted
from models.diffusion.pixels.levels import picture_of
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.schedule.noise import generator_of
from models.diffusion.steps.canvas import Canvas
from models.diffusion.steps.denoising import Denoising
from models.diffusion.steps.passes import run_pass
from models.engine import Phase
from models.process import protocol as wire
from models.process.protocol import Beat
from models.sampling import Refiner
from models.spec import Resampling, SizePlan

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

PaintAll = Callable[[GenerationSpec], tuple[Painting, list[Beat]]]
Denoise = Callable[[Path, GenerationSpec], torch.Tensor]
Load = Callable[[Path], Pipeline]
PaintWith = Callable[[Path, GenerationSpec], tuple[Painting, list[Beat]]]

OVER = Refining(rounds=1, strength=0.5, num_inference_steps=8, guidance_scale=1.0)


def refined_size(width: int = 32, height: int = 32) -> SizePlan:
    """Painted, and refined at twice the sides."""
    large = plain_size(2 * width, 2 * height)
    return replace(large, painted=plain_size(width, height).painted, refined=large.target)


def in_place() -> SizePlan:
    """Gone over as large as it was painted."""
    return replace(plain_size(), refined=plain_size().painted)


SPEC = new_spec(size=refined_size(), refining=OVER)


def picture(painting: Painting) -> Image.Image:
    size = (painting.size.width, painting.size.height)
    return Image.frombytes("RGB", size, painting.pixels.read_bytes())


@pytest.fixture
def loop(sd1: Path, device: Device, tmp_path: Path) -> DrivenLoop:
    return driven_loop({"tiny": card_of(sd1)}, device, tmp_path)


@pytest.fixture
def inked(sd1: Path, device: Device, tmp_path: Path) -> Callable[[], DrivenLoop]:
    """Fresh loops that have a LoRA."""
    card = adapter_card(write_lora(tmp_path / "ink.safetensors", sd1))
    return lambda: driven_loop(Residency({"tiny": card_of(sd1)}, device, {card.id: card}), device, tmp_path)


def test_it_is_the_painting_sent_back_enlarged(paint: PaintAll, tmp_path: Path) -> None:
    painting, _ = paint(SPEC)
    ours = picture(painting)
    base, _ = paint(replace(SPEC, size=plain_size(), refining=None))
    enlarged = picture(base).resize((64, 64), Image.Resampling.LANCZOS)
    by_hand = replace(
        SPEC,
        seed=SPEC.seed + SEED_STRIDE,
        size=plain_size(64, 64),
        refining=None,
        init_image=InitImage(sha256=put(enlarged, tmp_path), strength=OVER.strength),
        num_inference_steps=OVER.num_inference_steps,
        guidance_scale=OVER.guidance_scale,
    )
    theirs, _ = paint(by_hand)

    assert np.array_equal(np.asarray(ours), np.asarray(picture(theirs)))
    assert np.asarray(ours).std() > 0


def test_at_its_own_size_it_begins_at_the_very_latents(
    sd1: Path, load: Load, denoise: Denoise, paint: PaintAll, device: Device
) -> None:
    """Nothing is lost to eight bits and the autoencoder on the way."""
    spec, pipeline = replace(SPEC, size=in_place()), load(sd1)
    base = denoise(sd1, replace(spec, size=plain_size(), refining=None))
    again = replace(spec, size=plain_size(), refining=None, num_inference_steps=8, guidance_scale=1.0)
    generator = generator_of(SPEC.seed + SEED_STRIDE)
    noise = torch.randn(base.shape, generator=generator)
    denoising = Denoising(
        again,
        pipeline.texts.prepare(again),
        canvas=Canvas(generator=generator, noise=noise, picture=base, strength=OVER.strength),
        scheduler_config=pipeline.scheduler_config,
        device=device.torch_device,
    )
    while not denoising.is_finished:
        wanted = pass_wanted(again, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING))
        denoising.advance(run_pass([wanted], 1)[0])
    expected = picture_of(pipeline.network.decode(denoising.latents()))

    assert np.array_equal(np.asarray(picture(paint(spec)[0])), np.asarray(expected))


def test_progress_and_recipe_count_both_runs(paint: PaintAll) -> None:
    painting, beats = paint(SPEC)

    steps = [(beat.step, beat.steps) for beat in beats if beat.phase is Phase.DENOISING]
    assert steps == [(step, 7) for step in (0, 1, 2, 3, 3, 4, 5, 6, 7)]
    assert len(painting.recipe.timesteps) == 3 + 4
    assert painting.recipe.timesteps[3] < painting.recipe.timesteps[0]
    assert painting.recipe.spec == SPEC
    assert painting.size == SPEC.size.target


def test_each_round_has_noise_of_its_own_and_only_the_first_enlarges(paint: PaintAll) -> None:
    twice = replace(SPEC, refining=replace(OVER, rounds=2))
    painting, beats = paint(twice)
    ours = picture(painting)
    once = picture(paint(SPEC)[0])

    steps = [(beat.step, beat.steps) for beat in beats if beat.phase is Phase.DENOISING]
    assert steps == [(step, 11) for step in (0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11)]
    assert len(painting.recipe.timesteps) == 3 + 4 + 4
    assert len({twice.seed, *(round_of(twice, OVER, number).seed for number in range(2))}) == 3
    assert once.size == ours.size == (64, 64)
    assert once.tobytes() != ours.tobytes()


def test_stronger_changes_more(paint: PaintAll) -> None:
    base, _ = paint(replace(SPEC, size=plain_size(), refining=None))
    enlarged = np.asarray(picture(base).resize((64, 64), Image.Resampling.LANCZOS), float)
    changed = [
        np.abs(
            np.asarray(picture(paint(replace(SPEC, refining=replace(OVER, strength=strength)))[0]), float) - enlarged
        )
        for strength in (0.2, 0.8)
    ]

    assert changed[0].mean() < changed[1].mean()


def test_among_others_it_is_the_same_as_alone(inked: Callable[[], DrivenLoop]) -> None:
    """Of all sizes and stages at once, with and without a LoRA, those that end early and those that begin large."""
    by_lora = replace(OVER, adapters=(Adapter(id="ink", weight=1.0),))
    specs = [
        SPEC,
        replace(SPEC, seed=8),
        replace(SPEC, seed=9, size=refined_size(48, 32)),
        replace(SPEC, seed=10, size=in_place(), refining=replace(by_lora, rounds=3)),
        replace(SPEC, seed=11, size=in_place(), refining=by_lora),
        new_spec(size=plain_size(64, 64), guidance_scale=1.0, num_inference_steps=5),
        new_spec(),
    ]
    alone = []
    for spec in specs:
        lonely = inked()
        number = lonely.ask(spec)
        lonely.run()
        alone.append(lonely.pixels()[number])
    loop = inked()
    numbers = [loop.ask(spec) for spec in specs]
    loop.run()

    assert [loop.pixels()[number] for number in numbers] == alone
    assert len(set(alone)) == len(specs)


@pytest.mark.parametrize("ends", [False, True])
def test_a_caller_sees_it_go_forward_only(loop: DrivenLoop, ends: bool) -> None:
    """Nothing is counted twice, and once it is known how long it takes it stays known."""
    spec = replace(SPEC, refining=replace(OVER, rounds=2))
    number, joint = loop.ask(spec), JointProgress([spec])
    loop.run()
    beats = [report for report in loop.reports if isinstance(report, Beat) and report.number == number]
    told = [
        joint.note(0, Progress(phase=beat.phase, step=beat.step, steps=beat.steps, eta_ms=beat.eta_ms))
        for beat in beats
        if beat.phase is Phase.DENOISING or ends
    ]
    steps = [progress.step for progress in told if progress.phase is Phase.DENOISING]

    assert steps == sorted(steps)
    assert {progress.steps for progress in told if progress.phase is Phase.DENOISING} == {11}
    assert all(progress.eta_ms is not None for progress in told if progress.step)


@pytest.mark.parametrize("step", [2, 5])
def test_it_is_canceled_in_either_run(loop: DrivenLoop, step: int) -> None:
    number = loop.ask(SPEC)
    while step not in loop.steps(number):
        loop.tick()
    loop.canceled.add(number)
    loop.run()

    assert isinstance(loop.ended()[number], wire.Stopped)


def test_its_adapter_acts_on_the_second_run_alone(inked: Callable[[], DrivenLoop]) -> None:
    loop, by_lora = inked(), replace(OVER, adapters=(Adapter(id="ink", weight=1.0),))
    plain, other = (loop.ask(spec, preview_every=1) for spec in (SPEC, replace(SPEC, refining=by_lora)))
    loop.run()

    assert [shown(loop, plain)[step] == shown(loop, other)[step] for step in (1, 2, 7)] == [True, True, False]
    hashes = [loop.ended()[number].painting.recipe.fingerprint.adapters for number in (plain, other)]
    assert [list(named) for named in hashes] == [[], ["ink"]]


def shown(loop: DrivenLoop, number: int) -> dict[int, bytes | None]:
    """The preview at each step."""
    beats = (report for report in loop.reports if isinstance(report, Beat) and report.number == number)
    return {beat.step: beat.preview for beat in beats}


def test_a_model_whose_name_has_a_dot_has_a_refiner_too(sd1: Path, device: Device, tmp_path: Path) -> None:
    refiner = Refiner(steps=8, strength=0.5, path=write_lora(tmp_path / "over.safetensors", sd1))
    card = replace(card_of(sd1, name="sd-1.5"), refiner=refiner)
    loop = driven_loop({card.id: card}, device, tmp_path)
    by_lora = replace(OVER, adapters=(Adapter(id=refiner_of(card).id, weight=1.0),))
    number = loop.ask(replace(SPEC, model=card.id, refining=by_lora))
    loop.run()

    assert list(loop.ended()[number].painting.recipe.fingerprint.adapters) == ["sd-1.5/refiner"]


def test_a_model_that_reads_masks_says_that_it_cannot(sd1_inpainting: Path, paint_with: PaintWith) -> None:
    with pytest.raises(PaintingBroken, match="refiner"):
        paint_with(sd1_inpainting, SPEC)


def test_seeds_at_the_end_of_their_range_are_gone_over(paint: PaintAll) -> None:
    painting, _ = paint(replace(SPEC, seed=2**32 - 1))

    assert painting.recipe.spec.seed == 2**32 - 1


def test_what_is_larger_still_is_enlarged_from_the_second_run(paint: PaintAll) -> None:
    target = plain_size(96, 96).target
    size = replace(SPEC.size, target=target, resampling=Resampling.LANCZOS)
    ours, smaller = (picture(paint(spec)[0]) for spec in (replace(SPEC, size=size), SPEC))

    expected = smaller.resize((96, 96), Image.Resampling.LANCZOS)
    assert np.array_equal(np.asarray(ours), np.asarray(expected))


def test_the_spec_of_the_second_run_is_whole() -> None:
    spec: GenerationSpec = replace(SPEC, adapters=(Adapter(id="a", weight=1.0),))
    named = replace(spec, refining=replace(OVER, adapters=(Adapter(id="b", weight=0.5),)))

    assert [adapter.id for adapter in named.all_adapters] == ["a", "b"]

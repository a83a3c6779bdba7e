"""From spec to file."""

import hashlib
import tracemalloc
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
import torch
from PIL import Image
from plugins.tiny_specs import new_spec

from models import GenerationSpec, ImageSize, PaintingBroken, Phase, Resampling, SizePlan
from models.diffusion.pixels.enlarging import write_picture
from models.diffusion.schedule.noise import generator_of
from models.diffusion.steps.canvas import Canvas
from models.diffusion.steps.denoising import Denoising, guidance_rescale
from models.diffusion.texts.conditioning import Conditioning
from models.engine import Painting
from models.process.protocol import Beat

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

PaintAll = Callable[[GenerationSpec], tuple[Painting, list[Beat]]]


def enlarged(painted: tuple[int, int], target: tuple[int, int], upscale: int = 1) -> SizePlan:
    return SizePlan(
        painted=ImageSize(width=painted[0], height=painted[1]),
        target=ImageSize(width=target[0], height=target[1]),
        resampling=Resampling.LANCZOS,
        upscale=upscale,
        upscale_resampling=Resampling.LANCZOS if upscale > 1 else Resampling.NONE,
    )


def written(image: Image.Image, plan: SizePlan, file: Path) -> tuple[str, int]:
    """The hash, and how many strips it took."""
    writing, strips = write_picture(image, plan, file, beat=None), 0
    while True:
        try:
            next(writing)
            strips += 1
        except StopIteration as finished:
            return finished.value, strips


def gradient(width: int, height: int) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


def test_the_same_seed_paints_the_same_and_another_does_not(paint: PaintAll) -> None:
    first, again, other = (paint(new_spec(seed=seed))[0].recipe.pixel_sha256 for seed in (7, 7, 8))

    assert first == again != other


def test_the_file_holds_what_the_recipe_says(paint: PaintAll) -> None:
    painting, _ = paint(new_spec(size=enlarged((32, 32), (40, 56))))
    pixels = painting.pixels.read_bytes()

    assert painting.size == ImageSize(width=40, height=56)
    assert len(pixels) == 40 * 56 * 3
    assert hashlib.sha256(pixels).hexdigest() == painting.recipe.pixel_sha256


def test_each_phase_beats_before_it_begins(paint: PaintAll) -> None:
    _, beats = paint(new_spec(num_inference_steps=2, size=enlarged((32, 32), (64, 64))))

    heard = [(beat.phase, beat.step) for beat in beats]
    assert [key for key, _ in groupby(heard)] == [
        (Phase.LOADING, 0),
        (Phase.ENCODING, 0),
        (Phase.DENOISING, 0),
        (Phase.DENOISING, 1),
        (Phase.DENOISING, 2),
        (Phase.DECODING, 0),
        (Phase.UPSCALING, 0),
    ]


def test_a_side_the_model_cannot_paint_is_a_broken_painting(paint: PaintAll) -> None:
    with pytest.raises(PaintingBroken, match="multiples of 4"):
        paint(new_spec(size=enlarged((30, 32), (64, 64))))


def test_values_that_are_not_numbers_break_the_painting() -> None:
    conditioning = Conditioning(embeddings=torch.zeros(1, 77, 32))
    canvas = Canvas(generator=generator_of(7), noise=torch.zeros(1, 4, 8, 8))
    denoising = Denoising(
        new_spec(num_inference_steps=1), conditioning, canvas=canvas, scheduler_config={}, device=torch.device("cpu")
    )

    denoising.advance(torch.full((1, 4, 8, 8), torch.nan))

    with pytest.raises(PaintingBroken, match="not numbers"):
        denoising.latents()


def test_a_tall_target_is_reached_exactly_from_a_small_picture(tmp_path: Path) -> None:
    plan = enlarged((128, 256), (512, 1920))
    image = gradient(128, 256)

    written(image, plan, tmp_path / "rgb")

    covering = image.resize((plan.covering.width, plan.covering.height), Image.Resampling.LANCZOS)
    left, top = (plan.covering.width - 512) // 2, (plan.covering.height - 1920) // 2
    expected = covering.crop((left, top, left + 512, top + 1920)).tobytes()
    pixels = (tmp_path / "rgb").read_bytes()
    assert len(pixels) == 512 * 1920 * 3
    assert max(abs(one - other) for one, other in zip(pixels, expected, strict=True)) <= 1


def test_four_times_in_strips_is_four_times_at_once(tmp_path: Path) -> None:
    image = gradient(512, 384)

    digest, strips = written(image, enlarged((512, 384), (512, 384), upscale=4), tmp_path / "rgb")

    whole = image.resize((2048, 1536), Image.Resampling.LANCZOS).tobytes()
    assert strips > 1
    assert hashlib.sha256(whole).hexdigest() == digest


def test_the_largest_picture_is_written_in_little_memory(tmp_path: Path) -> None:
    image = gradient(1920, 1920)
    tracemalloc.start()

    written(image, enlarged((1920, 1920), (1920, 1920), upscale=4), tmp_path / "rgb")

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "rgb").stat().st_size == 7680 * 7680 * 3
    assert peak_bytes < 16 << 20


@pytest.mark.parametrize(
    ("config", "rescale"),
    [
        ({}, 0.0),
        ({"prediction_type": "v_prediction"}, 0.0),
        ({"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}, 0.7),
        ({"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "guidance_rescale": 0}, 0.0),
        ({"guidance_rescale": 0.3}, 0.3),
    ],
)
def test_guidance_is_rescaled_where_the_schedule_calls_for_it(config: dict[str, object], rescale: float) -> None:
    assert guidance_rescale(config) == rescale

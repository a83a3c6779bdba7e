"""A painting that starts from a picture is diffusers' own, and walks no more of the schedule than it must."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionXLImg2ImgPipeline
from PIL import Image
from plugins.starter_specs import starter_spec
from plugins.tiny_pictures import garden, put
from plugins.tiny_specs import new_spec, plain_size

from models import GenerationSpec, ImageSize, InitImage, PaintingBroken, Sampler
from models.diffusion.device import Device
from models.diffusion.painting.run import begin, pass_wanted
from models.diffusion.painting.starting import read_original
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.schedule.samplers import new_schedule
from models.diffusion.steps.denoising import steps_walked
from models.diffusion.steps.passes import run_pass
from models.engine import Painting, Phase
from models.process.protocol import Beat, Paint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

Denoise = Callable[[Path, GenerationSpec], torch.Tensor]
Load = Callable[[Path], Pipeline]
PaintAll = Callable[[GenerationSpec], tuple[Painting, list[Beat]]]
PaintWith = Callable[[Path, GenerationSpec], tuple[Painting, list[Beat]]]

STARTER = Path(__file__).parents[3] / "models" / "starter"
SIZE = ImageSize(width=32, height=32)


def starting_from(image: Image.Image, workspace: Path, *, strength: float) -> InitImage:
    return InitImage(sha256=put(image, workspace), strength=strength)


class Contiguous:
    """diffusers' pictures leave the encoder with channels last in memory, and its latents stay so; with noise alone they
    never are. Ours are always laid out in one way, so that pictures can share a pass: the last bits differ by that alone.
    """

    def prepare_latents(self, *told: Any, **named: Any) -> torch.Tensor:
        return super().prepare_latents(*told, **named).contiguous()  # type: ignore[misc]


class ContiguousSd1(Contiguous, StableDiffusionImg2ImgPipeline):
    pass


class ContiguousSdxl(Contiguous, StableDiffusionXLImg2ImgPipeline):
    pass


@pytest.fixture(scope="module")
def their_sd1(sd1: Path) -> StableDiffusionImg2ImgPipeline:
    return ContiguousSd1.from_pretrained(sd1, safety_checker=None, requires_safety_checker=False)


@pytest.fixture(scope="module")
def their_sdxl(sdxl: Path) -> StableDiffusionXLImg2ImgPipeline:
    return ContiguousSdxl.from_pretrained(sdxl, add_watermarker=False)


def diffusers_latents(pipeline: Any, spec: GenerationSpec, image: Image.Image) -> torch.Tensor:
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = new_schedule(spec.sampler, pipeline.scheduler.config)
    return pipeline(
        spec.prompt,
        negative_prompt=spec.negative_prompt or None,
        image=image,
        strength=spec.init_image.strength,
        num_inference_steps=spec.num_inference_steps,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="latent",
        eta=0.3 if spec.sampler is Sampler.TCD else 0.0,  # the scheduler's own default; the pipeline has another
    ).images


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("sampler", Sampler)
def test_every_sampler_paints_what_diffusers_paints(
    sd1: Path, their_sd1: Any, denoise: Denoise, sampler: Sampler, strength: float, tmp_path: Path
) -> None:
    init = starting_from(garden(SIZE), tmp_path, strength=strength)
    spec = new_spec(sampler=sampler, num_inference_steps=5, init_image=init)

    assert torch.equal(denoise(sd1, spec), diffusers_latents(their_sd1, spec, garden(SIZE)))


@pytest.mark.parametrize("sampler", Sampler)
def test_sdxl_paints_what_diffusers_paints(
    sdxl: Path, their_sdxl: Any, denoise: Denoise, sampler: Sampler, tmp_path: Path
) -> None:
    init = starting_from(garden(SIZE), tmp_path, strength=0.7)
    spec = new_spec(sampler=sampler, num_inference_steps=5, init_image=init)

    assert torch.equal(denoise(sdxl, spec), diffusers_latents(their_sdxl, spec, garden(SIZE)))


def test_in_its_own_layout_diffusers_paints_the_same_to_four_places(
    sd1: Path, denoise: Denoise, tmp_path: Path
) -> None:
    theirs = StableDiffusionImg2ImgPipeline.from_pretrained(sd1, safety_checker=None, requires_safety_checker=False)
    init = starting_from(garden(SIZE), tmp_path, strength=0.5)
    spec = new_spec(num_inference_steps=5, init_image=init)

    expected = diffusers_latents(theirs, spec, garden(SIZE))

    torch.testing.assert_close(denoise(sd1, spec), expected, atol=1e-4, rtol=0)


def test_an_autoencoder_without_a_distribution_begins_where_diffusers_begins(denoise: Denoise, tmp_path: Path) -> None:
    theirs = ContiguousSd1.from_pretrained(STARTER, dtype=torch.float32)
    init = starting_from(garden(ImageSize(width=64, height=64)), tmp_path, strength=0.6)
    spec = starter_spec(
        model="tiny", guidance_scale=1.0, size=plain_size(64, 64), num_inference_steps=3, init_image=init
    )

    expected = diffusers_latents(theirs, spec, garden(ImageSize(width=64, height=64)))

    assert torch.equal(denoise(STARTER, spec), expected)


@pytest.mark.parametrize(("strength", "steps", "walked"), [(1.0, 4, 4), (0.5, 4, 2), (0.3, 10, 3), (0.01, 20, 1)])
def test_strength_says_how_many_steps_are_walked(strength: float, steps: int, walked: int) -> None:
    assert steps_walked(steps, strength) == walked


@pytest.mark.parametrize(("sampler", "passes"), [(Sampler.EULER, 3), (Sampler.HEUN, 5)])
def test_progress_and_recipe_count_the_passes_that_are_made(
    paint: PaintAll, tmp_path: Path, sampler: Sampler, passes: int
) -> None:
    init = starting_from(garden(SIZE), tmp_path, strength=0.5)

    painting, beats = paint(new_spec(sampler=sampler, num_inference_steps=6, init_image=init))

    steps = [(beat.step, beat.steps) for beat in beats if beat.phase is Phase.DENOISING]
    assert steps == [(step, passes) for step in range(passes + 1)]
    assert len(painting.recipe.timesteps) == passes
    assert painting.recipe.timesteps[0] < 600


def test_pictures_with_and_without_a_start_share_a_pass(sd1: Path, load: Load, device: Device, tmp_path: Path) -> None:
    init = starting_from(garden(SIZE), tmp_path, strength=0.5)
    pipeline, wanted = load(sd1), []
    for spec in (new_spec(num_inference_steps=4), new_spec(num_inference_steps=6, init_image=init)):
        denoising = begin(Paint(number=1, spec=spec, workspace=tmp_path), pipeline, device)
        wanted.append(pass_wanted(spec, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING)))

    together = run_pass(wanted, 2)

    assert wanted[0].group == wanted[1].group
    assert all(one.rows.latents.is_contiguous() for one in wanted)
    for one, prediction in zip(wanted, together, strict=True):
        torch.testing.assert_close(prediction, run_pass([one], 1)[0])


def test_a_picture_of_another_ratio_is_covered_and_cropped_to_its_centre(tmp_path: Path) -> None:
    wide = Image.new("RGB", (96, 32), "red")
    wide.paste("green", (32, 0, 64, 32))

    original = read_original(starting_from(wide, tmp_path, strength=1.0), tmp_path, plain_size(64, 64))

    assert original.picture.size == (64, 64)
    assert original.picture.getpixel((32, 32)) == (0, 128, 0)
    assert {original.picture.getpixel((column, 5)) for column in range(8, 56)} == {(0, 128, 0)}


def test_what_a_camera_turned_is_turned_back(tmp_path: Path) -> None:
    lying = Image.new("RGB", (32, 16), "blue")
    lying.paste("white", (0, 0, 4, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn a quarter clockwise
    lying.save(tmp_path / "part.jpg", exif=exif, quality=100, subsampling=0)
    sha256 = hashlib.sha256((tmp_path / "part.jpg").read_bytes()).hexdigest()
    (tmp_path / "part.jpg").rename(tmp_path / sha256)

    original = read_original(InitImage(sha256=sha256, strength=0.5), tmp_path, plain_size(16, 32))

    assert original.picture.getpixel((8, 1)) > (240, 240, 240)
    assert original.picture.getpixel((8, 20)) < (15, 15, 255)


def test_transparent_parts_become_white_and_sixteen_bits_become_eight(tmp_path: Path) -> None:
    clear, deep = Image.new("RGBA", (32, 32), (0, 0, 0, 0)), Image.new("I;16", (32, 32), 0x8040)

    pictures = [
        read_original(starting_from(one, tmp_path, strength=0.5), tmp_path, plain_size(32, 32)) for one in (clear, deep)
    ]

    assert [one.picture.getpixel((9, 9)) for one in pictures] == [(255, 255, 255), (128, 128, 128)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"no picture at all", "damaged"), (b"\x89PNG\r\n\x1a\n", "damaged"), (b"", "damaged")],
)
def test_a_damaged_file_breaks_the_painting_and_says_so(
    paint: PaintAll, tmp_path: Path, content: bytes, complaint: str
) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    (tmp_path / sha256).write_bytes(content)

    with pytest.raises(PaintingBroken, match=complaint):
        paint(new_spec(init_image=InitImage(sha256=sha256, strength=0.5)))


def test_a_file_cut_short_breaks_the_painting(paint: PaintAll, tmp_path: Path) -> None:
    whole = (tmp_path / put(garden(ImageSize(width=256, height=256)), tmp_path)).read_bytes()
    sha256 = hashlib.sha256(whole[:3000]).hexdigest()
    (tmp_path / sha256).write_bytes(whole[:3000])

    with pytest.raises(PaintingBroken, match="damaged"):
        paint(new_spec(init_image=InitImage(sha256=sha256, strength=0.5)))


def test_a_file_with_other_content_than_named_is_refused(paint: PaintAll, tmp_path: Path) -> None:
    init = starting_from(garden(SIZE), tmp_path, strength=0.5)
    put(Image.new("RGB", (32, 32)), tmp_path)
    (tmp_path / init.sha256).write_bytes(b"something else")

    with pytest.raises(PaintingBroken, match="SHA-256 differs"):
        paint(new_spec(init_image=init))


@pytest.mark.parametrize(("name", "complaint"), [("0" * 64, "not there"), ("../1.rgb", "named by its SHA-256")])
def test_a_file_that_is_not_there_is_said(paint: PaintAll, name: str, complaint: str) -> None:
    with pytest.raises(PaintingBroken, match=complaint):
        paint(new_spec(init_image=InitImage(sha256=name, strength=0.5)))


def test_a_picture_with_too_many_pixels_is_never_unpacked(paint: PaintAll, tmp_path: Path) -> None:
    init = starting_from(Image.new("1", (9000, 9000)), tmp_path, strength=0.5)

    with pytest.raises(PaintingBroken, match="9000 x 9000"):
        paint(new_spec(init_image=init))


def test_the_model_in_the_box_leaves_a_picture_the_further_the_stronger_it_paints(
    paint_with: PaintWith, tmp_path: Path
) -> None:
    side = ImageSize(width=256, height=256)
    first, _ = paint_with(STARTER, starter_spec(num_inference_steps=4))
    picture = Image.frombytes("RGB", (side.width, side.height), first.pixels.read_bytes())
    distances = []
    for strength in (0.2, 1.0):
        init = starting_from(picture, tmp_path, strength=strength)
        painting, _ = paint_with(STARTER, starter_spec(num_inference_steps=5, seed=3, init_image=init))
        distances.append(distance(painting, picture))

    kept, left = distances
    assert kept < 8 < 2 * kept < left


def distance(painting: Painting, picture: Image.Image) -> float:
    """Mean over pixels and channels, of 255."""
    pixels = np.frombuffer(painting.pixels.read_bytes(), dtype=np.uint8).astype(int)
    return float(np.abs(pixels - np.asarray(picture).reshape(-1)).mean())

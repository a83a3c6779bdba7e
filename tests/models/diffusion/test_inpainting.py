"""Only what the mask shows is painted: as diffusers paints it inside, byte for byte the picture outside."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline, UNet2DConditionModel
from PIL import Image
from plugins.starter_specs import starter_spec
from plugins.tiny_pictures import HOLE, garden, hole, put
from plugins.tiny_specs import new_spec

from models import (
    GenerationSpec,
    ImageSize,
    InitImage,
    PaintingBroken,
    Resampling,
    Sampler,
    SizePlan,
    WeightsRejected,
)
from models.diffusion.device import Device
from models.diffusion.families.network import UnetNetwork
from models.diffusion.painting.run import begin, pass_wanted
from models.diffusion.pixels.enlarging import write_picture
from models.diffusion.pixels.framing import drawn_box, framed
from models.diffusion.pixels.inputs import read_mask
from models.diffusion.pixels.keeping import KEPT_STRENGTH, mixed
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.schedule.samplers import new_schedule
from models.diffusion.steps.passes import run_pass
from models.diffusion.weights.folders import inspect
from models.engine import Painting, Phase
from models.process.protocol import Beat, Paint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A folder, and diffusers' own inpainting with it."""

    folder: Path
    theirs: Any


Pairs = Callable[[str], Pair]
Denoise = Callable[[Path, GenerationSpec], torch.Tensor]
Load = Callable[[Path], Pipeline]
PaintWith = Callable[[Path, GenerationSpec], tuple[Painting, list[Beat]]]

STARTER = Path(__file__).parents[3] / "models" / "starter"
SIZE = ImageSize(width=32, height=32)
EVERYWHERE = Image.new("L", (SIZE.width, SIZE.height), 255)
KINDS = {
    "sd1": StableDiffusionInpaintPipeline,
    "sd1_inpainting": StableDiffusionInpaintPipeline,
    "sdxl": StableDiffusionXLInpaintPipeline,
    "sdxl_inpainting": StableDiffusionXLInpaintPipeline,
}


@pytest.fixture(scope="module")
def pairs(request: pytest.FixtureRequest) -> Callable[[str], Pair]:
    """By the name of the model's fixture; each is loaded once."""

    @cache
    def pair(name: str) -> Pair:
        folder = request.getfixturevalue(name)
        more: dict[str, Any] = {"add_watermarker": False} if "xl" in name else {"safety_checker": None}
        pipeline = KINDS[name].from_pretrained(folder, **more)
        pipeline.set_progress_bar_config(disable=True)
        return Pair(folder=folder, theirs=pipeline)

    return pair


def diffusers_latents(pipeline: Any, spec: GenerationSpec, *, mask: Image.Image, strength: float) -> torch.Tensor:
    pipeline.scheduler = new_schedule(spec.sampler, pipeline.scheduler.config)
    return pipeline(
        spec.prompt,
        negative_prompt=spec.negative_prompt,
        image=garden(SIZE),
        mask_image=mask,
        width=SIZE.width,
        height=SIZE.height,
        strength=strength,
        num_inference_steps=spec.num_inference_steps,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="latent",
        eta=0.3 if spec.sampler is Sampler.TCD else 0.0,  # the scheduler's own default; the pipeline has another
    ).images


def inpainting(workspace: Path, *, strength: float, size: ImageSize = SIZE) -> InitImage:
    mask = hole(SIZE).resize((size.width, size.height), Image.Resampling.NEAREST)
    return InitImage(sha256=put(garden(size), workspace), strength=strength, mask_sha256=put(mask, workspace))


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("sampler", Sampler)
@pytest.mark.parametrize("name", ["sd1", "sd1_inpainting"])
def test_every_sampler_paints_what_diffusers_paints(
    pairs: Pairs, denoise: Denoise, tmp_path: Path, name: str, sampler: Sampler, strength: float
) -> None:
    spec = new_spec(sampler=sampler, num_inference_steps=4, init_image=inpainting(tmp_path, strength=strength))

    theirs = diffusers_latents(pairs(name).theirs, spec, mask=hole(SIZE), strength=strength)

    assert torch.equal(denoise(pairs(name).folder, spec), theirs)


@pytest.mark.parametrize("sampler", [Sampler.EULER, Sampler.DDIM, Sampler.DPMPP_SDE, Sampler.HEUN])
@pytest.mark.parametrize("name", ["sdxl", "sdxl_inpainting"])
def test_sdxl_paints_what_diffusers_paints(
    pairs: Pairs, denoise: Denoise, tmp_path: Path, name: str, sampler: Sampler
) -> None:
    spec = new_spec(sampler=sampler, num_inference_steps=4, init_image=inpainting(tmp_path, strength=0.6))

    theirs = diffusers_latents(pairs(name).theirs, spec, mask=hole(SIZE), strength=0.6)

    assert torch.equal(denoise(pairs(name).folder, spec), theirs)


@pytest.mark.parametrize("name", ["sd1_inpainting", "sdxl_inpainting"])
def test_without_a_picture_an_inpainting_model_paints_everything(pairs: Pairs, denoise: Denoise, name: str) -> None:
    theirs = diffusers_latents(pairs(name).theirs, new_spec(), mask=EVERYWHERE, strength=1.0)

    assert torch.equal(denoise(pairs(name).folder, new_spec()), theirs)


def test_without_a_mask_an_inpainting_model_repaints_everything_from_the_picture(
    pairs: Pairs, denoise: Denoise, tmp_path: Path
) -> None:
    spec = new_spec(num_inference_steps=4, init_image=InitImage(sha256=put(garden(SIZE), tmp_path), strength=0.5))

    theirs = diffusers_latents(pairs("sd1_inpainting").theirs, spec, mask=EVERYWHERE, strength=0.5)

    assert torch.equal(denoise(pairs("sd1_inpainting").folder, spec), theirs)


@pytest.mark.parametrize("name", ["sd1", "sd1_inpainting"])
def test_inpainting_shares_passes_with_plain_painting(
    request: pytest.FixtureRequest, load: Load, device: Device, tmp_path: Path, name: str
) -> None:
    pipeline, wanted = load(request.getfixturevalue(name)), []
    for spec in (new_spec(), new_spec(init_image=inpainting(tmp_path, strength=0.7))):
        denoising = begin(Paint(number=1, spec=spec, workspace=tmp_path), pipeline, device)
        wanted.append(pass_wanted(spec, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING)))

    together = run_pass(wanted, 2)

    assert wanted[0].group == wanted[1].group
    assert all(one.rows.latents.is_contiguous() for one in wanted)
    for one, prediction in zip(wanted, together, strict=True):
        torch.testing.assert_close(prediction, run_pass([one], 1)[0])


@pytest.mark.parametrize(
    ("name", "kind", "plain"),
    [
        ("sd1", "StableDiffusionImg2ImgPipeline", "StableDiffusionPipeline"),
        ("sd1_inpainting", "StableDiffusionInpaintPipeline", "StableDiffusionPipeline"),
        ("sdxl", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLPipeline"),
        ("sdxl_inpainting", "StableDiffusionXLInpaintPipeline", "StableDiffusionXLPipeline"),
    ],
)
def test_folders_that_diffusers_drives_otherwise_are_taken_by_their_components(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, kind: str, plain: str
) -> None:
    folder = shutil.copytree(request.getfixturevalue(name), tmp_path / "model")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": kind}))

    assert inspect(folder).pipeline == plain


def test_a_refiner_is_refused(sdxl: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sdxl, tmp_path / "model")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"requires_aesthetics_score": True}))

    with pytest.raises(WeightsRejected, match="refiner"):
        inspect(folder)


def test_a_network_that_reads_anything_else_beside_latents_is_refused(pairs: Pairs) -> None:
    pipeline = pairs("sd1").theirs
    unet = UNet2DConditionModel.from_config({**pipeline.unet.config, "in_channels": 8})

    with pytest.raises(WeightsRejected, match="takes 8 channels"):
        UnetNetwork(unet, pipeline.vae)


@pytest.mark.parametrize("name", ["sd1", "sd1_inpainting"])
def test_outside_the_mask_every_pixel_stays(
    request: pytest.FixtureRequest, paint_with: PaintWith, tmp_path: Path, name: str
) -> None:
    spec = new_spec(init_image=inpainting(tmp_path, strength=1.0))

    painting, _ = paint_with(request.getfixturevalue(name), spec)

    changed = np.any(pixels_of(painting, SIZE) != np.asarray(garden(SIZE)), axis=-1)
    assert changed[np.asarray(hole(SIZE)) == 255].mean() > 0.9
    assert not changed[np.asarray(hole(SIZE)) == 0].any()


def plan_of(painted: ImageSize, target: ImageSize, *, upscale: int = 1) -> SizePlan:
    """Filters alone enlarge."""
    return SizePlan(
        painted=painted,
        target=target,
        resampling=Resampling.NONE if painted == target else Resampling.LANCZOS,
        upscale=upscale,
        upscale_resampling=Resampling.NONE if upscale == 1 else Resampling.LANCZOS,
    )


def print_of(size: ImageSize) -> Image.Image:
    """As full of detail as small print: nothing that was made smaller and larger again is like it."""
    grain = np.random.default_rng(size.width).integers(0, 256, (size.height, size.width, 3), dtype=np.uint8)
    return Image.fromarray(grain)


def masked(size: ImageSize, workspace: Path, *, strength: float = 1.0) -> InitImage:
    """Of `print_of(size)`, whose lower right quarter is to be painted."""
    mask = Image.new("L", (size.width, size.height), 0)
    mask.paste(255, (size.width // 2, size.height // 2, size.width, size.height))
    return InitImage(sha256=put(print_of(size), workspace), strength=strength, mask_sha256=put(mask, workspace))


def unlike(painting: Painting, picture: Image.Image) -> np.ndarray[Any, Any]:
    """Where the delivered pixels differ from the picture: (height, width), true or false."""
    size = ImageSize(width=picture.width, height=picture.height)
    assert painting.size == size
    return np.any(pixels_of(painting, size) != np.asarray(picture), axis=-1)


def assert_only_the_quarter_changed(changed: np.ndarray[Any, Any]) -> None:
    height, width = changed.shape
    assert changed[height // 2 :, width // 2 :].mean() > 0.9
    assert not changed[: height // 2].any()
    assert not changed[:, : width // 2].any()


@pytest.mark.parametrize("target", [(64, 64), (128, 128), (100, 60), (60, 100), (24, 24), (33, 47)])
@pytest.mark.parametrize("name", ["sd1", "sd1_inpainting"])
def test_it_stays_at_the_delivered_size_whatever_size_is_painted(
    request: pytest.FixtureRequest, paint_with: PaintWith, tmp_path: Path, name: str, target: tuple[int, int]
) -> None:
    size = ImageSize(width=target[0], height=target[1])
    spec = new_spec(size=plan_of(SIZE, size), num_inference_steps=1, init_image=masked(size, tmp_path))

    painting, _ = paint_with(request.getfixturevalue(name), spec)

    assert_only_the_quarter_changed(unlike(painting, print_of(size)))


def test_a_picture_of_the_size_after_upscaling_stays_there(sd1: Path, paint_with: PaintWith, tmp_path: Path) -> None:
    size = SIZE.times(4)
    spec = new_spec(size=plan_of(SIZE, SIZE, upscale=4), init_image=masked(size, tmp_path))

    painting, _ = paint_with(sd1, spec)

    assert_only_the_quarter_changed(unlike(painting, print_of(size)))


def test_a_smaller_one_is_enlarged_with_the_painting_and_a_larger_one_reduced(
    sd1: Path, paint_with: PaintWith, tmp_path: Path
) -> None:
    for given, plan in ((SIZE, plan_of(SIZE, SIZE, upscale=4)), (SIZE.times(4), plan_of(SIZE, SIZE.times(2)))):
        painting, _ = paint_with(sd1, new_spec(size=plan, init_image=masked(given, tmp_path)))

        size = plan.delivered
        expected = print_of(given).resize((size.width, size.height), Image.Resampling.LANCZOS)
        assert not unlike(painting, expected)[: size.height // 2 - 16].any()


def test_below_the_least_strength_the_whole_picture_stays(sd1: Path, paint_with: PaintWith, tmp_path: Path) -> None:
    size = ImageSize(width=64, height=64)
    for init in (
        InitImage(sha256=put(print_of(size), tmp_path), strength=KEPT_STRENGTH / 2),
        masked(size, tmp_path, strength=KEPT_STRENGTH / 2),
    ):
        painting, _ = paint_with(sd1, new_spec(size=plan_of(SIZE, size), init_image=init))

        assert not unlike(painting, print_of(size)).any()
    more, _ = paint_with(
        sd1,
        new_spec(
            size=plan_of(SIZE, size),
            init_image=InitImage(sha256=put(print_of(size), tmp_path), strength=KEPT_STRENGTH),
        ),
    )
    assert unlike(more, print_of(size)).mean() > 0.9


@pytest.mark.parametrize("target", [(64, 64), (100, 60), (60, 100), (47, 33)])
def test_what_is_painted_comes_to_lie_where_it_was_in_the_picture(target: tuple[int, int], tmp_path: Path) -> None:
    """Also where the painted size has another ratio: what is cropped away after it is added before it."""
    size = ImageSize(width=target[0], height=target[1])
    plan, picture = plan_of(SIZE, size), garden(size)

    drawn = framed(picture, drawn_box(picture, plan), plan.painted)
    for _ in write_picture(drawn, plan, tmp_path / "rgb", beat=None):
        continue

    delivered = np.frombuffer((tmp_path / "rgb").read_bytes(), dtype=np.uint8).reshape(size.height, size.width, 3)
    assert np.abs(delivered.astype(int) - np.asarray(picture)).mean() < 2


def test_a_soft_border_mixes_inside_the_mask_and_never_outside() -> None:
    black, white = Image.new("RGB", (256, 1), "black"), Image.new("RGB", (256, 1), "white")
    mask = Image.fromarray(np.arange(256, dtype=np.uint8)[None])

    row = np.asarray(mixed(white, black, mask))[0, :, 0]

    assert not row[:128].any()
    assert row[128] > 0
    assert row[255] == 255
    assert (np.diff(row.astype(int)) >= 0).all()


def test_a_damaged_mask_breaks_the_painting(sd1: Path, paint_with: PaintWith, tmp_path: Path) -> None:
    init = InitImage(sha256=put(garden(SIZE), tmp_path), strength=0.5, mask_sha256="0" * 64)

    with pytest.raises(PaintingBroken, match="mask to start from is not there"):
        paint_with(sd1, new_spec(init_image=init))


def test_the_model_in_the_box_paints_into_the_hole_alone(paint_with: PaintWith, tmp_path: Path) -> None:
    size = ImageSize(width=256, height=256)
    spec = starter_spec(num_inference_steps=4, init_image=inpainting(tmp_path, strength=1.0, size=size))

    painting, _ = paint_with(STARTER, spec)

    distance = np.abs(pixels_of(painting, size).astype(int) - np.asarray(garden(size))).mean(axis=-1)
    left, top, right, bottom = (8 * side for side in HOLE)
    inside = distance[top:bottom, left:right]
    assert inside.mean() > 20
    assert distance.sum() == pytest.approx(inside.sum())


@pytest.mark.parametrize("side", [512, 1024])
def test_so_it_does_at_sizes_that_it_does_not_paint(paint_with: PaintWith, tmp_path: Path, side: int) -> None:
    painted, size = ImageSize(width=256, height=256), ImageSize(width=side, height=side)
    spec = starter_spec(num_inference_steps=1, size=plan_of(painted, size), init_image=masked(size, tmp_path))

    painting, _ = paint_with(STARTER, spec)

    assert_only_the_quarter_changed(unlike(painting, print_of(size)))


def pixels_of(painting: Painting, size: ImageSize) -> np.ndarray[Any, Any]:
    return np.frombuffer(painting.pixels.read_bytes(), dtype=np.uint8).reshape(size.height, size.width, 3)


def test_a_mask_with_transparent_parts_paints_where_it_is_white_and_opaque(tmp_path: Path) -> None:
    mask = Image.new("RGBA", (16, 8), (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (0, 0, 8, 8))
    init = InitImage(sha256="0" * 64, strength=0.5, mask_sha256=put(mask, tmp_path))
    read = read_mask(init, tmp_path)
    assert read is not None
    assert (read.getpixel((4, 4)), read.getpixel((12, 4))) == (255, 0)

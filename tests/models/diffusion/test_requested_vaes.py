"""A VAE of the operator's catalogue, named by a request, in the place of the model's own."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from plugins.tiny_specs import card_of, new_spec

from models import Family, GenerationSpec, ModelUnavailable, VaeCard, WeightsRejected
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.generation import generate
from models.diffusion.painting.run import EngineContext
from models.diffusion.pixels.levels import picture_of
from models.diffusion.pixels.upscaling import UpscalerStand
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.schedule.samplers import new_schedule
from models.diffusion.steps.passes import PassWanted, run_pass
from models.engine import Painting
from models.manifest import joint_sha256
from models.process.protocol import Paint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

Paints = Callable[[GenerationSpec], Painting]


def build_vae(folder: Path, *, seed: int, channels: int = 4, levels: int = 3) -> Path:
    with torch.random.fork_rng():
        torch.random.manual_seed(seed)
        vae = AutoencoderKL(
            block_out_channels=(8,) * levels,
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            latent_channels=channels,
            norm_num_groups=4,
            scaling_factor=0.3,
        )
    vae.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, VaeCard]:
    """Two that fit, one with other channels, one of another scale, one of another family."""
    root = tmp_path_factory.mktemp("vaes")
    folders = {
        "warm": build_vae(root / "warm", seed=5),
        "cold": build_vae(root / "cold", seed=6),
        "deep": build_vae(root / "deep", seed=5, channels=8),
        "fine": build_vae(root / "fine", seed=5, levels=2),
        "large": root / "warm",
    }
    return {
        id: VaeCard(id=id, family=Family.SDXL if id == "large" else Family.SD1, path=folder, licence="none")
        for id, folder in folders.items()
    }


@pytest.fixture
def residency(sd1: Path, device: Device, shelf: dict[str, VaeCard]) -> Residency:
    return Residency({"tiny": card_of(sd1)}, device, vaes=shelf)


@pytest.fixture
def paint(residency: Residency, device: Device, tmp_path: Path) -> Paints:
    context = EngineContext(
        residency=residency, device=device, batch_class=lambda _: 1, upscaler=UpscalerStand(None, device)
    )

    def painted(spec: GenerationSpec) -> Painting:
        work, answer = generate(Paint(number=1, spec=spec, workspace=tmp_path), context), None
        while True:
            try:
                stroke = work.send(answer)
            except StopIteration as finished:
                painting: Painting = finished.value
                return painting
            answer = run_pass([stroke], 1)[0] if isinstance(stroke, PassWanted) else None

    return painted


def diffusers_pixels(model: Path, vae: Path, spec: GenerationSpec) -> bytes:
    theirs = StableDiffusionPipeline.from_pretrained(
        model, vae=AutoencoderKL.from_pretrained(vae), safety_checker=None, requires_safety_checker=False
    )
    theirs.set_progress_bar_config(disable=True)
    theirs.scheduler = new_schedule(spec.sampler, theirs.scheduler.config)
    pixels = theirs(
        spec.prompt,
        negative_prompt=spec.negative_prompt,
        width=32,
        height=32,
        num_inference_steps=spec.num_inference_steps,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="pt",
    ).images[0]
    return np.asarray(picture_of(pixels.permute(1, 2, 0))).tobytes()


@pytest.mark.parametrize("vae", ["warm", "cold"])
def test_it_decodes_what_diffusers_decodes_with_it(
    sd1: Path, shelf: dict[str, VaeCard], paint: Paints, vae: str
) -> None:
    spec = new_spec(vae=vae)

    assert paint(spec).pixels.read_bytes() == diffusers_pixels(sd1, shelf[vae].path, spec)


def test_the_same_request_gives_the_same_pixels_whatever_was_painted_between(paint: Paints) -> None:
    order = ["warm", None, "cold", None, "warm", "cold"]

    painted = [paint(new_spec(vae=vae)).recipe for vae in order]

    for vae in ("warm", None, "cold"):
        same = [recipe for recipe in painted if recipe.spec.vae == vae]
        assert len({recipe.pixel_sha256 for recipe in same}) == 1
        assert len({recipe.fingerprint.vae_sha256 for recipe in same}) == 1
    assert len({recipe.pixel_sha256 for recipe in painted}) == 3
    assert painted[1].fingerprint.vae_sha256 == ""


def test_its_hash_covers_every_file_that_decides_pixels(paint: Paints, shelf: dict[str, VaeCard]) -> None:
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in shelf["warm"].files}

    assert paint(new_spec(vae="warm")).recipe.fingerprint.vae_sha256 == joint_sha256(hashes)
    assert sorted(hashes) == ["config.json", "diffusion_pytorch_model.safetensors"]


@pytest.mark.parametrize(
    ("vae", "failure", "reason"),
    [
        ("deep", WeightsRejected, "8 channels"),
        ("fine", WeightsRejected, "2 pixels"),
        ("large", ModelUnavailable, "no VAE called 'large' for models of the family sd1"),
        ("none", ModelUnavailable, "no VAE called 'none'"),
    ],
)
def test_one_that_does_not_fit_fails_its_own_painting_and_no_other(
    paint: Paints, vae: str, failure: type[Exception], reason: str
) -> None:
    with pytest.raises(failure, match=reason):
        paint(new_spec(vae=vae))

    assert paint(new_spec()).recipe.spec.vae is None


def test_it_shares_what_predicts_and_its_bytes_count_as_the_models(paint: Paints, residency: Residency) -> None:
    paint(new_spec())
    pipeline = residency._pipelines["tiny"]
    assert isinstance(pipeline, Pipeline)
    before = residency._queue().held_bytes

    paint(new_spec(vae="warm"))

    with pipeline.autoencoders.using("warm"):
        assert pipeline.with_vae("warm").network.module is pipeline.network.module
    one = pipeline.autoencoders.size_bytes
    assert one == pipeline.autoencoders.get("warm").size_bytes > 0
    assert residency._queue().held_bytes == before + one


def test_the_least_recently_used_goes_and_never_one_in_use(
    paint: Paints, residency: Residency, sd1: Path, device: Device, tmp_path: Path
) -> None:
    shelf = {
        id: VaeCard(id=id, family=Family.SD1, path=build_vae(tmp_path / id, seed=7), licence="none")
        for id in ("one", "two", "three")
    }
    pieces = Residency({"tiny": card_of(sd1)}, device, vaes=shelf).pipeline("tiny")
    while True:
        try:
            next(pieces)
        except StopIteration as finished:
            others = finished.value.autoencoders
            break

    with others.using("one"):
        with others.using("two"):
            pass
        with others.using("three"):
            assert others.get("one")
        with pytest.raises(KeyError):
            others.get("two")

"""What is shown while painting."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from PIL import Image
from plugins.at_once import at_once
from plugins.tiny_specs import card_of, new_spec, plain_size

from models import GenerationSpec, ImageSize, Phase, Sampler
from models.diffusion.autoencoding.preview import Previews
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.generation import generate
from models.diffusion.painting.run import EngineContext, begin, pass_wanted
from models.diffusion.pixels.upscaling import UpscalerStand
from models.diffusion.schedule.estimating import Estimating, Prediction, clean_latents
from models.diffusion.steps.denoising import Denoising
from models.diffusion.steps.passes import PassWanted, run_pass
from models.process.protocol import Beat, Paint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

Load = Callable[[Path], Any]

STARTER = Path(__file__).parents[3] / "models" / "starter"
LARGEST_BYTES = 16 << 10


@dataclass(frozen=True, kw_only=True)
class Watched:
    pixel_sha256: str
    beats: list[Beat]
    picture: Image.Image

    @property
    def previews(self) -> dict[int, Image.Image]:
        return {beat.step: Image.open(BytesIO(beat.preview)) for beat in self.beats if beat.preview is not None}


@pytest.fixture
def watch(device: Device, tmp_path: Path) -> Callable[..., Watched]:
    """A whole painting with a preview every so many steps."""

    def watched(folder: Path, spec: GenerationSpec, every: int) -> Watched:
        context = EngineContext(
            residency=Residency({"tiny": card_of(folder)}, device),
            device=device,
            batch_class=lambda _: 1,
            upscaler=UpscalerStand(None, device),
        )
        order = Paint(number=1, spec=spec, workspace=tmp_path, preview_every=every)
        work, beats, answer = generate(order, context), [], None
        while True:
            try:
                stroke = work.send(answer)
            except StopIteration as finished:
                pixels = finished.value.pixels.read_bytes()
                sides = spec.size.delivered.width, spec.size.delivered.height
                picture = Image.frombytes("RGB", sides, pixels)
                return Watched(pixel_sha256=finished.value.recipe.pixel_sha256, beats=beats, picture=picture)
            answer = run_pass([stroke], 1)[0] if isinstance(stroke, PassWanted) else None
            beats.append(stroke.beat if isinstance(stroke, PassWanted) else stroke)

    return watched


@pytest.mark.parametrize("sampler", [Sampler.EULER_A, Sampler.DPMPP_SDE, Sampler.HEUN])
def test_watching_changes_no_bit(sd1: Path, watch: Callable[..., Watched], sampler: Sampler) -> None:
    spec = new_spec(sampler=sampler, num_inference_steps=4)

    unwatched, watched = watch(sd1, spec, 0), watch(sd1, spec, 1)

    assert unwatched.previews == {}
    assert watched.previews
    assert watched.pixel_sha256 == unwatched.pixel_sha256


def test_a_preview_comes_at_each_so_many_th_step(sd1: Path, watch: Callable[..., Watched]) -> None:
    watched = watch(sd1, new_spec(num_inference_steps=7), 3)

    assert list(watched.previews) == [3, 6]
    assert all(beat.phase is Phase.DENOISING for beat in watched.beats if beat.preview)


def test_at_three_quarters_it_has_the_colours_of_the_picture(watch: Callable[..., Watched]) -> None:
    spec = new_spec(
        prompt="digital art of a red lighthouse by the sea at sunset",
        negative_prompt="",
        size=plain_size(256, 256),
        sampler=Sampler.DPMPP_2M,
        num_inference_steps=12,
        guidance_scale=3.0,
    )

    watched = watch(STARTER, spec, 9)

    (preview,) = watched.previews.values()
    assert preview.size == (128, 128)
    shown, painted = (
        np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=float) for image in (preview, watched.picture)
    )
    assert abs(shown.mean(axis=(0, 1)) - painted.mean(axis=(0, 1))).max() < 18
    assert np.corrcoef(shown.ravel(), painted.ravel())[0, 1] > 0.9


def build_kl(channels: int) -> AutoencoderKL:
    with torch.random.fork_rng():
        torch.random.manual_seed(6)
        return AutoencoderKL(
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=channels,
            norm_num_groups=4,
            shift_factor=0.1 if channels == 16 else None,
        )


def build_tiny() -> AutoencoderTiny:
    with torch.random.fork_rng():
        torch.random.manual_seed(6)
        return AutoencoderTiny(
            encoder_block_out_channels=(8, 8, 8),
            decoder_block_out_channels=(8, 8, 8),
            num_encoder_blocks=(1, 1, 1),
            num_decoder_blocks=(1, 1, 1),
        )


class LinearVae:
    """An autoencoder whose latents are a mixture of the colours they cover, so that previews can be right exactly."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, channels: int, **config: object) -> None:
        self.config = SimpleNamespace(block_out_channels=(1, 1, 1), scaling_factor=0.5, **config)
        self._mixture = torch.randn(channels, 3, generator=torch.Generator().manual_seed(2))

    def encode(self, pixels: torch.Tensor) -> SimpleNamespace:
        covered = torch.nn.functional.avg_pool2d(pixels, 4)
        return SimpleNamespace(latents=torch.einsum("bchw,oc->bohw", covered, self._mixture) + 0.3)


@pytest.mark.parametrize(
    ("channels", "config"),
    [
        (3, {}),
        (16, {"shift_factor": 0.1}),
        (4, {"latents_mean": [0.1, 0.2, 0.3, 0.4], "latents_std": [1.0, 2.0, 3.0, 4.0]}),
    ],
)
def test_the_colours_of_the_encoded_picture_are_shown(channels: int, config: dict[str, object]) -> None:
    vae = LinearVae(channels, **config)
    wheel = Image.linear_gradient("L").resize((64, 64))
    given = Image.merge("RGB", (wheel, wheel.rotate(90), wheel.rotate(180)))
    pixels = torch.from_numpy(np.asarray(given).astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    mean, std = (
        torch.tensor(config.get(name, default)).view(1, -1, 1, 1)
        for name, default in (("latents_mean", [config.get("shift_factor", 0.0)]), ("latents_std", [1.0]))
    )
    latents = (vae.encode(pixels).latents - mean) / std * 0.5

    shown = Image.open(BytesIO(Previews(vae).jpeg(latents, ImageSize(width=64, height=64))))

    assert abs(np.asarray(shown, dtype=float) - np.asarray(given, dtype=float)).mean() < 6


@pytest.mark.parametrize("build", [lambda: build_kl(4), lambda: build_kl(16), build_tiny], ids=["kl", "kl 16", "tiny"])
def test_any_autoencoder_has_a_map(build: Callable[[], Any]) -> None:
    vae = build()
    channels = vae.config.latent_channels
    dark, light = (
        Previews(vae).jpeg(torch.full((1, channels, 8, 8), level), ImageSize(width=32, height=32))
        for level in (-0.5, 0.5)
    )

    assert dark != light


@pytest.mark.parametrize(
    ("size", "sides"),
    [((512, 512), (128, 128)), ((512, 256), (128, 64)), ((256, 1024), (32, 128)), ((48, 32), (48, 32))],
)
def test_it_is_small_and_has_the_pictures_ratio(size: tuple[int, int], sides: tuple[int, int]) -> None:
    width, height = size
    noise = torch.randn(1, 4, height // 2, width // 2, generator=torch.Generator().manual_seed(1))

    written = Previews(build_kl(4)).jpeg(noise, ImageSize(width=width, height=height))

    image = Image.open(BytesIO(written))
    assert (image.format, image.size) == ("JPEG", sides)
    assert len(written) < LARGEST_BYTES


def test_equal_latents_give_equal_bytes_and_the_map_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vae = build_kl(4)
    encoded: list[torch.Size] = []
    encode = vae.encode
    monkeypatch.setattr(vae, "encode", lambda pixels: encoded.append(pixels.shape) or encode(pixels))
    latents, size = torch.ones(1, 4, 16, 16), ImageSize(width=32, height=32)
    previews = Previews(vae)
    assert encoded == []

    first, again = previews.jpeg(latents, size), previews.jpeg(latents, size)

    assert len(encoded) == 1
    assert first == again == Previews(vae).jpeg(latents, size)


def test_latents_that_are_no_numbers_are_shown_nevertheless() -> None:
    broken = torch.full((1, 4, 8, 8), math.nan)

    assert Previews(build_kl(4)).jpeg(broken, ImageSize(width=16, height=16))


@pytest.mark.parametrize("wrong", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), KeyError("latents")])
def test_a_preview_that_fails_is_left_out_of_the_same_picture(
    sd1: Path,
    watch: Callable[..., Watched],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wrong: Exception,
) -> None:
    spec = new_spec(num_inference_steps=3)
    unwatched = watch(sd1, spec, 0)

    def fail(*_: object) -> bytes:
        raise wrong

    monkeypatch.setattr(Previews, "jpeg", fail)
    watched = watch(sd1, spec, 1)

    assert watched.previews == {}
    assert watched.pixel_sha256 == unwatched.pixel_sha256
    assert [record.name for record in caplog.records].count("models.diffusion.autoencoding.preview") == 1


def test_a_preview_that_fails_for_want_of_an_estimate_is_left_out() -> None:
    def fail() -> torch.Tensor:
        raise ZeroDivisionError

    assert Previews(build_kl(4)).attempt(fail, ImageSize(width=16, height=16)) is None


def test_a_device_that_is_lost_in_a_preview_is_no_preview_that_fails() -> None:
    def fail() -> torch.Tensor:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(torch.AcceleratorError):
        Previews(build_kl(4)).attempt(fail, ImageSize(width=16, height=16))


def their_estimate(denoising: Denoising, prediction: torch.Tensor) -> torch.Tensor:
    """What the sampler's own scheduler of diffusers believes."""
    schedule: Any = copy.deepcopy(denoising._schedule)
    timestep, latents = denoising._timesteps[denoising.passes_done], denoising._latents
    if hasattr(schedule, "convert_model_output"):
        if schedule.step_index is None:
            schedule._init_step_index(timestep)
        return schedule.convert_model_output(prediction, sample=latents)
    extras = copy.deepcopy(denoising._step_extras)
    return schedule.step(prediction, timestep, latents, **extras).pred_original_sample


EXACT = [Sampler.DDIM, Sampler.EULER, Sampler.EULER_A, Sampler.DPMPP_2M, Sampler.DPMPP_SDE, Sampler.UNIPC]


@pytest.mark.parametrize("sampler", [*EXACT, Sampler.HEUN, Sampler.DPMPP_2M_KARRAS])
@pytest.mark.parametrize("model", ["sd1", "zero_snr"])
def test_the_estimate_is_the_samplers_own(
    request: pytest.FixtureRequest, load: Load, device: Device, tmp_path: Path, sampler: Sampler, model: str
) -> None:
    pipeline = load(request.getfixturevalue(model))
    spec = new_spec(sampler=sampler, num_inference_steps=5, guidance_scale=1.0)
    denoising = begin(Paint(number=1, spec=spec, workspace=tmp_path), pipeline, device)
    assert denoising.estimate() is None
    # At Karras' sigmas diffusers rounds the timestep that the network is told; we judge by what it was told.
    near = 0.1 if sampler is Sampler.DPMPP_2M_KARRAS else 2e-3

    while not denoising.is_finished:
        wanted = pass_wanted(spec, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING))
        prediction = run_pass([wanted], 1)[0]
        if sampler is Sampler.HEUN and denoising.passes_done % 2:
            denoising.advance(prediction)  # a second look at the same step, where diffusers mixes both
            continue
        theirs = their_estimate(denoising, prediction)
        denoising.advance(prediction)
        ours = denoising.estimate()
        assert ours is not None
        assert (ours - theirs).norm() / theirs.norm() < near


@pytest.mark.parametrize("kind", Prediction)
def test_the_noise_is_taken_out_whatever_the_network_answers_with(kind: Prediction) -> None:
    generator = torch.Generator().manual_seed(4)
    picture, noise = torch.randn(2, 1, 4, 8, 8, generator=generator)
    alphas = torch.linspace(0.999, 0.001, 1000)
    signal, rest = alphas[400].sqrt(), (1 - alphas[400]).sqrt()
    seen = 0.6 * picture + 0.4 * noise if kind is Prediction.FLOW else signal * picture + rest * noise
    answers = {
        Prediction.EPSILON: noise,
        Prediction.V_PREDICTION: signal * noise - rest * picture,
        Prediction.SAMPLE: picture,
        Prediction.FLOW: noise - picture,
    }

    clean = clean_latents(seen, answers[kind], kind, timestep=400.0, alphas=alphas)

    assert torch.allclose(clean, picture, atol=1e-4)


def test_between_two_timesteps_the_noise_is_between() -> None:
    kind = Prediction.EPSILON
    seen, answered, alphas = torch.ones(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.5), torch.linspace(0.9, 0.1, 9)

    below, between, above = (
        float(clean_latents(seen, answered, kind, timestep=timestep, alphas=alphas).mean()) for timestep in (3, 3.5, 4)
    )

    assert below < between < above or below > between > above


def test_pure_noise_of_a_zero_snr_schedule_is_no_division_by_nothing() -> None:
    alphas = torch.tensor([0.9, 0.0])

    clean = clean_latents(torch.ones(1), torch.ones(1), Prediction.EPSILON, timestep=1.0, alphas=alphas)

    assert torch.isfinite(clean).all()


def test_without_alphas_it_is_a_flow() -> None:
    estimating = Estimating({}, alphas=None)
    estimating.see(torch.full((1, 1, 2, 2), 2.0), torch.tensor(250.0))

    estimating.hear(torch.full((1, 1, 2, 2), 4.0))

    assert torch.equal(estimating.clean(), torch.ones(1, 1, 2, 2))


def test_what_is_kept_of_a_picture_is_shown_as_it_is(sd1: Path, load: Load, device: Device, tmp_path: Path) -> None:
    from models.diffusion.steps.canvas import Kept

    pipeline = load(sd1)
    spec = new_spec()
    denoising = begin(Paint(number=1, spec=spec, workspace=tmp_path), pipeline, device)
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    denoising.canvas = replace(denoising.canvas, kept=Kept(latents=torch.full((1, 4, 8, 8), 3.0), mask=mask))

    wanted = pass_wanted(spec, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING))
    denoising.advance(run_pass([wanted], 1)[0])

    estimate = denoising.estimate()
    assert (estimate[..., :4] == 3).all()
    assert not (estimate[..., 4:] == 3).any()


def test_sdxl_is_shown_too(sdxl: Path, watch: Callable[..., Watched]) -> None:
    assert watch(sdxl, new_spec(num_inference_steps=2), 1).previews.keys() == {1, 2}


def test_a_model_keeps_its_map(sd1: Path, device: Device) -> None:
    residency = Residency({"tiny": card_of(sd1)}, device)

    first, again = (at_once(residency.pipeline("tiny")).previews for _ in range(2))

    assert first is again

"""Alone, our picture is diffusers' own picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from plugins.tiny_specs import new_spec

from models import GenerationSpec, Sampler
from models.diffusion.pixels.levels import picture_of
from models.diffusion.schedule.samplers import BUILDS, new_schedule

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

Denoise = Callable[[Path, GenerationSpec], torch.Tensor]

TOLERANCE = 0.0
NEVER_ZERO_SNR = {Sampler.HEUN}  # diffusers' own cannot; ours gets the rescaled betas


def diffusers_latents(pipeline: Any, spec: GenerationSpec, **more: object) -> torch.Tensor:
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = new_schedule(spec.sampler, pipeline.scheduler.config)
    return pipeline(
        spec.prompt,
        negative_prompt=spec.negative_prompt or None,
        width=spec.size.painted.width,
        height=spec.size.painted.height,
        num_inference_steps=spec.num_inference_steps,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="latent",
        eta=0.3 if spec.sampler is Sampler.TCD else 0.0,  # the scheduler's own default; the pipeline has another
        **more,
    ).images


@pytest.fixture
def their_sd1(sd1: Path) -> StableDiffusionPipeline:
    return StableDiffusionPipeline.from_pretrained(sd1, safety_checker=None, requires_safety_checker=False)


@pytest.fixture
def their_sdxl(sdxl: Path) -> StableDiffusionXLPipeline:
    return StableDiffusionXLPipeline.from_pretrained(sdxl, add_watermarker=False)


@pytest.mark.parametrize("sampler", Sampler)
def test_every_sampler_paints_what_diffusers_paints(
    sd1: Path, their_sd1: StableDiffusionPipeline, denoise: Denoise, sampler: Sampler
) -> None:
    spec = new_spec(sampler=sampler, num_inference_steps=4)

    ours, theirs = denoise(sd1, spec), diffusers_latents(their_sd1, spec)

    assert (ours - theirs).abs().max() <= TOLERANCE


@pytest.mark.parametrize("sampler", sorted(set(Sampler) - NEVER_ZERO_SNR))
def test_zero_snr_models_are_painted_as_diffusers_paints_them(
    zero_snr: Path, denoise: Denoise, sampler: Sampler
) -> None:
    theirs = StableDiffusionPipeline.from_pretrained(zero_snr, safety_checker=None, requires_safety_checker=False)
    spec = new_spec(sampler=sampler, num_inference_steps=4)

    expected = diffusers_latents(theirs, spec, guidance_rescale=0.7)

    assert torch.equal(denoise(zero_snr, spec), expected)


def test_heun_paints_zero_snr_models_with_finite_values(zero_snr: Path, denoise: Denoise) -> None:
    assert denoise(zero_snr, new_spec(sampler=Sampler.HEUN, num_inference_steps=4)).isfinite().all()


@pytest.mark.parametrize("sampler", [Sampler.EULER, Sampler.DPMPP_2M_KARRAS, Sampler.DPMPP_SDE])
@pytest.mark.parametrize("negative_prompt", ["", "fog and rain"])
def test_sdxl_paints_what_diffusers_paints(
    sdxl: Path, their_sdxl: StableDiffusionXLPipeline, denoise: Denoise, sampler: Sampler, negative_prompt: str
) -> None:
    spec = new_spec(sampler=sampler, negative_prompt=negative_prompt)

    assert (denoise(sdxl, spec) - diffusers_latents(their_sdxl, spec)).abs().max() <= TOLERANCE


@pytest.mark.parametrize("model", ["sd1", "sdxl"])
def test_without_guidance_the_network_sees_one_row_and_paints_the_same(
    request: pytest.FixtureRequest, denoise: Denoise, model: str
) -> None:
    spec = new_spec(guidance_scale=1.0)
    theirs = request.getfixturevalue(f"their_{model}")

    ours = denoise(request.getfixturevalue(model), spec)

    assert (ours - diffusers_latents(theirs, spec)).abs().max() <= TOLERANCE


def test_the_decoded_picture_is_diffusers_picture(
    sd1: Path, their_sd1: StableDiffusionPipeline, load: Callable[[Path], Any], denoise: Denoise
) -> None:
    latents = denoise(sd1, new_spec())
    decoded = their_sd1.vae.decode(latents / their_sd1.vae.config.scaling_factor, return_dict=False)[0]
    theirs = their_sd1.image_processor.postprocess(decoded.detach(), output_type="pil")[0]

    assert picture_of(load(sd1).network.decode(latents)).tobytes() == theirs.tobytes()


def test_every_sampler_has_a_scheduler() -> None:
    assert set(BUILDS) == set(Sampler)

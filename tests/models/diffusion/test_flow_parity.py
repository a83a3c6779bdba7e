"""Transformers that predict flows: alone, our picture is diffusers' own picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxPipeline, StableDiffusion3Pipeline, UniPCMultistepScheduler
from plugins.tiny_specs import new_spec, plain_size
from plugins.tiny_transformers import build_flux, build_sd3

from models import GenerationSpec, Sampler
from models.diffusion.families.flux import packed
from models.diffusion.pixels.levels import picture_of
from models.diffusion.schedule.flow import FLOW_BUILDS, FlowTiming, flow_schedule
from models.errors import ModelUnavailable, PaintingBroken
from router.overrides import FLOW_SAMPLERS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

Denoise = Callable[[Path, GenerationSpec], torch.Tensor]

# Guided by a second row, diffusers' Flux runs the rows one after the other and we run both at once.
SAME_BUT_FOR_ROUNDING = 1e-4


def diffusers_latents(pipeline: Any, spec: GenerationSpec, **more: object) -> torch.Tensor:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(
        spec.prompt,
        negative_prompt=spec.negative_prompt,
        width=spec.size.painted.width,
        height=spec.size.painted.height,
        num_inference_steps=spec.num_inference_steps,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        **{"guidance_scale": spec.guidance_scale, "output_type": "latent", **more},
    ).images


@pytest.fixture(scope="module")
def guided_flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_flux(tmp_path_factory.mktemp("models") / "guided-flux", takes_guidance=False)


@pytest.mark.parametrize("guidance_scale", [1.0, 4.0])
@pytest.mark.parametrize("negative_prompt", ["", "fog and rain"])
@pytest.mark.parametrize("steps", [3, 9])
def test_sd3_paints_what_diffusers_paints(
    sd3: Path, denoise: Denoise, guidance_scale: float, negative_prompt: str, steps: int
) -> None:
    spec = new_spec(guidance_scale=guidance_scale, negative_prompt=negative_prompt, num_inference_steps=steps)

    theirs = diffusers_latents(StableDiffusion3Pipeline.from_pretrained(sd3), spec)

    assert torch.equal(denoise(sd3, spec), theirs)


@pytest.mark.parametrize("sampler", FLOW_BUILDS)
def test_every_flow_sampler_paints_sd3_as_diffusers_does(sd3: Path, denoise: Denoise, sampler: Sampler) -> None:
    spec = new_spec(sampler=sampler, num_inference_steps=5)
    pipeline = StableDiffusion3Pipeline.from_pretrained(sd3)
    pipeline.scheduler = flow_schedule(sampler, pipeline.scheduler.config, FlowTiming(patch=2), steps=5, sides=(8, 8))

    assert torch.equal(denoise(sd3, spec), diffusers_latents(pipeline, spec))


def test_the_router_knows_which_samplers_know_flows() -> None:
    assert set(FLOW_BUILDS) == FLOW_SAMPLERS


def test_sd3_without_t5_paints_what_diffusers_paints(tmp_path: Path, denoise: Denoise) -> None:
    folder, spec = build_sd3(tmp_path / "sd3", has_t5=False), new_spec()

    pipeline = StableDiffusion3Pipeline.from_pretrained(folder, text_encoder_3=None, tokenizer_3=None)

    assert torch.equal(denoise(folder, spec), diffusers_latents(pipeline, spec))


@pytest.mark.parametrize("steps", [3, 9])
@pytest.mark.parametrize("width", [32, 64])
def test_flux_that_is_told_its_guidance_paints_what_diffusers_paints(
    flux: Path, denoise: Denoise, steps: int, width: int
) -> None:
    spec = new_spec(num_inference_steps=steps, size=plain_size(width, 32), negative_prompt="")

    theirs = diffusers_latents(FluxPipeline.from_pretrained(flux), spec)

    assert torch.equal(packed(denoise(flux, spec)), theirs)


def test_flux_shifts_time_for_every_sampler_as_diffusers_does(flux: Path, denoise: Denoise) -> None:
    spec = new_spec(sampler=Sampler.UNIPC, num_inference_steps=5, negative_prompt="")
    pipeline = FluxPipeline.from_pretrained(flux)
    pipeline.scheduler = UniPCMultistepScheduler.from_config(
        pipeline.scheduler.config, prediction_type="flow_prediction", use_flow_sigmas=True, use_dynamic_shifting=True
    )

    assert (packed(denoise(flux, spec)) - diffusers_latents(pipeline, spec)).abs().max() <= SAME_BUT_FOR_ROUNDING


@pytest.mark.parametrize(("guidance_scale", "tolerance"), [(1.0, 0.0), (4.0, SAME_BUT_FOR_ROUNDING)])
@pytest.mark.parametrize("negative_prompt", ["", "fog and rain"])
def test_flux_that_is_guided_by_a_second_row_paints_what_diffusers_paints(
    guided_flux: Path, denoise: Denoise, guidance_scale: float, tolerance: float, negative_prompt: str
) -> None:
    spec = new_spec(guidance_scale=guidance_scale, negative_prompt=negative_prompt, num_inference_steps=9)

    theirs = diffusers_latents(FluxPipeline.from_pretrained(guided_flux), spec, true_cfg_scale=guidance_scale)

    assert (packed(denoise(guided_flux, spec)) - theirs).abs().max() <= tolerance


def test_the_scale_that_flux_is_told_changes_the_picture(flux: Path, denoise: Denoise) -> None:
    assert not torch.equal(denoise(flux, new_spec(guidance_scale=2.0)), denoise(flux, new_spec(guidance_scale=5.0)))


def test_the_end_of_a_long_prompt_changes_the_picture(sd3: Path, flux: Path, denoise: Denoise) -> None:
    long = "a red boat on a lake " * 19
    for folder in (sd3, flux):
        assert not torch.equal(
            denoise(folder, new_spec(prompt=long + "at night")), denoise(folder, new_spec(prompt=long + "at noon"))
        )


@pytest.mark.parametrize("model", ["sd3", "flux"])
def test_the_decoded_picture_is_diffusers_picture(
    request: pytest.FixtureRequest, load: Callable[[Path], Any], denoise: Denoise, model: str
) -> None:
    folder, spec = request.getfixturevalue(model), new_spec(negative_prompt="")
    kind = StableDiffusion3Pipeline if model == "sd3" else FluxPipeline

    theirs = diffusers_latents(kind.from_pretrained(folder), spec, output_type="pil")[0]

    assert picture_of(load(folder).network.decode(denoise(folder, spec))).tobytes() == theirs.tobytes()


@pytest.mark.parametrize("sampler", sorted(set(Sampler) - set(FLOW_BUILDS)))
def test_samplers_that_know_no_flows_are_refused_by_name(sd3: Path, denoise: Denoise, sampler: Sampler) -> None:
    with pytest.raises(ModelUnavailable, match="euler, heun, dpmpp_2m, unipc"):
        denoise(sd3, new_spec(sampler=sampler))


@pytest.mark.parametrize(("width", "reason"), [(36, "multiples of 8"), (512, "at most 256")])
def test_sides_that_the_network_cannot_place_are_refused(sd3: Path, denoise: Denoise, width: int, reason: str) -> None:
    with pytest.raises(PaintingBroken, match=reason):
        denoise(sd3, new_spec(size=plain_size(width, 32)))

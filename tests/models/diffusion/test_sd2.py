"""Stable Diffusion 2.x is painted as diffusers paints it, whichever of its two ways it predicts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from plugins.tiny_specs import new_spec

from models import GenerationSpec, Sampler
from models.diffusion.schedule.samplers import new_schedule

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

Denoise = Callable[[Path, GenerationSpec], torch.Tensor]


@pytest.fixture(scope="module")
def theirs(sd2: Path) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(sd2, safety_checker=None, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("sampler", Sampler)
def test_every_sampler_paints_what_diffusers_paints(
    sd2: Path, theirs: StableDiffusionPipeline, denoise: Denoise, sampler: Sampler
) -> None:
    theirs.scheduler = new_schedule(sampler, theirs.scheduler.config)
    spec = new_spec(sampler=sampler, num_inference_steps=4)

    expected = theirs(
        spec.prompt,
        negative_prompt=spec.negative_prompt,
        width=32,
        height=32,
        num_inference_steps=4,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="latent",
        eta=0.3 if sampler is Sampler.TCD else 0.0,  # the scheduler's own default; the pipeline has another
    ).images

    assert torch.equal(denoise(sd2, spec), expected)

"""Every sampler walks every number of steps that a request may ask for, and every strength."""

from collections.abc import Mapping
from itertools import product

import pytest
import torch
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from plugins.tiny_specs import new_spec

from models import MAX_INFERENCE_STEPS, Sampler
from models.diffusion.resident.whole import scheduler_for
from models.diffusion.schedule.flow import FLOW_BUILDS, FlowTiming
from models.diffusion.schedule.samplers import DISTILLED, DISTILLED_STEPS, new_schedule
from models.diffusion.steps.canvas import Canvas
from models.diffusion.steps.denoising import Denoising
from models.diffusion.texts.conditioning import Conditioning
from models.spec import steps_walked

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

NOISE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
ZERO_SNR = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
CONFIGS: Mapping[str, Mapping[str, object]] = {"noise": NOISE, "zero SNR": NOISE | ZERO_SNR}
STEPS = (1, 2, DISTILLED_STEPS + 1, MAX_INFERENCE_STEPS)
SHAPE = (1, 4, 2, 2)


def passes(
    sampler: Sampler,
    config: Mapping[str, object],
    *,
    steps: int,
    strength: float | None = None,
    flow: FlowTiming | None = None,
) -> int:
    """Walk the whole schedule with a network that answers little. Raises whatever the sampler raises."""
    generator = torch.Generator().manual_seed(1)
    canvas = Canvas(
        generator=generator,
        noise=torch.randn(SHAPE, generator=generator),
        picture=None if strength is None else torch.full(SHAPE, 0.5),
        strength=strength,
    )
    denoising = Denoising(
        new_spec(sampler=sampler, num_inference_steps=steps, guidance_scale=1.0),
        Conditioning(embeddings=torch.zeros(1, 1, 1)),
        canvas=canvas,
        scheduler_config=config,
        device=torch.device("cpu"),
        flow=flow,
    )
    count = 0
    while not denoising.is_finished:
        denoising.advance(denoising.rows().latents * 0.1)
        count += 1
    denoising.latents()
    return count


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("sampler", Sampler)
def test_it_walks_any_number_of_steps_at_any_strength(sampler: Sampler, config: str) -> None:
    for steps, strength in product(STEPS, (None, 0.0, 0.5, 1.0)):
        walked = steps_walked(steps, 1.0 if strength is None else strength)
        expected = 2 * walked - 1 if sampler is Sampler.HEUN else walked

        assert passes(sampler, CONFIGS[config], steps=steps, strength=strength) == expected, (steps, strength)


@pytest.mark.parametrize("starts_at_noise", [True, False])
@pytest.mark.parametrize("sampler", FLOW_BUILDS)
def test_so_do_the_schedules_of_flows(sampler: Sampler, *, starts_at_noise: bool) -> None:
    config = {"num_train_timesteps": 1000, "shift": 3.0, "use_dynamic_shifting": starts_at_noise}
    for steps in STEPS:
        expected = 2 * steps - 1 if sampler is Sampler.HEUN else steps
        timing = FlowTiming(patch=1, starts_at_noise=starts_at_noise)

        assert passes(sampler, config, steps=steps, flow=timing) == expected, steps


@pytest.mark.parametrize("sampler", DISTILLED)
def test_more_steps_than_a_model_was_distilled_from_change_nothing_for_fewer(sampler: Sampler) -> None:
    timesteps = {}
    for room in (1, DISTILLED_STEPS, DISTILLED_STEPS + 1):
        schedule = new_schedule(sampler, NOISE, steps=room)
        schedule.set_timesteps(4, device=torch.device("cpu"))
        timesteps[room] = schedule.timesteps.tolist()

    assert timesteps[1] == timesteps[DISTILLED_STEPS]
    assert timesteps[1] != timesteps[DISTILLED_STEPS + 1]


def test_neither_does_a_model_that_is_painted_as_a_whole_refuse_them() -> None:
    own = LCMScheduler.from_config(NOISE)

    schedule = scheduler_for(own, Sampler.LCM, steps=MAX_INFERENCE_STEPS)
    schedule.set_timesteps(MAX_INFERENCE_STEPS, device=torch.device("cpu"))

    assert len(schedule.timesteps) == MAX_INFERENCE_STEPS

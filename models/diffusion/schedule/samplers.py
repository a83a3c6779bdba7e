"""Samplers under the field's names, made of diffusers' schedulers and the model's own noise
schedule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from models.request import Sampler

# The last cumulative alpha of a zero-SNR schedule, for samplers that divide by it; diffusers' Euler
# uses the same.
SMALLEST_ALPHA = 2.0**-24
# Samplers that pick their steps out of those that a model was distilled from, and how many these
# are where the model does not say.
DISTILLED = (Sampler.LCM, Sampler.TCD)
DISTILLED_STEPS = 50


class Schedule(Protocol):
    """What we use of a diffusers scheduler."""

    order: int
    timesteps: torch.Tensor
    init_noise_sigma: float | torch.Tensor
    config: Mapping[str, Any]
    alphas_cumprod: torch.Tensor  # of the models' own schedule; flows have none

    def set_timesteps(self, num_inference_steps: int, *, device: torch.device) -> None: ...
    def scale_model_input(self, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor: ...
    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor: ...
    def step(
        self, prediction: torch.Tensor, timestep: torch.Tensor, latents: torch.Tensor, **more: object
    ) -> tuple[torch.Tensor, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A scheduler class of diffusers, its settings beside the model's schedule, whether its steps
    draw noise."""

    module: str
    kind: str
    settings: Mapping[str, object] = field(default_factory=dict)
    draws_noise: bool = False


BUILDS: Mapping[Sampler, Build] = {
    Sampler.EULER: Build(module="euler_discrete", kind="EulerDiscreteScheduler"),
    Sampler.EULER_A: Build(module="euler_ancestral_discrete", kind="EulerAncestralDiscreteScheduler", draws_noise=True),
    Sampler.DDIM: Build(module="ddim", kind="DDIMScheduler"),
    Sampler.DPMPP_2M: Build(
        module="dpmsolver_multistep",
        kind="DPMSolverMultistepScheduler",
        settings={"algorithm_type": "dpmsolver++", "use_karras_sigmas": False},
    ),
    Sampler.DPMPP_2M_KARRAS: Build(
        module="dpmsolver_multistep",
        kind="DPMSolverMultistepScheduler",
        settings={"algorithm_type": "dpmsolver++", "use_karras_sigmas": True},
    ),
    Sampler.DPMPP_SDE: Build(
        module="dpmsolver_multistep",
        kind="DPMSolverMultistepScheduler",
        settings={"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": False},
        draws_noise=True,
    ),
    Sampler.UNIPC: Build(module="unipc_multistep", kind="UniPCMultistepScheduler"),
    Sampler.LCM: Build(module="lcm", kind="LCMScheduler", draws_noise=True),
    Sampler.TCD: Build(module="tcd", kind="TCDScheduler", draws_noise=True),
    Sampler.HEUN: Build(module="heun_discrete", kind="HeunDiscreteScheduler"),
}


def new_schedule(sampler: Sampler, config: Mapping[str, object], *, steps: int = 1) -> Schedule:
    """A scheduler for one picture of so many steps. Prediction type, betas, zero-terminal SNR and
    spacing come from the model's `config`."""
    build = BUILDS[sampler]
    kind = getattr(import_module(f"diffusers.schedulers.scheduling_{build.module}"), build.kind)
    settings = dict(build.settings)
    if sampler is Sampler.HEUN and config.get("rescale_betas_zero_snr"):
        settings["trained_betas"] = _zero_snr_betas(config)
    if sampler in DISTILLED:
        settings |= with_room_for(steps, config)
    schedule: Schedule = kind.from_config(dict(config), **settings)
    return schedule


def with_room_for(steps: int, config: Mapping[str, object]) -> dict[str, int]:
    """A setting of a distilled model's scheduler so that more steps can be picked than it was
    distilled from: as many as are wanted. Empty where there are enough, so that nothing changes for
    few steps."""
    known = config.get("original_inference_steps", DISTILLED_STEPS)
    return {"original_inference_steps": steps} if isinstance(known, int) and steps > known else {}


def _zero_snr_betas(config: Mapping[str, object]) -> list[float]:
    """Betas of the rescaled schedule for a scheduler that cannot rescale. Source: Lin et al. 2023,
    arXiv:2305.08891."""
    alphas: torch.Tensor = DDIMScheduler.from_config(dict(config)).alphas_cumprod.double()
    alphas[-1] = SMALLEST_ALPHA
    before = torch.cat([torch.ones(1, dtype=alphas.dtype), alphas[:-1]])
    return [float(beta) for beta in 1 - alphas / before]

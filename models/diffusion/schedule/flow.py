"""Schedules of models that learned a flow (SD3, Flux): how much noise is left at each step.

Such a schedule is shifted so that more steps are spent in the noise; with dynamic shifting, the
more the larger the picture is. Source: Esser et al. 2024, arXiv:2403.03206, section 5.3.2.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

import torch

from models.diffusion.schedule.samplers import Build, Schedule
from models.errors import ModelUnavailable
from models.request import Sampler

EULER = "FlowMatchEulerDiscreteScheduler"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTiming:
    """What a family's schedule depends on beside its configuration.

    `patch` latents a side are one token. `starts_at_noise`: sigmas fall from 1 to 1 / steps before
    they are shifted; else they fall to the least sigma of the training.
    """

    patch: int
    starts_at_noise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBuild(Build):
    """`shift` is what the scheduler calls its constant shift."""

    shift: str
    settings: Mapping[str, object] = field(default_factory=dict)


FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}
FLOW_BUILDS: Mapping[Sampler, FlowBuild] = {
    Sampler.EULER: FlowBuild(module="flow_match_euler_discrete", kind=EULER, shift="shift"),
    Sampler.HEUN: FlowBuild(module="flow_match_heun_discrete", kind="FlowMatchHeunDiscreteScheduler", shift="shift"),
    Sampler.DPMPP_2M: FlowBuild(
        module="dpmsolver_multistep",
        kind="DPMSolverMultistepScheduler",
        shift="flow_shift",
        settings=FLOW | {"algorithm_type": "dpmsolver++"},
    ),
    Sampler.UNIPC: FlowBuild(
        module="unipc_multistep", kind="UniPCMultistepScheduler", shift="flow_shift", settings=FLOW
    ),
}


def flow_schedule(
    sampler: Sampler, config: Mapping[str, object], timing: FlowTiming, *, steps: int, sides: tuple[int, int]
) -> Schedule:
    """A scheduler with its timesteps set, on the CPU, for latents of `sides` (height, width).

    Raises:
        ModelUnavailable: the sampler knows no flows.
    """
    if sampler not in FLOW_BUILDS:
        known = ", ".join(FLOW_BUILDS)
        raise ModelUnavailable(f"Models of this family are painted with {known}, not with {sampler}.")
    build = FLOW_BUILDS[sampler]
    kind = getattr(import_module(f"diffusers.schedulers.scheduling_{build.module}"), build.kind)
    height, width = sides
    mu = _mu(config, (height // timing.patch) * (width // timing.patch))
    if build.kind == EULER:
        schedule = kind.from_config(dict(config))
        sigmas = torch.linspace(1, 1 / steps, steps, dtype=torch.float64).tolist() if timing.starts_at_noise else None
        schedule.set_timesteps(None if sigmas else steps, sigmas=sigmas, mu=mu)
    else:
        shifted = {build.shift: _shift(config, mu), "use_dynamic_shifting": False}
        schedule = kind.from_config({**config, **build.settings, **shifted})
        schedule.set_timesteps(steps)
    result: Schedule = schedule
    return result


def _mu(config: Mapping[str, object], tokens: int) -> float | None:
    """The shift for a picture of so many tokens, on a line through the two that the configuration
    names."""
    if not config.get("use_dynamic_shifting"):
        return None
    few, many = _number(config, "base_image_seq_len", 256), _number(config, "max_image_seq_len", 4096)
    least, most = _number(config, "base_shift", 0.5), _number(config, "max_shift", 1.15)
    slope = (most - least) / (many - few)
    return tokens * slope + (least - slope * few)


def _shift(config: Mapping[str, object], mu: float | None) -> float:
    """The constant shift that does the same: shifting exponentially by mu is shifting by e to the
    mu."""
    if mu is None:
        return _number(config, "shift", _number(config, "flow_shift", 1.0))
    return mu if config.get("time_shift_type") == "linear" else math.exp(mu)


def _number(config: Mapping[str, object], name: str, usual: float) -> float:
    said = config.get(name)
    return said if isinstance(said, int | float) else usual

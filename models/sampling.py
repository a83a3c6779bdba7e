"""How a model likes to be sampled where no style says it: part of its card, with sensible defaults
for new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from msgspec import Meta

from models.request import (
    MAX_CLIP_SKIP,
    MAX_GUIDANCE_SCALE,
    MAX_INFERENCE_STEPS,
    MIN_GUIDANCE_SCALE,
    Quality,
    Sampler,
)

Steps: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_INFERENCE_STEPS)]
Guidance: TypeAlias = Annotated[float, Meta(ge=MIN_GUIDANCE_SCALE, le=MAX_GUIDANCE_SCALE)]
ClipSkip: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_CLIP_SKIP)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """`steps` and `guidance` name every quality. Guidance 1 means none."""

    sampler: Sampler
    steps: Mapping[Quality, Steps]
    guidance: Mapping[Quality, Guidance]

    def __post_init__(self) -> None:
        """Raises ValueError: a quality is left out."""
        for member, named in (("steps", self.steps), ("guidance", self.guidance)):
            if missing := [quality.value for quality in Quality if quality not in named]:
                raise ValueError(f"`sampling.{member}` names no {missing[0]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refiner:
    """How a model refines what it has painted; the style says how often.

    `steps` count the whole schedule, of which it walks the last part, `strength` of it. It works at
    `scale` times the sides: 1 puts right what is there, 2 adds detail to what is enlarged by much
    anyway. `path` is a LoRA made for that, a safetensors file. Guidance 1 means none.
    """

    steps: Steps
    strength: Annotated[float, Meta(gt=0, le=1)]
    scale: Annotated[int, Meta(ge=1, le=2)] = 1
    guidance: Guidance = MIN_GUIDANCE_SCALE
    path: Path | None = None


def _sampling(sampler: Sampler, steps: tuple[int, int, int], guidance: float) -> Sampling:
    return Sampling(
        sampler=sampler,
        steps=dict(zip(Quality, steps, strict=True)),
        guidance=dict.fromkeys(Quality, guidance),
    )


SD3 = _sampling(Sampler.EULER, (20, 28, 40), 4.5)
FLUX_DISTILLED_GUIDANCE = _sampling(Sampler.EULER, (20, 28, 50), 3.5)
# Flux without a guidance input is distilled to a few steps without guidance.
FLUX_FEW_STEPS = _sampling(Sampler.EULER, (4, 4, 8), 1.0)
FEW_STEPS = _sampling(Sampler.LCM, (4, 6, 8), 8.0)

# The sampler that a whole pipeline's own scheduler is; one that is none of ours stays as it is
# whatever is named.
SAMPLERS: Mapping[str, Sampler] = {
    "DDIMScheduler": Sampler.DDIM,
    "DPMSolverMultistepScheduler": Sampler.DPMPP_2M,
    "EulerAncestralDiscreteScheduler": Sampler.EULER_A,
    "HeunDiscreteScheduler": Sampler.HEUN,
    "TCDScheduler": Sampler.TCD,
    "UniPCMultistepScheduler": Sampler.UNIPC,
}


def sampling_of_whole(scheduler: str) -> Sampling:
    """For a pipeline that runs as a whole, by the class of its scheduler."""
    if scheduler == "LCMScheduler":
        return FEW_STEPS
    return _sampling(SAMPLERS.get(scheduler, Sampler.EULER), (20, 30, 50), 4.5)

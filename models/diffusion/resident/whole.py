"""Models without an adapter of ours: diffusers' own pipeline paints, one picture at a time, and
stops at each step."""

import inspect
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from models.diffusion.device import Device
from models.diffusion.resident.adapters import Adapters
from models.diffusion.resident.alternation import alternating
from models.diffusion.schedule.flow import FLOW_BUILDS
from models.diffusion.schedule.noise import generator_of
from models.diffusion.schedule.samplers import BUILDS, Schedule, new_schedule, with_room_for
from models.errors import ModelUnavailable, PaintingBroken
from models.manifest import Fingerprint
from models.prompts import read_weights
from models.request import Sampler
from models.spec import GenerationSpec
from models.vocabulary import Vocabulary

# Schedulers whose pipelines rely on what only they can do.
UNIQUE = ("LCMScheduler", "TCDScheduler", *(build.kind for build in FLOW_BUILDS.values() if "Flow" in build.kind))

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePipeline:
    """A diffusers pipeline that was loaded; each picture is painted with a copy that has a
    scheduler of its own.

    The copies share the networks, and some pipelines (PAG) change these while they paint: whoever
    paints holds `turn`.
    """

    pipeline: Any
    vocabulary: Vocabulary
    fingerprint: Fingerprint
    size_bytes: int
    adapters: Adapters
    notes: tuple[str, ...] = ()
    turn: Lock = field(default_factory=Lock)

    @property
    def networks(self) -> list[torch.nn.Module]:
        return [part for part in self.pipeline.components.values() if isinstance(part, torch.nn.Module)]


def _check_possible(spec: GenerationSpec) -> None:
    """Raises PaintingBroken."""
    if spec.init_image is not None:
        raise PaintingBroken("This model starts from noise alone, not from a picture.")
    if spec.clip_skip:
        raise PaintingBroken("Of this model's text encoder no layers can be left out (`clip_skip`).")
    if spec.refining is not None:
        raise PaintingBroken("This model cannot refine its paintings; its card must name no `refiner`.")
    if spec.vae is not None:
        raise PaintingBroken("This model is painted as a whole; it takes no other autoencoder (`vae`).")


def drawing(
    whole: WholePipeline, spec: GenerationSpec, device: Device
) -> Generator[int, None, tuple[torch.Tensor, tuple[float, ...]]]:
    """Paint; yields after each step how many are done. Closing it stops there. The caller holds
    `whole.turn`.

    Returns:
        (height, width, 3) in 0..1, on the CPU, and the timesteps that were walked.

    Raises:
        ModelUnavailable: the spec wants what this pipeline cannot do.
        PaintingBroken: the pipeline refused, or gave back no picture of the size wanted.
    """
    _check_possible(spec)
    pipeline = copy(whole.pipeline)
    pipeline.scheduler = scheduler_for(whole.pipeline.scheduler, spec.sampler, steps=spec.num_inference_steps)
    pipeline.set_progress_bar_config(disable=True)
    walked: list[float] = []

    def work(pause: Callable[[], None]) -> object:
        torch.set_num_threads(device.threads)  # counts for a thread, not for the process
        return pipeline(**arguments(pipeline, spec), **_reporting(pipeline, walked, pause)).images[0]

    with unchanged(whole.networks), closing(alternating(work)) as steps:
        try:
            while True:
                next(steps)
                yield len(walked)
        except StopIteration as finished:
            return checked(torch.as_tensor(finished.value), spec), tuple(walked)
        except ValueError as wrong:
            log.warning("the pipeline refuses: %s", wrong)
            raise PaintingBroken("The model's pipeline refuses these settings; the log has its reason.") from wrong


@contextmanager
def unchanged(networks: Sequence[torch.nn.Module]) -> Iterator[None]:
    """Put back what pipelines exchange for as long as they paint, and leave so when they are
    stopped or fail: attention processors (PAG), and the dtype of an autoencoder that overflows in
    float16."""
    dtypes = [_dtype_of(network) for network in networks]
    layers: list[Any] = [
        layer for network in networks for layer in network.modules() if hasattr(layer, "set_processor")
    ]
    manners = [layer.processor for layer in layers]
    try:
        yield
    finally:
        for layer, manner in zip(layers, manners, strict=True):
            if layer.processor is not manner:
                layer.set_processor(manner)
        for network, dtype in zip(networks, dtypes, strict=True):
            if _dtype_of(network) is not dtype:
                network.to(dtype)


def _dtype_of(network: torch.nn.Module) -> torch.dtype | None:
    return next((weights.dtype for weights in network.parameters()), None)


def scheduler_for(own: Schedule, sampler: Sampler, *, steps: int = 1) -> Schedule:
    """A new scheduler of the sampler's kind, for so many steps. One that is none of our samplers'
    stays what it is, whatever is named.

    Raises:
        ModelUnavailable: the pipeline's scheduler cannot be exchanged for this sampler's.
    """
    builder: Any = type(own)
    kind = builder.__name__
    builds = FLOW_BUILDS if "Flow" in kind else BUILDS
    names = [name for name, build in builds.items() if build.kind == kind]
    if not names or (sampler in names and kind in UNIQUE):
        room = with_room_for(steps, own.config) if "original_inference_steps" in own.config else {}
        schedule: Schedule = builder.from_config(own.config, **room)
        return schedule
    possible = names if kind in UNIQUE else [name for name, build in BUILDS.items() if build.kind not in UNIQUE]
    if sampler not in possible:
        raise ModelUnavailable(f"This model is painted with {', '.join(possible)}, not with {sampler}.")
    return new_schedule(sampler, own.config, steps=steps)


def arguments(pipeline: DiffusionPipeline, spec: GenerationSpec) -> dict[str, object]:
    """What the spec says, as far as the pipeline listens; nothing that would change sizes or texts
    behind our back."""
    known = inspect.signature(pipeline.__call__).parameters
    size = spec.size.painted
    wanted = {
        "prompt": read_weights(spec.prompt).text,  # none of these encoders is ours to weigh in
        "negative_prompt": read_weights(spec.negative_prompt).text,
        "width": size.width,
        "height": size.height,
        "num_inference_steps": spec.num_inference_steps,
        _guidance_name(pipeline, known): spec.guidance_scale,
        "generator": generator_of(spec.seed),
        "output_type": "np",
        "clean_caption": False,
        "use_resolution_binning": False,
    }
    return {name: value for name, value in wanted.items() if name in known}


def _guidance_name(pipeline: Any, known: Mapping[str, Any]) -> str:
    """Where a pipeline knows two scales, the one that is no input of its network."""
    transformer = getattr(pipeline, "transformer", None)
    takes_scale = bool(getattr(getattr(transformer, "config", None), "guidance_embeds", False))
    return "true_cfg_scale" if "true_cfg_scale" in known and not takes_scale else "guidance_scale"


def _reporting(pipeline: Any, walked: list[float], pause: Callable[[], None]) -> dict[str, Any]:
    """The newer pipelines hand themselves over after each step, the older ones step, time and
    latents."""

    def on_step_end(_: object, step: int, timestep: float, tensors: dict[str, object]) -> dict[str, object]:  # noqa: ARG001
        walked.append(float(timestep))
        pause()
        return tensors

    def on_step(step: int, timestep: float, latents: object) -> None:  # noqa: ARG001
        walked.append(float(timestep))
        pause()

    if "callback_on_step_end" in inspect.signature(pipeline.__call__).parameters:
        return {"callback_on_step_end": on_step_end}
    return {"callback": on_step, "callback_steps": 1}


def checked(pixels: torch.Tensor, spec: GenerationSpec) -> torch.Tensor:
    """Raises PaintingBroken: they are no numbers, or of another size."""
    if not bool(torch.isfinite(pixels).all()):
        raise PaintingBroken("The model produced values that are not numbers (NaN or infinity).")
    size = spec.size.painted
    if tuple(pixels.shape) != (size.height, size.width, 3):
        raise PaintingBroken(f"The model's pipeline painted {pixels.shape[1]}x{pixels.shape[0]} instead of {size}.")
    return pixels.float().clamp(0, 1)

"""The complete, reproducible recipe of one picture: every default is filled in, nothing may have
gaps; and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from models.request import Adapter, ImageSize, InitImage, Sampler

MAX_CANDIDATES = 16
MAX_ROUNDS = 8
DRAFT_STEPS = 6
"""In how many steps a candidate is drafted before one is chosen."""


class Resampling(StrEnum):
    """What makes a picture larger: nothing, a filter, or the catalogue's upscaler."""

    NONE = "none"
    LANCZOS = "lanczos"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePlan:
    """How the size asked for is reached: paint, refine at `refined`, enlarge until `target` is
    covered, crop the centre, then upscale.

    `painted` is what the sampler sees first, `target` what the caller asked for; `refined` None
    means that nothing is refined; `upscale` is 1 or 4. A network always makes four times the sides;
    where the plan wants another size of it, a filter makes the last step.
    """

    painted: ImageSize
    target: ImageSize
    resampling: Resampling
    upscale: int
    upscale_resampling: Resampling
    refined: ImageSize | None = None

    @property
    def drawn(self) -> ImageSize:
        """The size at which denoising ends."""
        return self.refined or self.painted

    @property
    def wants_network(self) -> bool:
        return Resampling.NETWORK in (self.resampling, self.upscale_resampling)

    @property
    def covering(self) -> ImageSize:
        """The smallest enlargement of what is drawn, in its own ratio, that covers `target`."""
        scale = max(self.target.width / self.drawn.width, self.target.height / self.drawn.height)
        return ImageSize(
            width=max(self.target.width, round(self.drawn.width * scale)),
            height=max(self.target.height, round(self.drawn.height * scale)),
        )

    @property
    def delivered(self) -> ImageSize:
        return self.target.times(self.upscale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refining:
    """How a painting is refined: noise is added to it and it is denoised again, `rounds` times.

    `strength`, above 0 up to 1, says how much of a schedule of `num_inference_steps` is walked in
    each. `adapters` act there behind the painting's own.
    """

    rounds: int
    strength: float
    num_inference_steps: int
    guidance_scale: float
    adapters: tuple[Adapter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSpec:
    """Everything that decides the pixels of one picture on one engine fingerprint.

    `prompt` and `negative_prompt` are the final texts the text encoder reads (style and enhancement
    included). `seed` is 0..2^32-1. `guidance_scale` 1.0 means no guidance. `clip_skip` counts the
    last layers of the text encoder that are left out beyond what the family leaves out anyway.
    Adapters act in their order. `vae` names an autoencoder of the catalogue that decodes, and
    encodes, in the place of the model's own. `candidate` counts the initial noises that are
    skipped. Of `candidates` from there on each is drafted, until one shows what was asked; a recipe
    names the one that was taken, and 1 of them. `refining` is there where `size` says that the
    painting is refined.
    """

    model: str
    prompt: str
    negative_prompt: str
    seed: int
    size: SizePlan
    sampler: Sampler
    num_inference_steps: int
    guidance_scale: float
    adapters: tuple[Adapter, ...] = ()
    clip_skip: int = 0
    init_image: InitImage | None = None
    vae: str | None = None
    candidate: int = 0
    candidates: int = 1
    refining: Refining | None = None

    @property
    def all_adapters(self) -> tuple[Adapter, ...]:
        """Those of the painting and those that refine it."""
        return (*self.adapters, *(self.refining.adapters if self.refining else ()))


def work_of(spec: GenerationSpec) -> int:
    """Painted pixels times passes of the network: what the picture costs the engine, in no unit of
    time."""
    return sum(pixels * passes for pixels, passes in _stages(spec))


def refining_passes(spec: GenerationSpec) -> int:
    """How often the network is asked for refining the painting, all rounds together."""
    if spec.refining is None:
        return 0
    steps = steps_walked(spec.refining.num_inference_steps, spec.refining.strength)
    return spec.refining.rounds * _asked(spec.sampler, steps)


def steps_asked(spec: GenerationSpec) -> int:
    """The steps that are reported to a caller before the painting begins: its own, and those that
    refine it."""
    return spec.num_inference_steps + refining_passes(spec)


def steps_walked(steps: int, strength: float) -> int:
    """How many of `steps` are walked, rounded down; at least one, or nothing would be painted at
    all."""
    return min(max(int(steps * strength), 1), steps)


def _stages(spec: GenerationSpec) -> Iterator[tuple[int, int]]:
    """Pixels and passes. Where one of several candidates is painted, a good half of them is drafted
    before, as measured (decision 0020)."""
    painted, steps = spec.size.painted.pixels, spec.num_inference_steps
    if spec.candidates > 1:
        yield painted, (spec.candidates + 2) // 2 * _asked(spec.sampler, min(DRAFT_STEPS, steps))
    strength = 1.0 if spec.init_image is None else spec.init_image.strength
    yield painted, _asked(spec.sampler, steps_walked(steps, strength))
    if spec.refining is not None:
        yield spec.size.drawn.pixels, refining_passes(spec)


def _asked(sampler: Sampler, steps: int) -> int:
    """Heun asks twice for every step but the last."""
    return 2 * steps - 1 if sampler is Sampler.HEUN else steps

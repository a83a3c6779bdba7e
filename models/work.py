"""What a painting costs: passes of the network, and the pixels that each works through. Pure."""

from collections.abc import Iterator

from models.request import Sampler
from models.spec import DRAFT_STEPS, GenerationSpec


def work_of(spec: GenerationSpec) -> int:
    """Painted pixels times passes of the network: what the picture costs the engine, in no unit of time."""
    return sum(pixels * passes for pixels, passes in _stages(spec))


def passes_of(spec: GenerationSpec) -> int:
    """How often the network is asked."""
    return sum(passes for _, passes in _stages(spec))


def refining_passes(spec: GenerationSpec) -> int:
    """How often it is asked for going over the painting, all rounds together."""
    if spec.refining is None:
        return 0
    steps = steps_walked(spec.refining.num_inference_steps, spec.refining.strength)
    return spec.refining.rounds * _asked(spec.sampler, steps)


def steps_walked(steps: int, strength: float) -> int:
    """How many of `steps` are walked, rounded down; at least one, or nothing would be painted at all."""
    return min(max(int(steps * strength), 1), steps)


def _stages(spec: GenerationSpec) -> Iterator[tuple[int, int]]:
    """Pixels and passes. Where one of several candidates is painted, a good half of them is drafted before, as measured
    (decision 0020)."""
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

"""Where a painting stands, over all that it goes through."""

import time
from dataclasses import dataclass, field

from models.spec import GenerationSpec, refining_passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One run of passes: `before` and `after` count those of other runs; the latter cost as much as `after_cost` of this
    run's own. `began` is by the performance counter."""

    before: int = 0
    after: int = 0
    after_cost: float = 0.0
    began: float = field(default_factory=time.perf_counter)

    def left_ms(self, done: int, passes: int) -> float | None:
        """How long the passes that are left will take, judged by this run's; None before the first."""
        if not done:
            return None
        pass_ms = (time.perf_counter() - self.began) * 1000 / done
        return pass_ms * (passes - done + self.after_cost)


def first_stretch(spec: GenerationSpec, *, rows: int) -> Stretch:
    """Of the painting itself; `rows` of it go through the network at once."""
    after = refining_passes(spec)
    if spec.refining is None:
        return Stretch()
    refining_rows = 2 if spec.refining.guidance_scale > 1 else 1
    larger = spec.size.drawn.pixels / spec.size.painted.pixels
    return Stretch(after=after, after_cost=after * larger * refining_rows / rows)


def later_stretch(spec: GenerationSpec, *, number: int, done: int) -> Stretch:
    """Of round `number`, from 0, that goes over the painting, when `done` passes are made; all rounds cost the same."""
    rounds = spec.refining.rounds if spec.refining else 1
    after = refining_passes(spec) // rounds * (rounds - number - 1)
    return Stretch(before=done, after=after, after_cost=float(after))

"""Where a painting stands, over all that it goes through."""

import time
from dataclasses import dataclass, field

from models.spec import GenerationSpec, refining_passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One run of passes: `before` and `after` count those of other runs; each of the latter costs
    as much as `later_cost` of this run's own. `pass_ms` is what a pass is thought to take before
    one was made. `began` is by the performance counter."""

    before: int = 0
    after: int = 0
    later_cost: float = 1.0
    pass_ms: float | None = None
    began: float = field(default_factory=time.perf_counter)

    def left_ms(self, done: int, passes: int) -> float | None:
        """How long the passes that are left will take, judged by this run's; None where nothing is
        known."""
        pass_ms = self._ms_since_begin() / done if done else self.pass_ms
        return None if pass_ms is None else pass_ms * (passes - done + self.after * self.later_cost)

    def pass_ms_after(self, passes: int) -> float:
        """What a pass of the next run is thought to take, when all `passes` of this one are
        made."""
        return self._ms_since_begin() / passes * self.later_cost

    def _ms_since_begin(self) -> float:
        return (time.perf_counter() - self.began) * 1000


def first_stretch(spec: GenerationSpec, *, rows: int) -> Stretch:
    """Of the painting itself; `rows` of it go through the network at once."""
    if spec.refining is None:
        return Stretch()
    refining_rows = 2 if spec.refining.guidance_scale > 1 else 1
    larger = spec.size.drawn.pixels / spec.size.painted.pixels
    return Stretch(after=refining_passes(spec), later_cost=larger * refining_rows / rows)

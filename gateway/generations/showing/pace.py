"""How much work a picture is, and how long such work takes, learned from earlier pictures: for people and for fair
shares, never for a deadline.

Pictures are painted in company. What one experienced from begin to end is its elapsed time; its share of that is the
part in which the engine worked for it: each moment is divided evenly among those painted in it. The shares of all
pictures add up to the time in which the engine was busy, however they overlapped, so shares tell how fast a queue moves,
and elapsed times how long one picture takes in the company that is usual here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from models import GenerationSpec
from models.spec import work_of

FIRST_GUESS_MS = 2000.0
WEIGHT_OF_NEWEST = 0.3


class Sitting:
    """One picture while it is painted. `begin` and `end` may be called again, to no effect."""

    def __init__(self, pace: "Pace", spec: GenerationSpec) -> None:
        self.begun_s: float | None = None
        self.ended_s: float | None = None
        self._pace = pace
        self._spec = spec
        self._share_at_begin_s = 0.0

    def begin(self) -> None:
        """The engine has taken it up: from now on it takes its part of every moment."""
        if self.begun_s is None:
            self.begun_s = self._pace.count(joining=1)
            self._share_at_begin_s = self._pace.share_s

    def end(self, *, is_finished: bool) -> None:
        """It takes no part any more. Only what was finished is learned from."""
        if self.begun_s is None or self.ended_s is not None:
            return
        self.ended_s = self._pace.count(joining=-1)
        if is_finished:
            self._pace.learn(
                self._spec,
                elapsed_s=self.ended_s - self.begun_s,
                share_s=self._pace.share_s - self._share_at_begin_s,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Milliseconds for each unit of work, as experienced and as shared out."""

    elapsed: float
    share: float

    def moved_to(self, newest: "Rates") -> "Rates":
        return Rates(
            elapsed=self.elapsed + WEIGHT_OF_NEWEST * (newest.elapsed - self.elapsed),
            share=self.share + WEIGHT_OF_NEWEST * (newest.share - self.share),
        )


class Pace:
    """Rates of each model, smoothed over its latest pictures.

    `seconds` is a monotonic clock. `share_s` is what a picture painted all along would have had of the engine by now.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.share_s = 0.0
        self._seconds = seconds
        self._rates: dict[str, Rates] = {}
        self._painted_now = 0
        self._counted_until_s = seconds()

    @contextmanager
    def sitting(self, spec: GenerationSpec) -> Iterator[Sitting]:
        """For one picture; one that is not ended in the block ends with it, unfinished."""
        sitting = Sitting(self, spec)
        try:
            yield sitting
        finally:
            sitting.end(is_finished=False)

    def count(self, *, joining: int) -> float:
        """Divide the time since the last change among those painted in it, then let one join or (-1) leave; it is now
        what is returned, in seconds."""
        now_s = self._seconds()
        if self._painted_now:
            self.share_s += (now_s - self._counted_until_s) / self._painted_now
        self._counted_until_s = now_s
        self._painted_now += joining
        return now_s

    def learn(self, spec: GenerationSpec, *, elapsed_s: float, share_s: float) -> None:
        ms_per_work = 1000.0 / work_of(spec)
        newest = Rates(elapsed=elapsed_s * ms_per_work, share=share_s * ms_per_work)
        self._rates[spec.model] = self._rates.get(spec.model, newest).moved_to(newest)

    def estimate_ms(self, specs: Sequence[GenerationSpec], *, ahead: int) -> int:
        """For these pictures, painted together, behind `ahead` generations of about the same size."""
        busy = sum(self._rates_for(spec).share * work_of(spec) for spec in specs)
        longest = max(self._rates_for(spec).elapsed * work_of(spec) for spec in specs)
        return round(max(busy, longest) + busy * ahead)

    def _rates_for(self, spec: GenerationSpec) -> Rates:
        guess = FIRST_GUESS_MS / work_of(spec)
        return self._rates.get(spec.model, Rates(elapsed=guess, share=guess))

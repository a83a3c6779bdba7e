"""How long a painting will take, learned from those before it. An estimate for people, never a deadline."""

from models import GenerationSpec

FIRST_GUESS_MS = 2000.0
WEIGHT_OF_NEWEST = 0.3


class Pace:
    """Milliseconds per painted pixel and step, smoothed over the latest paintings of each model."""

    def __init__(self) -> None:
        self._ms_per_work: dict[str, float] = {}

    def learn(self, spec: GenerationSpec, render_ms: int) -> None:
        newest = render_ms / _work(spec)
        known = self._ms_per_work.get(spec.model, newest)
        self._ms_per_work[spec.model] = known + WEIGHT_OF_NEWEST * (newest - known)

    def estimate_ms(self, specs: tuple[GenerationSpec, ...], *, ahead: int) -> int:
        """For these pictures behind `ahead` generations of about the same size."""
        one = sum(self._ms_per_work.get(spec.model, FIRST_GUESS_MS / _work(spec)) * _work(spec) for spec in specs)
        return round(one * (ahead + 1))


def _work(spec: GenerationSpec) -> float:
    return float(spec.size.painted.pixels * spec.num_inference_steps)

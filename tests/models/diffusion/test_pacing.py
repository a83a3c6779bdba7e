"""The host is one pass ahead of the device, not more."""

import torch

from models.diffusion.pacing import Pace


class Recorded:
    """An event that writes down what is asked of it."""

    def __init__(self, number: int, said: list[str]) -> None:
        self._number, self._said = number, said

    def record(self) -> None:
        self._said.append(f"pass {self._number} queued")

    def synchronize(self) -> None:
        self._said.append(f"pass {self._number} over")


def test_a_pass_is_queued_before_the_one_before_it_is_over_and_no_other() -> None:
    said: list[str] = []
    numbers = iter(range(1, 4))
    pace = Pace(lambda: Recorded(next(numbers), said))

    for _ in range(3):
        pace.keep()

    assert said == ["pass 1 queued", "pass 2 queued", "pass 1 over", "pass 3 queued", "pass 2 over"]


def test_a_cpu_needs_no_pace() -> None:
    pace = Pace.of(torch.device("cpu"))
    pace.keep()

    assert pace._before is None

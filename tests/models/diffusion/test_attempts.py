"""A pass that fails is tried in smaller ones of its class, down to each picture by itself."""

from typing import Any

import pytest
import torch

from models.diffusion.sharing.attempts import attempted

PICTURES: Any = ["a", "b", "c", "d", "e", "f", "g", "h"]


class Network:
    """Fails for one picture, and where more go at a time than the memory holds."""

    def __init__(self, *, guilty: str = "", holds: int = 99) -> None:
        self.passes: list[tuple[str, int]] = []
        self._guilty, self._holds = guilty, holds

    def run(self, wanted: Any, size: int) -> list[torch.Tensor]:
        self.passes.append(("".join(wanted), size))
        if size > self._holds:
            raise torch.OutOfMemoryError("CUDA out of memory")
        if self._guilty in wanted:
            raise RuntimeError("a kernel failed")
        return [torch.tensor([ord(picture), size]) for picture in wanted]


def failed(network: Network, pictures: Any, size: int, sizes: tuple[int, ...]) -> str:
    """Those that have no answer."""
    outcomes = attempted(pictures, size, sizes, network.run)
    assert len(outcomes) == len(pictures)
    for picture, outcome in zip(pictures, outcomes, strict=True):
        assert isinstance(outcome, Exception) or int(outcome[0]) == ord(picture)
        assert isinstance(outcome, Exception) or int(outcome[1]) in sizes
    return "".join(
        picture for picture, outcome in zip(pictures, outcomes, strict=True) if isinstance(outcome, Exception)
    )


@pytest.mark.parametrize("sizes", [(4,), (2, 4), (1, 2, 4), (4, 8), (1, 2, 4, 8)])
@pytest.mark.parametrize("guilty", [*PICTURES[:4], ""])
def test_one_guilty_picture_fails_and_the_others_get_the_bits_of_their_class(
    guilty: str, sizes: tuple[int, ...]
) -> None:
    network = Network(guilty=guilty)

    assert failed(network, PICTURES[: sizes[-1]], sizes[-1], sizes) == guilty
    assert {size for _, size in network.passes} <= set(sizes)


def test_a_full_memory_is_met_by_the_largest_size_that_fits() -> None:
    network = Network(holds=2)

    assert failed(network, PICTURES, 8, (1, 2, 4, 8)) == ""
    assert [size for _, size in network.passes if size <= 2] == [2, 2, 2, 2]


def test_a_class_whose_smallest_size_does_not_fit_fails_for_all() -> None:
    assert failed(Network(holds=2), PICTURES[:4], 4, (4,)) == "abcd"

"""The canary finds the sizes that give every picture the same bits, on networks that are wrong in known ways."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from models.diffusion.resident.steadying import Steadying
from models.diffusion.sharing.canary import Calibration, Trial, calibrate, chosen
from models.diffusion.steps.denoising import Rows
from models.diffusion.steps.passes import PassWanted, run_pass
from models.diffusion.texts.conditioning import Conditioning
from models.engine import Phase
from models.process.protocol import Beat

WIDTH = 4


class Crooked(nn.Linear):
    """A layer whose result depends on how many rows come."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return super().forward(rows) + 0.001 * rows.shape[0]


class Toy(nn.Module):
    """One layer, and whatever the test does to the result."""

    def __init__(self, layer: nn.Module, spoil: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.layer = layer
        self._spoil = spoil
        self.passes: list[int] = []

    def predict(self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        self.passes.append(len(latents))
        told = conditioning.embeddings.mean(dim=(1, 2)) + timesteps / 1000
        mixed = self.layer(latents.flatten(1)).view_as(latents) + told[:, None, None, None]
        return self._spoil(mixed)


def wanted(layer: nn.Module, spoil: Callable[[torch.Tensor], torch.Tensor] = torch.clone) -> PassWanted:
    """Two rows a picture, of a pipeline around a toy."""
    generator = torch.Generator().manual_seed(1)
    toy = Toy(layer, spoil).eval().requires_grad_(requires_grad=False)
    adapters = SimpleNamespace(activate=lambda _: None)
    pipeline = SimpleNamespace(network=toy, steadying=Steadying(toy), adapters=adapters)
    return PassWanted(
        beat=Beat(number=1, phase=Phase.DENOISING),
        model="toy",
        pipeline=pipeline,
        adapters=(),
        rows=Rows(latents=torch.randn(2, 1, 2, 2, generator=generator), timesteps=torch.tensor([5.0, 5.0])),
        conditioning=Conditioning(embeddings=torch.randn(2, 3, WIDTH, generator=generator)),
    )


def measured(picture: PassWanted, *, candidates: tuple[int, ...] = (2, 3, 4), holds_one: bool = True) -> Calibration:
    pieces = calibrate(picture, candidates=candidates, holds_one=holds_one)
    while True:
        try:
            next(pieces)
        except StopIteration as finished:
            return finished.value


def plus_batch(rows: torch.Tensor) -> torch.Tensor:
    return rows + 0.001 * len(rows)


def plus_place(rows: torch.Tensor) -> torch.Tensor:
    return rows + 0.001 * torch.arange(len(rows))[:, None, None, None]


def plus_company(rows: torch.Tensor) -> torch.Tensor:
    return rows + 0.001 * rows.mean()


def test_a_layer_that_counts_its_rows_is_run_picture_by_picture() -> None:
    picture = wanted(Crooked(WIDTH, WIDTH))
    alone = run_pass([picture], 1)[0]

    found = measured(picture)

    assert found.steadied == ("layer",)
    assert set(found.ms) == {1, 2, 3, 4}
    assert not torch.equal(run_pass([picture], 4)[0], alone)
    assert torch.equal(run_pass([picture], 4, steadied=found.steadied)[0], alone)


@pytest.mark.parametrize("spoil", [plus_batch, plus_place, plus_company])
def test_what_is_no_layer_cannot_be_steadied_and_leaves_size_one(
    spoil: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    found = measured(wanted(nn.Linear(WIDTH, WIDTH), spoil))

    assert found.sizes == (1,)
    assert set(found.ms) == {1}


def test_a_network_that_does_not_care_needs_no_steadying() -> None:
    class Even(nn.Linear):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return torch.cat([super(Even, self).forward(row[None]) for row in rows])

    found = measured(wanted(Even(WIDTH, WIDTH)))

    assert found.steadied == ()
    assert set(found.ms) == {1, 2, 3, 4}


def test_sizes_that_the_memory_does_not_hold_are_left_out() -> None:
    def full_beyond_two(rows: torch.Tensor) -> torch.Tensor:
        if len(rows) > 2 * 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return rows

    assert set(measured(wanted(nn.Linear(WIDTH, WIDTH), full_beyond_two)).ms) == {1, 2}


def test_only_the_candidates_are_tried() -> None:
    picture = wanted(nn.Linear(WIDTH, WIDTH))

    assert set(measured(picture, candidates=(2,)).ms) == {1, 2}
    assert max(picture.pipeline.network.passes) == 2 * 2


def test_there_is_at_most_one_pass_between_two_yields() -> None:
    picture = wanted(nn.Linear(WIDTH, WIDTH))
    passes, pieces = picture.pipeline.network.passes, calibrate(picture, candidates=(2, 3, 4), holds_one=True)

    before = 0
    for _ in pieces:
        assert len(passes) - before <= 1
        before = len(passes)


def test_a_network_too_slow_for_company_is_tried_twice_alone_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.diffusion.sharing.canary.LONGEST_PASS_S", 0.0)
    picture = wanted(nn.Linear(WIDTH, WIDTH))

    assert measured(picture).sizes == (1,)
    assert picture.pipeline.network.passes == [2, 2]


def test_a_kept_calibration_that_makes_no_sense_is_not_believed() -> None:
    for sizes, ms in (((4, 2), {2: 1.0, 4: 2.0}), ((0, 1), {}), ((1, 2), {1: 1.0})):
        with pytest.raises(ValueError, match="size"):
            Calibration(sizes=sizes, ms=ms)


ALONE = Trial(size=1, bits=("a", "b", "c", "d", "e"), ms=10.0)


@pytest.mark.parametrize(
    ("plain", "steady", "sizes"),
    [
        ([(2, "ab", 15)], [(2, "ab", 15)], (1, 2)),  # everything agrees
        ([(2, "ab", 30)], [(2, "ab", 30)], (1, 2)),  # that two together cost more is for the planner
        ([(2, "xb", 15)], [(2, "ab", 15)], (1, 2)),  # steadied
        ([(2, "xy", 12), (4, "xyzw", 13)], [(2, "ab", 19), (4, "abcd", 38)], (2, 4)),  # a lone one pays 20 %, many gain
        ([(2, "xy", 14), (4, "xyzw", 13)], [(2, "ab", 19), (4, "abcd", 38)], (1, 2, 4)),  # it would pay 40 %
        ([(2, "xy", 12), (4, "xyab", 13), (6, "xyqdef", 14)], [(2, "ab", 19)], (2, 6)),  # four and six disagree
        ([(2, None, 2), (4, None, 2)], [(2, None, 2), (4, None, 2)], (1,)),  # places differ
    ],
)
def test_the_class_is_chosen_by_what_it_costs_alone_and_in_company(
    plain: list[tuple[int, str | None, float]], steady: list[tuple[int, str | None, float]], sizes: tuple[int, ...]
) -> None:
    def trials(rows: list[tuple[int, str | None, float]]) -> list[Trial]:
        return [ALONE, *(Trial(size=size, bits=bits and tuple(bits), ms=ms) for size, bits, ms in rows)]

    assert chosen(trials(plain), trials(steady), ("layer",)).sizes == sizes

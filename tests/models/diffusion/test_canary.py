"""The canary finds the sizes that give every picture the same bits, on networks that are wrong in known ways."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from models.diffusion.resident.steadying import Steadying
from models.diffusion.sharing.arrangements import arrangements
from models.diffusion.sharing.canary import CANDIDATES, calibrate
from models.diffusion.sharing.classes import Calibration, Trial, chosen
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


def plus_neighbours(rows: torch.Tensor) -> torch.Tensor:
    return rows + 0.001 * rows.mean()


def test_a_layer_that_counts_its_rows_is_run_picture_by_picture() -> None:
    picture = wanted(Crooked(WIDTH, WIDTH))
    alone = run_pass([picture], 1)[0]

    found = measured(picture)

    assert found.steadied == ("layer",)
    assert set(found.ms) == {1, 2, 3, 4}
    assert not torch.equal(run_pass([picture], 4)[0], alone)
    assert torch.equal(run_pass([picture], 4, steadied=found.steadied)[0], alone)


@pytest.mark.parametrize("spoil", [plus_batch, plus_place, plus_neighbours])
def test_what_is_no_layer_cannot_be_steadied_and_leaves_size_one(
    spoil: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    found = measured(wanted(nn.Linear(WIDTH, WIDTH), spoil))

    assert found.sizes == (1,)
    assert set(found.ms) == {1}


def test_a_network_that_does_not_care_needs_no_steadying() -> None:
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


def test_a_network_too_slow_to_share_is_tried_twice_alone_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.diffusion.sharing.canary.LONGEST_PASS_S", 0.0)
    picture = wanted(nn.Linear(WIDTH, WIDTH))

    assert measured(picture).sizes == (1,)
    assert picture.pipeline.network.passes == [2, 2]


def test_a_kept_calibration_that_makes_no_sense_is_not_believed() -> None:
    for sizes, ms in (((4, 2), {2: 1.0, 4: 2.0}), ((0, 1), {}), ((1, 2), {1: 1.0})):
        with pytest.raises(ValueError, match="size"):
            Calibration(sizes=sizes, ms=ms)


SIZES = (2, 3, 4, 6, 8, 9, 16, 18, 24, 32)


@pytest.mark.parametrize("size", SIZES)
def test_every_picture_of_a_size_stands_in_every_slot_with_other_neighbours(size: int) -> None:
    tried = arrangements(size)
    pictures = {picture for arrangement in tried for picture in arrangement}

    assert {len(arrangement) for arrangement in tried} == {size}
    assert len(pictures) >= min(size, 7)
    for slot in range(size):
        assert {arrangement[slot] for arrangement in tried} == pictures
    assert len({tuple(sorted(arrangement)) for arrangement in tried}) == len(tried)


def slot_differs(size: int, slot: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """In batches of `size` pictures, two rows each, the picture in one slot gets other bits."""

    def spoil(rows: torch.Tensor) -> torch.Tensor:
        marked = torch.zeros(len(rows), 1, 1, 1)
        if len(rows) == 2 * size:
            marked[2 * slot : 2 * slot + 2] = 0.001
        return rows + marked

    return spoil


class Even(nn.Linear):
    """A layer that does not care how many rows come."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.cat([super(Even, self).forward(row[None]) for row in rows])


@pytest.mark.parametrize("holds_one", [True, False])
@pytest.mark.parametrize("size", CANDIDATES)
def test_a_size_with_one_slot_that_differs_is_never_used(size: int, *, holds_one: bool) -> None:
    for slot in range(size):
        found = measured(
            wanted(Even(WIDTH, WIDTH), slot_differs(size, slot)), candidates=CANDIDATES, holds_one=holds_one
        )

        assert found.sizes == tuple(other for other in (1, *CANDIDATES) if other != size), slot


@pytest.mark.parametrize("size", [2, 4])
def test_neither_is_a_slot_that_differs_in_a_class_without_a_lone_picture(size: int) -> None:
    """As on a GPU whose kernels for one picture are others: nothing can be held against what it has alone."""
    for slot in range(size):
        spoil = slot_differs(size, slot)

        def other_alone(rows: torch.Tensor, spoil: Callable[[torch.Tensor], torch.Tensor] = spoil) -> torch.Tensor:
            return spoil(rows) + 0.01 * (len(rows) == 2)

        found = measured(wanted(Even(WIDTH, WIDTH), other_alone), candidates=(2, 4, 8), holds_one=False)

        assert size not in found.sizes, slot
        assert found.sizes == ((2, 8) if size == 4 else (4, 8)), slot


def test_pictures_that_cannot_be_told_apart_prove_nothing() -> None:
    for spoil in (torch.zeros_like, lambda rows: rows + float("nan")):
        assert measured(wanted(nn.Linear(WIDTH, WIDTH), spoil)).sizes == (1,)


ALONE = Trial(size=1, bits=dict(enumerate("abcdefghi")), ms=10.0)


@pytest.mark.parametrize(
    ("plain", "steady", "sizes"),
    [
        ([(2, "ab")], [(2, "ab")], (1, 2)),  # everything agrees
        ([(2, "xb")], [(2, "ab")], (1, 2)),  # steadied
        ([(2, "xb"), (4, "xbcd")], [(2, "xb"), (4, "abcd")], (1, 4)),  # two differs: size 1 is held nevertheless
        ([(2, "xy"), (4, "zyvw"), (8, "zyvwefgh")], [(2, "xy"), (4, "zyvw")], (4, 8)),  # the largest that is reached
        ([(2, "xy"), (8, "xyvwefgh")], [(2, "xy"), (8, "xyvwefgh")], (2, 8)),
        ([(2, "ab"), (4, "xbcd")], [(2, "xb"), (4, "xbcd")], (1, 2)),  # plain layers hold size 1, steadied ones do not
        ([(8, "xyvwefgh")], [(8, "xyvwefgh")], (1,)),  # a lone picture would be padded to eight
        ([(2, None), (4, None)], [(2, None), (4, None)], (1,)),  # slots differ
        ([(2, "")], [(2, "")], (1,)),  # nothing to compare
    ],
)
def test_the_class_follows_from_what_agrees_whatever_the_times(
    plain: list[tuple[int, str | None]], steady: list[tuple[int, str | None]], sizes: tuple[int, ...]
) -> None:
    def trials(rows: list[tuple[int, str | None]], ms: float) -> list[Trial]:
        return [
            ALONE,
            *(Trial(size=size, bits=None if bits is None else dict(enumerate(bits)), ms=ms) for size, bits in rows),
        ]

    for of_plain, of_steady in ((1.0, 1000.0), (1000.0, 1.0), (10.0, 10.0)):
        found = chosen(trials(plain, of_plain), trials(steady, of_steady), ("layer",))

        assert found.sizes == sizes

"""One pass of a network for several pictures at once."""

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass

import torch

from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.steps.denoising import Rows
from models.diffusion.texts.conditioning import Conditioning
from models.errors import PaintingBroken
from models.process.protocol import Beat
from models.request import Adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class PassWanted:
    """A painting stands before the network; `beat` is said when the pass begins."""

    beat: Beat
    model: str
    pipeline: Pipeline
    adapters: tuple[Adapter, ...]
    rows: Rows
    conditioning: Conditioning

    @property
    def group(self) -> Hashable:
        """Whoever has an equal one may share the pass."""
        return self.model, tuple(self.rows.latents.shape), self.conditioning.shapes, self.adapters

    @property
    def kernels(self) -> tuple[str, Hashable, Hashable, tuple[str, ...]]:
        """Whoever has an equal one runs the same kernels on the same shapes: its group, but for the
        adapters' weights."""
        ids = tuple(adapter.id for adapter in self.adapters)
        return self.model, tuple(self.rows.latents.shape), self.conditioning.shapes, ids

    @property
    def cost(self) -> float:
        """Latent positions that the network works through for this picture."""
        rows, _, *sides = self.rows.latents.shape
        return float(rows * torch.Size(sides).numel())


def predicted(wanted: PassWanted) -> Generator[PassWanted, torch.Tensor | None, torch.Tensor]:
    """Stand before the network until its answer is there."""
    prediction = yield wanted
    if prediction is None:
        raise PaintingBroken("The engine resumed a painting without the prediction it waits for.")
    return prediction


def run_pass(wanted: Sequence[PassWanted], size: int, *, steadied: Sequence[str] = ()) -> list[torch.Tensor]:
    """Predict for all of one group in one call with `size` pictures; idle places are filled with
    the last one.

    The layers named in `steadied` see one picture at a time.

    Returns:
        (rows, channels, height, width) for each of `wanted`.
    """
    first = wanted[0]
    places = [*wanted, *[wanted[-1]] * (size - len(wanted))]
    rows = first.rows.latents.shape[0]
    pipeline = first.pipeline
    pipeline.adapters.activate(first.adapters)
    with pipeline.steadying.acting(steadied, rows=rows):
        prediction = pipeline.network.predict(
            torch.cat([place.rows.latents for place in places]),
            torch.cat([place.rows.timesteps for place in places]),
            Conditioning.joined([place.conditioning for place in places]),
        )
    return list(torch.split(prediction, rows))[: len(wanted)]

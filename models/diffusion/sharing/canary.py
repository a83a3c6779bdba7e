"""Which batch sizes give every picture the same bits, found by trying.

A picture's bits depend on how many rows a kernel sees, rarely on what the other rows hold. So
pictures go through the network in batches of each size, each of them in each slot, with other
neighbours each time: sizes that agree on every picture form a class. Layers that spoil the class of
size 1 are found by comparing each with itself, picture by picture, and are run so from then on.
What cannot be compared counts as different.
"""

import hashlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import torch

from models.diffusion.failing import is_out_of_memory
from models.diffusion.recovering import recover
from models.diffusion.sharing.arrangements import arrangements, pictures_for
from models.diffusion.sharing.classes import Calibration, Trial, chosen
from models.diffusion.steps.denoising import Rows
from models.diffusion.steps.passes import PassWanted, run_pass

CANDIDATES = (2, 4, 8, 16)
LONGEST_PASS_S = 8.0


@dataclass(kw_only=True)
class Comparing:
    """Passes of one size, compared by picture."""

    times: list[float] = field(default_factory=list[float])
    bits: dict[int, str] = field(default_factory=dict[int, str])
    differs: bool = False

    def note(self, picture: int, bits: str) -> None:
        self.differs |= self.bits.setdefault(picture, bits) != bits

    def trial(self, size: int) -> Trial:
        return Trial(size=size, bits=None if self.differs else self.bits, ms=min(self.times))


def calibrate(model: PassWanted, *, candidates: Sequence[int], holds_one: bool) -> Generator[None, None, Calibration]:
    """Try size 1 and the `candidates`, ascending, as far as the memory goes, with pictures like
    `model`.

    Yields between passes. `holds_one`: size 1 must be among the proven ones, so that a lone picture
    pays for no padding. Then sizes whose passes would take long are left out: whichever are proven,
    the bits are those of size 1.
    """
    pool = neighbours(model, max(map(pictures_for, candidates), default=2))
    longest_ms = LONGEST_PASS_S * 1000 if holds_one else float("inf")
    alone = yield from _alone(pool, longest_ms)
    sizes = [size for size in candidates if size > 1 and size * alone.ms < longest_ms]
    found: set[str] = set()
    for size in list(sizes):
        yield
        if not _watch(_batch(pool, size), found):
            sizes = sizes[: sizes.index(size)]
            break
    steadied = tuple(sorted(found))
    steady, plain = [alone], [alone]
    for size in sizes:
        steady.append((yield from _try(pool, size, steadied)))
        if not holds_one:
            plain.append((yield from _try(pool, size)))
    return chosen(plain, steady, steadied)


def neighbours(model: PassWanted, count: int) -> list[PassWanted]:
    """Pictures of the model's shapes that differ from each other in everything; the first is the
    model itself."""
    generator = torch.Generator("cpu").manual_seed(count)
    return [model, *(_neighbour(model, generator) for _ in range(count - 1))]


def _neighbour(model: PassWanted, generator: torch.Generator) -> PassWanted:
    rows, conditioning = model.rows, model.conditioning
    timestep = torch.rand(1, generator=generator) * 999
    noise = Rows(
        latents=_like(rows.latents, generator),
        timesteps=timestep.round().to(rows.timesteps.dtype).to(rows.timesteps.device).expand(rows.timesteps.shape),
    )
    embeddings = conditioning.embeddings + 0.5 * _like(conditioning.embeddings, generator)
    return replace(model, rows=noise, conditioning=replace(conditioning, embeddings=embeddings))


def _like(tensor: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(tensor.shape, generator=generator).to(tensor)


def _batch(pool: Sequence[PassWanted], size: int) -> list[PassWanted]:
    return [pool[slot % len(pool)] for slot in range(size)]


def _alone(pool: Sequence[PassWanted], longest_ms: float) -> Generator[None, None, Trial]:
    """Every picture by itself; only the first ones where a pass takes so long that no two would be
    tried together.

    Pictures with equal bits could not be distinguished, so that nothing would be compared: then the
    trial has none.
    """
    passes = Comparing()
    for number, picture in enumerate(pool):
        yield
        (bits,) = _predicted([picture], (), passes.times)
        passes.note(number, bits)
        if number == 1 and 2 * min(passes.times) >= longest_ms:
            break
    passes.differs = len(set(passes.bits.values())) < len(passes.bits)
    return passes.trial(1)


def _try(pool: Sequence[PassWanted], size: int, steadied: Sequence[str] = ()) -> Generator[None, None, Trial]:
    """A pass for each arrangement."""
    passes = Comparing()
    for arrangement in arrangements(size):
        yield
        found = _predicted([pool[picture] for picture in arrangement], steadied, passes.times)
        for picture, bits in zip(arrangement, found, strict=True):
            passes.note(picture, bits)
    return passes.trial(size)


def _predicted(batch: Sequence[PassWanted], steadied: Sequence[str], times: list[float]) -> list[str]:
    """The bits of each picture."""
    began = time.perf_counter()
    predicted = run_pass(batch, len(batch), steadied=steadied)
    if predicted[0].is_cuda:
        torch.cuda.synchronize()
    times.append((time.perf_counter() - began) * 1000)
    return [hashlib.sha256(rows.float().cpu().numpy().tobytes()).hexdigest() for rows in predicted]


def _watch(batch: Sequence[PassWanted], found: set[str]) -> bool:
    """Put the layers that differ into `found`. False: the memory does not hold so many pictures."""
    try:
        with batch[0].pipeline.steadying.watching(found, rows=batch[0].conditioning.rows):
            run_pass(batch, len(batch))
    except (MemoryError, RuntimeError) as wrong:
        if not is_out_of_memory(wrong):
            raise
        recover(wrong)
        return False
    return True

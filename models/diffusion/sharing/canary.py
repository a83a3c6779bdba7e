"""Which batch sizes give every picture the same bits, found by trying.

A picture's bits depend on how many rows a kernel sees, rarely on what the other rows hold. So pictures go through the
network in batches of each size, twice, with other companions in other places: sizes that agree on every picture form a
class, and only sizes of one class are used. Layers that spoil the class of size 1 are found by comparing each with
itself, picture by picture, and are run so from then on.
"""

import hashlib
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from models.batching import BatchSizes
from models.diffusion.failing import is_out_of_memory
from models.diffusion.recovering import recover
from models.diffusion.steps.denoising import Rows
from models.diffusion.steps.passes import PassWanted, run_pass

CANDIDATES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
LONGEST_PASS_S = 8.0
# A class without size 1 must be better by this much to be chosen: times waver on a busy machine, and the choice stays.
BETTER = 1.1
# A class without size 1 makes a lone picture pay for padding: at most this much (engine.md, point 6).
KNEE = 1.3

Bits = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The proven sizes, counted in pictures, and the layers that run picture by picture at them.

    `ms` is the quickest pass of each size of the class.

    Raises:
        ValueError: the sizes do not ascend, or one has no time while others have.
    """

    sizes: tuple[int, ...]
    steadied: tuple[str, ...] = ()
    ms: Mapping[int, float]

    def __post_init__(self) -> None:
        if self.sizes:
            self.as_batch_sizes()

    def as_batch_sizes(self) -> BatchSizes:
        """For the planner."""
        return BatchSizes(self.sizes, self.ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One size: the bits of the pool's first pictures in it, None where company or place changed them; milliseconds of
    the quickest pass."""

    size: int
    bits: Bits | None
    ms: float

    def agrees(self, other: "Trial") -> bool:
        """Every picture that both tried has the same bits in both."""
        if self.bits is None or other.bits is None:
            return False
        return all(mine == theirs for mine, theirs in zip(self.bits, other.bits, strict=False))


def calibrate(model: PassWanted, *, candidates: Sequence[int], holds_one: bool) -> Generator[None, None, Calibration]:
    """Try size 1 and the `candidates`, ascending, as far as memory and patience go, with pictures like `model`.

    Yields between passes. `holds_one`: size 1 must be among the proven ones, so that a lone picture pays for no padding.
    """
    pool = companions(model, max(candidates, default=1) + 1)
    alone = yield from _alone(pool)
    sizes = [size for size in candidates if size > 1 and size * alone.ms < LONGEST_PASS_S * 1000]
    found: set[str] = set()
    for size in list(sizes):
        yield
        if not _watch(pool[:size], found):
            sizes = sizes[: sizes.index(size)]
            break
    steadied = tuple(sorted(found))
    steady, plain = [alone], [alone]
    for size in sizes:
        steady.append((yield from _try(pool, size, steadied)))
        if not holds_one:
            plain.append((yield from _try(pool, size)))
    return chosen(plain, steady, steadied)


def chosen(plain: Sequence[Trial], steady: Sequence[Trial], steadied: tuple[str, ...]) -> Calibration:
    """The class to serve from: that of size 1 with steadied layers, unless a class of `plain` trials has a clearly better
    throughput and its smallest size costs a lone picture little. The first trial of both is that of size 1."""
    alone = plain[0]
    best = _calibration(_agreeing(alone, steady), steadied)
    for trial in plain:
        rival = _calibration(_agreeing(trial, plain), ())
        is_quick_alone = bool(rival.sizes) and rival.ms[rival.sizes[0]] <= KNEE * alone.ms
        if is_quick_alone and _ms_per_picture(rival) * BETTER < _ms_per_picture(best):
            best = rival
    return best


def _agreeing(first: Trial, trials: Sequence[Trial]) -> list[Trial]:
    """Those that agree with `first` and with each other."""
    members: list[Trial] = []
    for trial in trials:
        if trial.agrees(first) and all(trial.agrees(member) for member in members):
            members.append(trial)
    return members


def companions(model: PassWanted, count: int) -> list[PassWanted]:
    """Pictures of the model's shapes that differ from each other in everything; the first is the model itself."""
    generator = torch.Generator("cpu").manual_seed(count)
    return [model, *(_companion(model, generator) for _ in range(count - 1))]


def _companion(model: PassWanted, generator: torch.Generator) -> PassWanted:
    rows, told = model.rows, model.conditioning
    timestep = torch.rand(1, generator=generator) * 999
    noise = Rows(
        latents=_like(rows.latents, generator),
        timesteps=timestep.round().to(rows.timesteps.dtype).to(rows.timesteps.device).expand(rows.timesteps.shape),
    )
    said = replace(told, embeddings=told.embeddings + 0.5 * _like(told.embeddings, generator))
    return replace(model, rows=noise, conditioning=said)


def _like(tensor: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(tensor.shape, generator=generator).to(tensor)


def _alone(pool: Sequence[PassWanted]) -> Generator[None, None, Trial]:
    """Every picture by itself; only the first ones where a pass takes so long that no two would be tried together."""
    times: list[float] = []
    bits: list[str] = []
    for picture in pool:
        yield
        bits += _painted([picture], (), times)
        if len(bits) == 2 and 2 * min(times) >= LONGEST_PASS_S * 1000:
            break
    return Trial(size=1, bits=tuple(bits), ms=min(times))


def _try(pool: Sequence[PassWanted], size: int, steadied: Sequence[str] = ()) -> Generator[None, None, Trial]:
    """The first pictures in their order, then all but the very first and one more, in the opposite order."""
    times: list[float] = []
    yield
    first = _painted(pool[:size], steadied, times)
    yield
    again = _painted(pool[size:0:-1], steadied, times)[::-1]
    return Trial(size=size, bits=first if first[1:] == again[:-1] else None, ms=min(times))


def _painted(batch: Sequence[PassWanted], steadied: Sequence[str], times: list[float]) -> Bits:
    began = time.perf_counter()
    predicted = run_pass(batch, len(batch), steadied=steadied)
    if predicted[0].is_cuda:
        torch.cuda.synchronize()
    times.append((time.perf_counter() - began) * 1000)
    return tuple(hashlib.sha256(rows.float().cpu().numpy().tobytes()).hexdigest() for rows in predicted)


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


def _calibration(trials: Sequence[Trial], steadied: tuple[str, ...]) -> Calibration:
    """All sizes of a class: which of them pays is for the planner to say, pass by pass."""
    ms = {trial.size: trial.ms for trial in sorted(trials, key=lambda trial: trial.size)}
    return Calibration(sizes=tuple(ms), steadied=steadied if len(ms) > 1 else (), ms=ms)


def _ms_per_picture(calibration: Calibration) -> float:
    return min(calibration.ms[size] / size for size in calibration.sizes)

"""Which batch sizes give every picture the same bits, found by trying.

A picture's bits depend on how many rows a kernel sees, rarely on what the other rows hold. So pictures are sent through
the network in batches of each size, twice, in opposite order: sizes that agree on every picture form a class, and only
sizes of one class are used. Layers that spoil the class of size 1 are run picture by picture, and the sizes tried again.
"""

import hashlib
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from models.diffusion.denoising import Rows
from models.diffusion.passes import PassWanted, run_pass

CANDIDATES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
LONGEST_PASS_S = 8.0
# A size must pay: a picture in it must cost less than this share of what it costs in the best smaller size.
WORTH = 0.97
# A class without size 1 makes a lone picture wait for padding: at most this much longer (engine.md, point 6).
KNEE = 1.3

Bits = tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The proven sizes, counted in pictures, and the layers that run picture by picture at them.

    `ms` is the quickest pass of each size that was tried, for people.
    """

    sizes: tuple[int, ...]
    steadied: tuple[str, ...] = ()
    ms: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One size: each picture's bits, None where two orders disagreed; milliseconds of the quickest pass."""

    size: int
    bits: Bits
    ms: float


def calibrate(model: PassWanted, *, largest: int, holds_one: bool) -> Generator[None, None, Calibration]:
    """Try sizes up to `largest` with pictures like `model`; yields before each pass or two.

    `holds_one`: size 1 must be among the proven ones, so that a lone picture pays for no padding.
    """
    pool = companions(model, largest)
    yield
    alone = _try(pool, 1)
    sizes = [size for size in CANDIDATES if 1 < size <= largest and size * alone.ms < LONGEST_PASS_S * 1000]
    plain = {1: alone}
    for size in sizes:
        yield
        plain[size] = _try(pool, size)
    unlike = [size for size in sizes if plain[size].bits != alone.bits]
    steadied: tuple[str, ...] = ()
    steady = plain
    if unlike:
        found: set[str] = set()
        for size in unlike:
            yield
            _watch(pool, size, found)
        steadied = tuple(sorted(found))
        steady = dict(plain)
        for size in sizes:
            yield
            steady[size] = _try(pool, size, steadied)
    return chosen(plain, steady, steadied, holds_one=holds_one)


def chosen(
    plain: Mapping[int, Trial], steady: Mapping[int, Trial], steadied: tuple[str, ...], *, holds_one: bool
) -> Calibration:
    """The class to serve from: that of size 1 with steadied layers, or, where one without size 1 may win, the one with
    the best throughput whose smallest member costs a lone picture little."""
    best = _calibration([trial for trial in steady.values() if trial.bits == plain[1].bits], steadied)
    if holds_one:
        return best
    for bits in {trial.bits for trial in plain.values() if trial.bits is not None}:
        rival = _calibration([trial for trial in plain.values() if trial.bits == bits], ())
        is_quick_alone = rival.ms[rival.sizes[0]] <= KNEE * plain[1].ms
        if is_quick_alone and _ms_per_picture(rival) < WORTH * _ms_per_picture(best):
            best = rival
    return best


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


def _try(pool: Sequence[PassWanted], size: int, steadied: Sequence[str] = ()) -> Trial:
    """All pictures of the pool in batches of `size`, forwards and backwards."""
    times: list[float] = []
    forwards = _painted(pool, size, steadied, times)
    backwards = _painted(pool[::-1], size, steadied, times)[::-1]
    return Trial(size=size, bits=forwards if forwards == backwards else None, ms=min(times))


def _painted(pool: Sequence[PassWanted], size: int, steadied: Sequence[str], times: list[float]) -> tuple[str, ...]:
    return tuple(
        hashlib.sha256(rows.float().cpu().numpy().tobytes()).hexdigest()
        for batch in _batches(pool, size)
        for rows in _timed(batch, size, steadied, times)
    )


def _timed(batch: Sequence[PassWanted], size: int, steadied: Sequence[str], times: list[float]) -> list[torch.Tensor]:
    began = time.perf_counter()
    predicted = run_pass(batch, size, steadied=steadied)
    if predicted[0].is_cuda:
        torch.cuda.synchronize()
    times.append((time.perf_counter() - began) * 1000)
    return predicted


def _watch(pool: Sequence[PassWanted], size: int, found: set[str]) -> None:
    steadying, rows = pool[0].pipeline.steadying, pool[0].conditioning.rows
    for batch in _batches(pool, size):
        with steadying.watching(found, rows=rows):
            run_pass(batch, size)


def _batches(pool: Sequence[PassWanted], size: int) -> Iterator[Sequence[PassWanted]]:
    return (pool[first : first + size] for first in range(0, len(pool), size))


def _calibration(trials: Sequence[Trial], steadied: tuple[str, ...]) -> Calibration:
    """The smallest size and every larger one that pays."""
    worth: list[Trial] = []
    for trial in sorted(trials, key=lambda trial: trial.size):
        if not worth or trial.ms / trial.size < WORTH * worth[-1].ms / worth[-1].size:
            worth.append(trial)
    sizes = tuple(trial.size for trial in worth)
    return Calibration(
        sizes=sizes, steadied=steadied if len(sizes) > 1 else (), ms={trial.size: trial.ms for trial in trials}
    )


def _ms_per_picture(calibration: Calibration) -> float:
    return min(calibration.ms[size] / size for size in calibration.sizes)

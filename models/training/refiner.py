"""Teach an adapter to go over an enlarged painting of the model and to put right what it finds there.

    torchrun --standalone --nproc-per-node 2 -m models.training.refiner --model models/starter --faults DIR --out DIR

Each step shows the model's own enlarged painting of a scene (`faults.py`), disturbed with noise, and asks for the scene as it is drawn large
(SDEdit, arXiv:2108.01073, with the wrong shapes as the beginning and the right ones as the end). Of less noise
the drawn picture itself is shown more often: there the painting has been put right already. The adapter (LoRA) acts on every layer and
paints without guidance. `DIR/refiner.safetensors` holds its average.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from rich import print as show

from models.training.adapters import ALL_TARGETS, Adapter, with_adapter, write_adapter
from models.training.course import Average, Course, arguments, device_of, narrow, rate_at, set_rate
from models.training.denoiser import reader, ready_to_learn, sampler_config
from models.training.parallel import average, share

BATCHES: Final = {"cuda": 64, "cpu": 8}
PEAK_RATE: Final = 1e-3
RANK: Final = 24
CROP: Final = 48
"""Side of what is shown, of 64 of a square picture."""
MOST_NOISE: Final = 760
"""The timestep from which a painting is gone over at most."""
FAULTY_BETWEEN: Final = (150, 450)
"""Below the first timestep only drawn pictures are shown, above the second only paintings."""


class Pairs:
    """Scaled latents of drawn pictures, of paintings of the same, and captions, grouped by shape."""

    def __init__(self, folder: Path, chance: torch.Generator) -> None:
        self._chance, device = chance, chance.device
        found: dict[tuple[int, ...], list[tuple[torch.Tensor, ...]]] = {}
        for path in sorted(folder.glob("*.ids.npy")):
            named = [path.name.replace(".ids", kind) for kind in ("", ".faults", ".ids")]
            parts = tuple(torch.from_numpy(np.load(folder / name)) for name in named)
            found.setdefault(tuple(parts[0].shape[2:]), []).append(parts)
        self._groups = [
            tuple(torch.cat(rows).to(device) for rows in zip(*lots, strict=True)) for lots in found.values()
        ]
        self._odds = torch.tensor([float(len(group[0])) for group in self._groups])
        self._turn = torch.Generator().manual_seed(chance.initial_seed())

    def __len__(self) -> int:
        return sum(len(group[0]) for group in self._groups)

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The same windows, (count, channels, h, w), of drawn pictures and of paintings, and (count, MAX_TOKENS) token ids."""
        drawn, painted, ids = self._groups[int(torch.multinomial(self._odds, 1, generator=self._turn))]
        rows = torch.randint(len(drawn), (count,), generator=self._chance, device=drawn.device)
        wording = torch.randint(ids.shape[1], (count,), generator=self._chance, device=drawn.device)
        down, across = (self._window(side) for side in drawn.shape[2:])
        shown, faulty = (latents[rows][:, :, down, across].float() for latents in (drawn, painted))
        return shown, faulty, ids[rows, wording].long()

    def _window(self, side: int) -> slice:
        size = min(CROP, side)
        first = int(torch.randint(side - size + 1, (), generator=self._turn))
        return slice(first, first + size)


def refining_loss(
    network: UNet2DConditionModel,
    states: torch.Tensor,
    pair: tuple[torch.Tensor, torch.Tensor],
    powers: torch.Tensor,
    chance: torch.Generator,
) -> torch.Tensor:
    """The error of the velocity that leads from a disturbed painting to the picture drawn; `pair` is drawn and painted."""
    drawn, painted = pair
    count, device = len(drawn), drawn.device
    within = torch.rand(count, generator=chance, device=device)
    steps = ((torch.arange(count, device=device) + within) / count * MOST_NOISE).long()
    least, most = FAULTY_BETWEEN
    is_faulty = torch.rand(count, generator=chance, device=device) < (steps - least) / (most - least)
    shown = torch.where(is_faulty[:, None, None, None], painted, drawn)
    power = powers[steps][:, None, None, None]
    signal, spread = power.sqrt(), (1.0 - power).sqrt()
    noise = torch.randn(drawn.shape, generator=chance, device=device)
    noisy = signal * shown + spread * noise
    wanted = (signal * noisy - drawn) / spread
    given = noisy.to(states.dtype).contiguous(memory_format=torch.channels_last)
    predicted = network(given, steps, states).sample.float()
    loss: torch.Tensor = (predicted - wanted).square().mean()
    return loss


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the adapter lies in `args.out` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    _, encoder = reader(args.model, device)
    plain = UNet2DConditionModel.from_pretrained(args.model / "unet", dtype=torch.float32)
    network = ready_to_learn(plain, device)
    weights = with_adapter(network, RANK, args.seed, ALL_TARGETS)
    share(weights)
    optimizer, mean = torch.optim.AdamW(weights, lr=PEAK_RATE, weight_decay=0.0), Average(weights, decay=0.995)
    course = Course(args, {"adapter": Adapter(network), "optimizer": optimizer, "mean": mean})
    chance = course.chance(args.seed, device)
    pairs, powers = Pairs(args.faults, chance), sampler_config().alphas_cumprod.to(device)
    batch = args.batch or BATCHES[device.type]
    show(f"{len(pairs)} pairs, {sum(weight.numel() for weight in weights) / 1e6:.2f} M weights")
    for done in course:
        set_rate(optimizer, PEAK_RATE * rate_at(done))
        drawn, painted, ids = pairs.batch(batch)
        with narrow(device):
            with torch.no_grad():
                states = encoder(ids).last_hidden_state
            loss = refining_loss(network, states, (drawn, painted), powers, chance)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        average([weight.grad for weight in weights if weight.grad is not None])
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        mean.update()
        course.say(loss)
    if course.rank == 0:
        with torch.no_grad():
            for weight, settled in zip(weights, mean.mean, strict=True):
                weight.copy_(settled)
        write_adapter(network, args.out / "refiner.safetensors")
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=50.0)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--faults", type=Path, required=True, help="folder of `faults.py`")
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

"""Teach an adapter to go over a painting of the model and to put right what it finds there.

    torchrun --standalone --nproc-per-node 2 -m models.training.refiner --model models/starter --world DIR --latents DIR \
        --critic DIR/critic.safetensors --out DIR

Each step shows what the model makes of a scene (`faults.py`), disturbed with noise, and asks for the scene as it is drawn
(SDEdit, arXiv:2108.01073, with wrong shapes as the beginning and the right ones as the end). Of less noise the
drawn picture itself is shown more often: there the painting has been put right already. A critic reads what is foreseen of square
pictures, and what it misreads is a part of the loss. The adapter (LoRA) acts on every layer. `DIR/refiner.safetensors`
holds its average.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from rich import print as show

from models.training.adapters import ALL_TARGETS, Adapter, with_adapter, write_adapter
from models.training.course import Average, Course, arguments, device_of, narrow, rate_at, set_rate
from models.training.critic import disturbed, opened
from models.training.denoiser import DROP_OUT, LATE, SUBJECT_WEIGHT, reader, ready_to_learn, sampler_config
from models.training.judge import judge_loss, truths
from models.training.latents import scale_of
from models.training.parallel import average, share
from models.training.rendering import read_scenes
from models.training.sayings import spelled

BATCHES: Final = {"cuda": 128, "cpu": 16}
PEAK_RATE: Final = 1e-3
RANK: Final = 24
MOST_NOISE: Final = 780
"""The timestep from which a painting is gone over at most."""
FAULTY_BETWEEN: Final = (450, 700)
"""Below the first timestep only drawn pictures are shown, above the second only paintings: what is wrong is to be put right in
the first steps, and then made crisp. Paintings shown far below made pictures soft."""
CRITIC_WEIGHT: Final = 0.005
"""Of what the critic misreads, a sum over all that it is asked, beside the error of the velocity."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Scaled latents of drawn scenes and of paintings of the same, token ids, where subjects are, and what the scenes
    show; one row a scene."""

    drawn: torch.Tensor
    painted: torch.Tensor
    ids: torch.Tensor
    focus: torch.Tensor
    shown: dict[str, torch.Tensor]

    @property
    def is_square(self) -> bool:
        return self.drawn.shape[2] == self.drawn.shape[3]


class Pairs:
    """All pairs in the device's memory, grouped by shape. `empty` are the token ids of no caption."""

    def __init__(self, world: Path, folder: Path, empty: torch.Tensor, chance: torch.Generator) -> None:
        self._chance, self._empty, self._scale = chance, empty, scale_of(folder)
        found: dict[tuple[int, ...], list[tuple[torch.Tensor, ...]]] = {}
        scenes: dict[tuple[int, ...], list[dict[str, torch.Tensor]]] = {}
        for path in sorted(folder.glob("[0-9]*[0-9].faults.npy")):
            named = [path.name.replace(".faults", kind) for kind in ("", ".faults", ".ids", ".focus")]
            parts = tuple(torch.from_numpy(np.load(folder / name)).to(chance.device) for name in named)
            shape = tuple(parts[0].shape[2:])
            found.setdefault(shape, []).append(parts)
            scenes.setdefault(shape, []).append(truths(read_scenes(world / path.name.replace(".faults.npy", ".json"))))
        self._groups = [
            _pair([torch.cat(rows) for rows in zip(*lots, strict=True)], _joined(scenes[shape], chance.device))
            for shape, lots in found.items()
        ]
        self._odds = torch.tensor([float(len(group.drawn)) for group in self._groups])
        self._turn = torch.Generator().manual_seed(chance.initial_seed())

    def __len__(self) -> int:
        return int(self._odds.sum())

    def batch(self, count: int) -> Pair:
        """Of one shape; one wording of each caption, and of some none."""
        group = self._groups[int(torch.multinomial(self._odds, 1, generator=self._turn))]
        device = group.drawn.device
        rows = torch.randint(len(group.drawn), (count,), generator=self._chance, device=device)
        wording = torch.randint(group.ids.shape[1], (count,), generator=self._chance, device=device)
        is_said = torch.rand(count, 1, generator=self._chance, device=device) > DROP_OUT
        return Pair(
            group.drawn[rows].float() * self._scale,
            group.painted[rows].float() * self._scale,
            torch.where(is_said, group.ids[rows, wording].long(), self._empty.long()),
            group.focus[rows],
            {name: values[rows] for name, values in group.shown.items()},
        )


def _pair(parts: Sequence[torch.Tensor], shown: dict[str, torch.Tensor]) -> Pair:
    drawn, painted, ids, focus = parts
    return Pair(drawn, painted, ids, focus, shown)


def _joined(parts: Sequence[dict[str, torch.Tensor]], device: torch.device) -> dict[str, torch.Tensor]:
    return {name: torch.cat([part[name] for part in parts]).to(device) for name in parts[0]}


def foreseen(
    network: UNet2DConditionModel, states: torch.Tensor, pair: Pair, powers: torch.Tensor, chance: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """The error of the velocity that leads from a disturbed painting to the scene as it is drawn, and the (count, channels,
    h, w) latents that it foresees."""
    count, device = len(pair.drawn), pair.drawn.device
    within = torch.rand(count, generator=chance, device=device)
    steps = (((torch.arange(count, device=device) + within) / count) ** LATE * MOST_NOISE).long()
    least, most = FAULTY_BETWEEN
    is_faulty = torch.rand(count, generator=chance, device=device) < (steps - least) / (most - least)
    begun = torch.where(is_faulty[:, None, None, None], pair.painted, pair.drawn)
    power = powers[steps][:, None, None, None]
    signal, spread = power.sqrt(), (1.0 - power).sqrt()
    noisy = signal * begun + spread * torch.randn(begun.shape, generator=chance, device=device)
    wanted = (signal * noisy - pair.drawn) / spread
    given = noisy.to(states.dtype).contiguous(memory_format=torch.channels_last)
    velocity = network(given, steps, states).sample.float()
    counts = 1.0 + (SUBJECT_WEIGHT - 1.0) * pair.focus[:, None].float()
    error: torch.Tensor = ((velocity - wanted).square() * (counts / counts.mean())).mean()
    return error, signal * noisy - spread * velocity


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the adapter lies in `args.out` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    tokenizer, encoder = reader(args.model, device)
    plain = UNet2DConditionModel.from_pretrained(args.model / "unet", dtype=torch.float32)
    network = ready_to_learn(plain, device)
    weights = with_adapter(network, RANK, args.seed, ALL_TARGETS)
    share(weights)
    optimizer, mean = torch.optim.AdamW(weights, lr=PEAK_RATE, weight_decay=0.0), Average(weights, decay=0.995)
    course = Course(args, {"adapter": Adapter(network), "optimizer": optimizer, "mean": mean})
    chance, critic = course.chance(args.seed, device), opened(args.critic, plain.config.sample_size, device)
    pairs = Pairs(args.world, args.latents, torch.from_numpy(spelled(tokenizer, [""])).to(device), chance)
    powers, batch = sampler_config().alphas_cumprod.to(device), args.batch or BATCHES[device.type]
    show(f"{len(pairs)} pairs, {sum(weight.numel() for weight in weights) / 1e6:.2f} M weights")
    for done in course:
        set_rate(optimizer, PEAK_RATE * rate_at(done))
        pair = pairs.batch(batch)
        with narrow(device):
            with torch.no_grad():
                states = encoder(pair.ids).last_hidden_state
            error, clean = foreseen(network, states, pair, powers, chance)
            misread = (
                judge_loss(critic(disturbed(clean, chance)), pair.shown) if pair.is_square else error.new_zeros(())
            )
        optimizer.zero_grad()
        (error + CRITIC_WEIGHT * misread).backward()  # type: ignore[no-untyped-call]
        average([weight.grad for weight in weights if weight.grad is not None])
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        mean.update()
        course.say(error, f"misread {misread.item():.3f}")
    if course.rank == 0:
        with torch.no_grad():
            for weight, settled in zip(weights, mean.mean, strict=True):
                weight.copy_(settled)
        write_adapter(network, args.out / "refiner.safetensors")
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=40.0)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    for name in ("--world", "--latents", "--critic"):
        parser.add_argument(name, type=Path, required=True)
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

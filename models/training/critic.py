"""Critics of latents: what the judge is to pictures, they are to latents, for training only.

    python -m models.training.critic --world DIR --latents DIR --out DIR --seed 1 --minutes 6

`reward.py` asks them whether what the denoiser paints shows what was asked. The judge that measures the model is another
network, of other renders, that looks at pixels; no model is trained against it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from rich import print as show
from safetensors.torch import load_file, save_file

from models.training.course import Course, arguments, device_of, narrow, rate_at, seeded
from models.training.descent import Descent
from models.training.judge import JUDGED, LAYERS, OUTERMOST, Judge, judge_loss, truths
from models.training.latents import scale_of
from models.training.rendering import read_scenes

BATCH: Final = 48
PEAK_RATE: Final = 3e-3
MOST_NOISE: Final = 0.6
"""They learn to read through noise, so that what pleases them is no pattern finer than that."""
HELD_OUT: Final = 500


def new_critic(channels: int, side: int) -> Judge:
    """An untrained critic of square latents; the fewer positions they have, the fewer of its layers halve them."""
    halvings = (side // 4).bit_length() - 1
    return Judge(channels, (1,) * (LAYERS - halvings) + (2,) * halvings)


def opened(path: Path, side: int, device: torch.device) -> Judge:
    """A critic that no training changes."""
    weights = load_file(path)
    critic = new_critic(int(weights["near.0.weight"].shape[1]), side)
    critic.load_state_dict(weights)
    return critic.eval().requires_grad_(requires_grad=False).to(device)


def disturbed(latents: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The latents moved by up to a position, with noise of a strength of chance each."""
    down, right = torch.randint(3, (2,), generator=chance, device=latents.device).tolist()
    padded = torch.nn.functional.pad(latents, (1, 1, 1, 1), mode="replicate")
    moved = padded[:, :, down : down + latents.shape[2], right : right + latents.shape[3]]
    strength = MOST_NOISE * torch.rand(len(latents), 1, 1, 1, generator=chance, device=latents.device)
    return moved + strength * torch.randn(moved.shape, generator=chance, device=latents.device)


def square_latents(world: Path, folder: Path) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """(count, channels, side, side) scaled latents, and what their scenes show."""
    rows, scenes = [], []
    for path in sorted(folder.glob("[0-9]*[0-9].npy")):
        found = np.load(path)
        if found.shape[2] == found.shape[3]:
            rows.append(torch.from_numpy(found))
            scenes += read_scenes(world / f"{path.stem}.json")
    return torch.cat(rows).float() * scale_of(folder), truths(scenes)


def train(args: argparse.Namespace) -> bool:
    """Train one critic, and say how many of the held-out latents it reads right.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    latents, wanted = square_latents(args.world, args.latents)
    critic = new_critic(*latents.shape[1:3])
    seeded(critic, args.seed)
    critic = critic.to(device).train()
    descent = Descent(dict(critic.named_parameters()), PEAK_RATE, OUTERMOST)
    course = Course(args, {"critic": critic, "descent": descent})
    chance = course.chance(args.seed, device)
    held_out = min(HELD_OUT, len(latents) // 2)
    known = len(latents) - held_out
    for done in course:
        rows = torch.randint(known, (args.batch or BATCH,), generator=chance, device=device)
        with narrow(device):
            scores = critic(disturbed(latents[rows].to(device), chance))
        loss = judge_loss(scores, {name: values[rows].to(device) for name, values in wanted.items()})
        critic.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        descent.step(PEAK_RATE * rate_at(done))
        course.say(loss)
    with torch.no_grad():
        scores = critic.eval()(latents[known:].to(device))
    right = {name: float((scores[name].argmax(1).cpu() == wanted[name][known:]).float().mean()) for name in JUDGED}
    show(right)
    save_file(
        {name: weight.contiguous() for name, weight in critic.state_dict().items()}, args.out / "critic.safetensors"
    )
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=6.0)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--latents", type=Path, required=True)
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

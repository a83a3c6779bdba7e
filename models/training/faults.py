"""What a refiner learns from: what the model makes of drawn scenes, beside the scenes themselves.

    python -m models.training.faults --model models/starter --latents DIR --seed 1

`DIR` holds drawn scenes' latents (`latents`); mirrored ones are left alone. Each is disturbed with much noise and painted on by the model, so that the
composition stays and the shapes become the model's own. `NNNN.faults.npy`, of the shape of `NNNN.npy`, is written beside
it; shards that have theirs are left alone.
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

from models.training.course import device_of
from models.training.denoiser import noised, reader, ready_to_learn, sampler_config
from models.training.latents import scale_of
from models.training.reward import POINTS, Painter
from models.training.sayings import spelled

LOT: Final = 10
FIRST_STEPS: Final = (1, 2)
"""After which of `POINTS` steps from noise to picture the model takes over: near the beginning, so that shapes are its own."""


class Spoiler:
    """The model as it paints on."""

    def __init__(self, model: Path, seed: int, device: torch.device) -> None:
        tokenizer, self._encoder = reader(model, device)
        plain = UNet2DConditionModel.from_pretrained(model / "unet", dtype=torch.float32)
        self._chance = torch.Generator(device).manual_seed(seed)
        self._powers = sampler_config().alphas_cumprod.to(device)
        self._painter = Painter(ready_to_learn(plain, device).eval(), self._read(spelled(tokenizer, [""])))

    @torch.no_grad()
    def _read(self, ids: np.ndarray) -> torch.Tensor:
        tokens = torch.from_numpy(ids).long().to(self._encoder.device)
        states: torch.Tensor = self._encoder(tokens).last_hidden_state
        return states

    @torch.no_grad()
    def spoiled(self, latents: torch.Tensor, ids: np.ndarray) -> torch.Tensor:
        """(count, channels, h, w) scaled latents of drawn scenes and (count, tokens) captions to what the model makes of them."""
        found = []
        for first in range(0, len(latents), LOT):
            rows = slice(first, first + LOT)
            drawn = latents[rows].to(self._chance.device)
            done = FIRST_STEPS[int(torch.randint(len(FIRST_STEPS), (), generator=self._chance, device=drawn.device))]
            step = torch.full((len(drawn),), round(1000 * (1 - done / POINTS)) - 1, device=drawn.device)
            noisy, _, _ = noised(drawn, step, self._powers, self._chance)
            found.append(self._painter.finished(noisy, self._read(ids[rows]), done).cpu())
        return torch.cat(found)


def spoil_all(args: argparse.Namespace) -> int:
    """Write what is missing.

    Returns:
        How many shards have faults now.
    """
    spoiler, scale = Spoiler(args.model, args.seed, device_of(args.device)), scale_of(args.latents)
    for ids in sorted(args.latents.glob("[0-9]*[0-9].ids.npy"))[args.first :: args.stride][: args.limit]:
        drawn = ids.with_name(ids.name.replace(".ids", ""))
        target = drawn.with_suffix(".faults.npy")
        if not target.exists():
            latents = torch.from_numpy(np.load(drawn)).float() * scale
            np.save(target, (spoiler.spoiled(latents, np.load(ids)[:, 0]) / scale).half().numpy())
    return len(list(args.latents.glob("*.faults.npy")))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=10**6, help="shards at most")
    parser.add_argument("--first", type=int, default=0, help="the first shard of this process")
    parser.add_argument("--stride", type=int, default=1, help="how many processes share the shards")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    args = parser.parse_args(argv)
    show(f"{spoil_all(args)} shards of {args.latents} have faults")


if __name__ == "__main__":
    main()

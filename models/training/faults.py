"""What a refiner learns from: large drawn scenes, and what the model makes of the same scenes when it paints them small.

    python -m models.training.faults --model models/starter --world DIR --out DIR --seed 1

`DIR` holds scenes at twice the size the model paints (`rendering --scale 2`). Each is made small, disturbed with much noise and
painted on by the model, so that the composition stays and the shapes become the model's own; that is enlarged again. For each shard
`NNNN.npy` (count, channels, h, w) float16, latents of the drawn picture, `NNNN.faults.npy` likewise of what was
painted, and `NNNN.ids.npy` (count, WORDINGS, MAX_TOKENS) int16. All latents are scaled. Shards that are there already are left alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from PIL import Image
from rich import print as show

from models.training.course import device_of, narrow
from models.training.denoiser import noised, reader, ready_to_learn, sampler_config
from models.training.latents import WORDINGS, encoded, opened_autoencoder
from models.training.rendering import read_scenes
from models.training.reward import POINTS, Painter
from models.training.sayings import spelled, wordings

LOT: Final = 10
FIRST_STEPS: Final = (1, 2)
"""At which of `POINTS` steps from noise to picture the model takes over: near the beginning, so that shapes are its own."""


class Spoiler:
    """The model as it paints small pictures."""

    def __init__(self, model: Path, seed: int, device: torch.device) -> None:
        self.autoencoder: AutoencoderTiny = opened_autoencoder(model / "vae").eval().to(device)
        self.scale = float(self.autoencoder.config.scaling_factor)
        self._tokenizer, self._encoder = reader(model, device)
        network = ready_to_learn(
            UNet2DConditionModel.from_pretrained(model / "unet", dtype=torch.float32), device
        ).eval()
        self._chance = torch.Generator(device).manual_seed(seed)
        self._powers = sampler_config().alphas_cumprod.to(device)
        self._painter = Painter(network, self._read(spelled(self._tokenizer, [""])))

    def _read(self, ids: np.ndarray) -> torch.Tensor:
        tokens = torch.from_numpy(ids).long().to(self._encoder.device)
        states: torch.Tensor = self._encoder(tokens).last_hidden_state
        return states

    @torch.no_grad()
    def spoiled(self, pictures: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """(count, height, width, 3) drawn pictures and (count, tokens) captions to the same pictures, painted small and enlarged."""
        device, found = self._encoder.device, []
        for first in range(0, len(pictures), LOT):
            rows = slice(first, first + LOT)
            small = np.stack([_resized(picture, 0.5) for picture in pictures[rows]])
            latents = torch.from_numpy(encoded(self.autoencoder, small, device)).to(device).float() * self.scale
            done = FIRST_STEPS[int(torch.randint(len(FIRST_STEPS), (), generator=self._chance, device=device))]
            step = torch.full((len(small),), round(1000 * (1 - done / POINTS)) - 1, device=device)
            noisy, _, _ = noised(latents, step, self._powers, self._chance)
            painted = self._painter.finished(noisy, self._read(ids[rows]), done)
            with narrow(device):
                shown = self.autoencoder.decode(painted / self.scale).sample.float()
            found += [_resized(picture, 2.0) for picture in _levels(shown)]
        return np.stack(found)


def _levels(shown: torch.Tensor) -> np.ndarray:
    """-1..1 to (count, height, width, 3) uint8."""
    return shown.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def _resized(picture: np.ndarray, by: float) -> np.ndarray:
    height, width = picture.shape[:2]
    kernel = Image.Resampling.BOX if by < 1 else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(picture).resize((round(width * by), round(height * by)), kernel))


def make_all(args: argparse.Namespace) -> int:
    """Write what is missing.

    Returns:
        How many shards there are now.
    """
    device = device_of(args.device)
    spoiler = Spoiler(args.model, args.seed, device)
    shards = sorted(args.world.glob("*.json"))[args.first :: args.stride][: args.limit]
    for shard in shards:
        target = args.out / f"{shard.stem}.ids.npy"
        if target.exists():
            continue
        pictures = np.load(shard.with_suffix(".npy"))
        ids = wordings(args.model / "tokenizer", read_scenes(shard), WORDINGS, args.seed, 1)
        for kind, shown in (("", pictures), (".faults", spoiler.spoiled(pictures, ids[:, 0]))):
            latents = encoded(spoiler.autoencoder, shown, device) * np.float16(spoiler.scale)
            np.save(args.out / f"{shard.stem}{kind}.npy", latents)
        np.save(target, ids)
        show(f"{target.name}")
    return len(list(args.out.glob("*.ids.npy")))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    for name in ("--world", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=10**6, help="shards to make at most")
    parser.add_argument("--first", type=int, default=0, help="the first shard of this process")
    parser.add_argument("--stride", type=int, default=1, help="how many processes share the shards")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    show(f"{make_all(args)} shards in {args.out}")


if __name__ == "__main__":
    main()

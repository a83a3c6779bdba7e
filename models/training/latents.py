"""Encode the rendered world once: shards of latents, plain and mirrored.

python -m models.training.latents --world DIR --vae DIR --out DIR --mirrored
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderTiny
from rich import print as show

from models.training.rendering import read_scenes
from models.training.world.scene import mirrored

BATCH: Final = 20


@torch.no_grad()
def encoded(model: AutoencoderTiny, pictures: np.ndarray) -> np.ndarray:
    """(count, height, width, 3) uint8 pictures to (count, channels, height / 16, width / 16) float16 latents."""
    rows = []
    for first in range(0, len(pictures), BATCH):
        batch = torch.from_numpy(pictures[first : first + BATCH].copy()).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        with torch.autocast("cpu", torch.bfloat16):
            rows.append(model.encode(batch.to(memory_format=torch.channels_last)).latents.half().numpy())
    return np.concatenate(rows)


def scale_of(folder: Path) -> float:
    """What latents are multiplied by to have unit spread; measured on the first shard."""
    first = min(folder.glob("*.npy"))
    return 1.0 / float(np.load(first).astype(np.float32).std())


def encode_shard(model: AutoencoderTiny, shard: Path, out: Path, *, is_mirrored: bool) -> None:
    """Write the latents and scenes of one shard, mirrored if asked."""
    name = f"{shard.stem}{'m' if is_mirrored else ''}"
    if (out / f"{name}.json").exists():
        return
    pictures, scenes = np.load(shard, mmap_mode="r"), read_scenes(shard.with_suffix(".json"))
    if is_mirrored:
        pictures, scenes = pictures[:, :, ::-1], [mirrored(scene) for scene in scenes]
    np.save(out / f"{name}.npy", encoded(model, pictures))
    (out / f"{name}.json").write_text(json.dumps([asdict(scene) for scene in scenes]))
    show(name)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mirrored", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), metavar=("K", "OF"), help="only every OF-th shard")
    parser.add_argument("--limit", type=int, default=10**6, help="shards to encode at most")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    model = AutoencoderTiny.from_pretrained(args.vae).eval().to(memory_format=torch.channels_last)
    for shard in sorted(args.world.glob("*.npy"))[: args.limit][args.part[0] :: args.part[1]]:
        if shard.with_suffix(".json").exists():
            encode_shard(model, shard, args.out, is_mirrored=args.mirrored)


if __name__ == "__main__":
    main()

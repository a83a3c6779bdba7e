"""Encode the rendered world once, plain and mirrored, and say each scene in a few wordings.

    python -m models.training.latents --world DIR --vae DIR --text DIR --out DIR
    python -m models.training.latents --world DIR --init models/starter --out DIR     # to carry a model on

For each shard `NNNN.npy` (count, channels, h, w) float16, `NNNN.focus.npy` (count, h, w) bool, where subjects are,
`NNNN.things.npy` (count,) int8, how many there are, and `NNNN.ids.npy` (count, WORDINGS, MAX_TOKENS) int16; mirrored shards end in `m`. Shards that are there already are left alone. A model whose autoencoder is carried on keeps
its scale, which `scale.json` then says.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import retrieve_latents
from rich import print as show

from models.training.course import device_of, narrow
from models.training.focus import subject_places
from models.training.pictures import as_network_input
from models.training.rendering import read_scenes
from models.training.sayings import wordings
from models.training.world.scene import Scene, mirrored

BATCHES: Final = {"cuda": 250, "cpu": 10}
WORDINGS: Final = 4


@torch.no_grad()
def encoded(model: AutoencoderKL | AutoencoderTiny, pictures: np.ndarray, device: torch.device) -> np.ndarray:
    """(count, height, width, 3) uint8 pictures to (count, channels, height / 16, width / 16) float16 latents."""
    found = []
    for rows in torch.split(torch.from_numpy(pictures), BATCHES[device.type]):
        with narrow(device):
            latents = retrieve_latents(model.encode(as_network_input(rows.to(device))), sample_mode="argmax")
        found.append(latents.half().cpu().numpy())
    return np.concatenate(found)


def scale_of(folder: Path) -> float:
    """What latents are multiplied by: what a model that is carried on says, else what gives the first shard unit spread."""
    if (folder / "scale.json").exists():
        return float(json.loads((folder / "scale.json").read_text()))
    return 1.0 / float(_first_shard(folder).astype(np.float32).std())


def channels_of(folder: Path) -> int:
    """Channels of the latents there."""
    return int(_first_shard(folder).shape[1])


def _first_shard(folder: Path) -> np.ndarray:
    first = min(path for path in folder.glob("*.npy") if path.name.count(".") == 1)
    return np.asarray(np.load(first, mmap_mode="r"))


def opened_autoencoder(folder: Path) -> AutoencoderKL | AutoencoderTiny:
    """An autoencoder of the class its configuration names."""
    named = json.loads((folder / "config.json").read_text())["_class_name"]
    return {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}[named].from_pretrained(folder)


def _describe(shard: Path, scenes: Sequence[Scene]) -> None:
    """Write where the subjects of a shard of latents are, and how many."""
    shape = np.load(shard, mmap_mode="r").shape[2:]
    np.save(shard.with_suffix(".focus.npy"), np.stack([subject_places(scene, shape) for scene in scenes]))
    np.save(shard.with_suffix(".things.npy"), _things_in(scenes))


def _things_in(scenes: Sequence[Scene]) -> np.ndarray:
    return np.array([sum(thing.count for thing in scene.things) for scene in scenes], np.int8)


def encode_all(args: argparse.Namespace) -> int:
    """Write what is missing.

    Returns:
        How many shards of latents there are now.
    """
    device = device_of(args.device)
    model = opened_autoencoder(args.init / "vae" if args.init else args.vae)
    model = model.eval().to(device, memory_format=torch.channels_last)
    if args.init:
        (args.out / "scale.json").write_text(json.dumps(model.config.scaling_factor))
    shards = [path.with_suffix(".npy") for path in sorted(args.world.glob("*.json"))][: args.limit]
    missing = [
        (shard, turn)
        for shard in shards
        for turn in (("", "m") if args.mirror else ("",))
        if not (args.out / f"{shard.stem}{turn}.ids.npy").exists()
    ]
    for shard, turn in missing:
        pictures = np.load(shard)
        np.save(
            args.out / f"{shard.stem}{turn}.npy",
            encoded(model, pictures[:, :, ::-1].copy() if turn else pictures, device),
        )
    scenes = [read_scenes(shard.with_suffix(".json")) for shard, _ in missing]
    turned = [
        [mirrored(scene) for scene in rows] if turn else rows for rows, (_, turn) in zip(scenes, missing, strict=True)
    ]
    for (shard, turn), shown in zip(missing, turned, strict=True):
        _describe(args.out / f"{shard.stem}{turn}.npy", shown)
    if missing:
        ids = wordings(
            (args.text or args.init) / "tokenizer",
            [scene for rows in turned for scene in rows],
            WORDINGS,
            args.seed,
            args.processes,
        )
        ends = np.cumsum([len(rows) for rows in turned])[:-1]
        for (shard, turn), rows in zip(missing, np.split(ids, ends), strict=True):
            np.save(args.out / f"{shard.stem}{turn}.ids.npy", rows)
    return len(list(args.out.glob("*.ids.npy")))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--world", "--out"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--vae", "--text"):
        parser.add_argument(name, type=Path)
    parser.add_argument(
        "--init", type=Path, help="a model to carry on, instead of --vae; of its --text unless one is named"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=10**6, help="shards to encode at most")
    parser.add_argument("--mirror", action=argparse.BooleanOptionalAction, default=True, help="mirrored shards, too")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    args = parser.parse_args(argv)
    if not (args.init or (args.vae and args.text)):
        parser.error("say --init, or --vae and --text")
    args.out.mkdir(parents=True, exist_ok=True)
    show(f"{encode_all(args)} shards of latents in {args.out}")


if __name__ == "__main__":
    main()

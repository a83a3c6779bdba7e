"""Render the world to disk: shards of pictures and the scenes they show.

python -m models.training.rendering --out DIR --seed 1 --count 48000 --processes 2
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from rich import print as show

from models.training.world.composition import painted
from models.training.world.scene import SIZES, Scene, Thing, drawn_scene

SHARD: Final = 1000
"""Pictures in one shard; all of one size."""
_SIZE_ODDS: Final = (0.72, 0.14, 0.14)


def render_shard(out: Path, seed: int, index: int) -> None:
    """Write shard `index`: `NNNN.npy` (SHARD, height, width, 3) uint8 and `NNNN.json` with its scenes."""
    target = out / f"{index:04d}.json"
    if target.exists():
        return
    rng = np.random.default_rng((seed, index))
    size = SIZES[int(rng.choice(len(SIZES), p=_SIZE_ODDS))]
    scenes = [drawn_scene(rng, size) for _ in range(SHARD)]
    pictures = np.stack([painted(scene) for scene in scenes])
    np.save(out / f"{index:04d}.npy", pictures)
    target.write_text(json.dumps([asdict(scene) for scene in scenes]))
    show(f"shard {index} {size}")


def read_scenes(path: Path) -> list[Scene]:
    """The scenes of one shard's JSON file."""
    rows = json.loads(path.read_text())
    return [Scene(**{**row, "things": tuple(Thing(**thing) for thing in row["things"])}) for row in rows]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=48000)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    orders = [(args.out, args.seed, index) for index in range(args.count // SHARD)]
    with multiprocessing.get_context("spawn").Pool(args.processes) as pool:
        pool.starmap(render_shard, orders, chunksize=1)


if __name__ == "__main__":
    main()

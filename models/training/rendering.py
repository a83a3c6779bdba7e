"""Render the world to disk: shards of pictures and the scenes they show.

    python -m models.training.rendering --out DIR --seed 1 --count 100000 --minutes 3

Shards that are there already are left alone, so a second call goes on where the first one ended.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from rich import print as show

from models.training.world.composition import painted
from models.training.world.scene import SIZES, Scene, Thing, drawn_scene

SHARD: Final = 500
"""Pictures in one shard; all of one size."""
JUDGED_SIDE: Final = 128
_SIZE_ODDS: Final = (0.64, 0.06, 0.06, 0.06, 0.06, 0.06, 0.06)


def render_shard(out: Path, order: tuple[int, int, int], deadline: float) -> None:
    """Write one shard: `NNNN.npy` (count, height, width, 3) uint8 and `NNNN.json` with its scenes.

    `order` is seed, index and count of pictures. The JSON file comes last and says that the shard is whole.
    """
    seed, index, count = order
    target = out / f"{index:04d}.json"
    if target.exists() or time.monotonic() > deadline:
        return
    rng = np.random.default_rng((seed, index))
    size = SIZES[int(rng.choice(len(SIZES), p=_SIZE_ODDS)) if index else 0]
    scenes = [drawn_scene(rng, size) for _ in range(count)]
    np.save(out / f"{index:04d}.npy", np.stack([painted(scene) for scene in scenes]))
    target.write_text(json.dumps([asdict(scene) for scene in scenes]))


def read_scenes(path: Path) -> list[Scene]:
    """The scenes of one shard's JSON file."""
    rows = json.loads(path.read_text())
    return [Scene(**{**row, "things": tuple(Thing(**thing) for thing in row["things"])}) for row in rows]


def painted_small(scene: Scene) -> np.ndarray:
    """(JUDGED_SIDE, JUDGED_SIDE, 3) uint8: the picture as the judge looks at it."""
    small = Image.fromarray(painted(scene)).resize((JUDGED_SIDE, JUDGED_SIDE), Image.Resampling.BOX)
    return np.asarray(small)


def rendered(scenes: Sequence[Scene], processes: int, paint: Callable[[Scene], np.ndarray] = painted) -> np.ndarray:
    """(count, height, width, 3) pictures of scenes of one size, by several processes if there are many.

    They are forked: a fresh process would first load torch, which the world does not need.
    """
    if processes < 2 or len(scenes) < 64:
        return np.stack([paint(scene) for scene in scenes])
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return np.stack(pool.map(paint, scenes, chunksize=32))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--shard", type=int, default=SHARD)
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no new shard is begun")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    deadline = start + args.minutes * 60.0
    orders = [(args.out, (args.seed, k, args.shard), deadline) for k in range(max(1, args.count // args.shard))]
    if args.processes < 2:
        for order in orders:
            render_shard(*order)
    else:
        with multiprocessing.get_context("fork").Pool(args.processes) as pool:
            pool.starmap(render_shard, orders, chunksize=1)
    done = len(list(args.out.glob("*.json")))
    show(f"{done} shards of {args.shard} in {args.out} after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()

"""The lands of water: sea, beach, lake."""

from __future__ import annotations

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, curve
from models.training.world.ground import (
    Ground,
    fill_below,
    hazed,
    mirror,
    paint_fir,
    paint_glitter,
    paint_peaks,
    paint_shore,
    paint_stones,
    paint_water,
    ridge,
)
from models.training.world.palette import Rgb, mixed


def paint_sea(brush: Brush, ground: Ground) -> None:
    """Open water with a path of light, a headland now and then, gulls."""
    paint_water(brush, ground, ground.horizon, brush.light.water)
    paint_glitter(brush, ground, ground.horizon)
    if brush.rng.random() < 0.5:
        side, tall = float(brush.rng.choice((0.0, 1.0))), float(brush.rng.uniform(0.07, 0.16)) * ground.height
        x, inward, low = side * ground.width, (1 if side == 0.0 else -1) * ground.width, ground.horizon + 2
        rock = hazed(brush, (0.42, 0.38, 0.36), 0.38)
        brush.poly(
            [
                (x, low - 1.1 * tall),
                (x + 0.10 * inward, low - tall),
                (x + 0.17 * inward, low - 0.5 * tall),
                (x + 0.28 * inward, low),
                (x, low),
            ],
            rock,
        )
        brush.poly(
            [
                (x, low - 1.1 * tall),
                (x + 0.10 * inward, low - tall),
                (x + 0.12 * inward, low - 0.85 * tall),
                (x, low - 0.85 * tall),
            ],
            hazed(brush, (0.36, 0.52, 0.28), 0.3),
        )
    for _ in range(int(brush.rng.integers(0, 4))):
        x, y = float(brush.rng.uniform(0, ground.width)), float(brush.rng.uniform(0.3, 0.85)) * ground.horizon
        brush.stroke(_gull(x, y, float(brush.rng.uniform(3, 6))), (0.25, 0.27, 0.32), 1.2, 0.8)
    if ground.shore:
        rocks: list[Rgb] = [(0.46, 0.42, 0.40), (0.38, 0.50, 0.28), (0.80, 0.70, 0.50)]
        rock = rocks[int(brush.rng.integers(3))]
        paint_shore(brush, ground, rock)
        paint_stones(brush, ground, ground.floor - 0.02 * ground.height, rock, 6)


def _gull(x: float, y: float, size: float) -> skia.Path:
    return curve(
        (x - size, y),
        (x - 0.5 * size, y - 0.8 * size, x, y),
        (x + 0.5 * size, y - 0.8 * size, x + size, y),
        (x + 0.5 * size, y - 0.8 * size, x, y),
        (x - 0.5 * size, y - 0.8 * size, x - size, y),
    )


def paint_beach(brush: Brush, ground: Ground) -> None:
    """A lagoon, foam, sand and a palm."""
    sand_top = ground.horizon + 0.12 * ground.height
    lagoon = mixed(brush.light.water, (0.10, 0.66, 0.72), 0.05 if brush.light.is_dark else 0.45)
    paint_water(brush, ground, ground.horizon, lagoon)
    paint_glitter(brush, ground, ground.horizon)
    line = ridge(brush, ground, sand_top, 0.012 * ground.height)
    fill_below(brush, ground, [(x, y - 3.5) for x, y in line], (0.97, 0.98, 1.0))
    fill_below(brush, ground, line, (0.86, 0.72, 0.50))
    fill_below(brush, ground, [(x, y + 4.0) for x, y in line], (0.96, 0.84, 0.60))
    for _ in range(20):
        x, y = float(brush.rng.uniform(0, ground.width)), float(brush.rng.uniform(sand_top + 8, ground.height))
        brush.line([(x, y), (x + 5, y)], (0.82, 0.68, 0.46), 1.0)
    _palm(brush, ground)


def _palm(brush: Brush, ground: Ground) -> None:
    side = float(brush.rng.choice((0.07, 0.93)))
    x, y, tall = side * ground.width, ground.floor, float(brush.rng.uniform(0.42, 0.58)) * ground.height
    lean = (0.5 - side) * 0.22 * min(ground.width, ground.height)
    top = (x + lean, y - tall)
    brush.shape(
        curve(
            (x - 5, y),
            (x - 2, y - 0.6 * tall, top[0] - 2, top[1]),
            (top[0] + 2, top[1]),
            (x + 3, y - 0.6 * tall, x + 5, y),
        ),
        (0.50, 0.35, 0.21),
    )
    reach = 0.20 * min(ground.width, ground.height)
    for k, angle in enumerate(np.linspace(-3.3, 0.15, 8).tolist()):
        across, up = reach * float(np.cos(angle)), reach * float(np.sin(angle))
        tip = (top[0] + across, top[1] + 0.45 * up + 0.32 * reach)
        bend = (top[0] + 0.55 * across, top[1] + 0.95 * up - 0.1 * reach)
        leaf = curve(top, (*bend, *tip), (bend[0], bend[1] + 0.20 * reach, *top))
        brush.shape(leaf, (0.16, 0.50, 0.24) if k % 2 else (0.22, 0.60, 0.26))
    for dx in (-3.0, 3.0):
        brush.oval((top[0] + dx, top[1] + 3), (3, 3), (0.42, 0.27, 0.15))


def paint_lake(brush: Brush, ground: Ground) -> None:
    """Still water that mirrors mountains and firs."""
    tall = ground.height
    paint_peaks(
        brush, ground, 0.34 * tall, hazed(brush, (0.36, 0.43, 0.58), 0.42), has_snow=bool(brush.rng.random() < 0.7)
    )
    line = ridge(brush, ground, ground.horizon - 0.04 * tall, 0.016 * tall, steps=15)
    brush.poly(
        [*line, (ground.width + 9.0, ground.horizon + 1), (-9.0, ground.horizon + 1)],
        hazed(brush, (0.16, 0.38, 0.22), 0.18),
    )
    for _ in range(12):
        x = float(brush.rng.uniform(0, ground.width))
        paint_fir(
            brush,
            (x, ground.horizon),
            float(brush.rng.uniform(0.05, 0.11)) * tall,
            hazed(brush, (0.12, 0.34, 0.22), 0.12),
        )
    mirror(brush, ground)
    if ground.shore:
        paint_shore(brush, ground, (0.34, 0.52, 0.24))
        paint_stones(brush, ground, ground.floor - 0.02 * tall, (0.52, 0.51, 0.50), 5)

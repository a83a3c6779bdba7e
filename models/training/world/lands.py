"""The lands of nature. Each paints what lies behind and under the subjects, far things first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from models.training.world.brush import Brush, curve, oval_path
from models.training.world.ground import (
    Ground,
    fill_below,
    hazed,
    paint_fir,
    paint_peaks,
    paint_stones,
    paint_tufts,
    ridge,
)
from models.training.world.palette import Rgb, darker, lighter
from models.training.world.places import paint_city, paint_studio, paint_table
from models.training.world.scene import Scene
from models.training.world.waters import paint_beach, paint_lake, paint_sea


def paint_land(brush: Brush, scene: Scene, ground: Ground) -> None:
    """Paint the scene's land."""
    _PAINTERS[scene.land](brush, ground)


def _paint_mountains(brush: Brush, ground: Ground) -> None:
    tall = ground.height
    paint_peaks(brush, ground, 0.46 * tall, hazed(brush, (0.42, 0.45, 0.60), 0.52), has_snow=True)
    paint_peaks(brush, ground, 0.26 * tall, hazed(brush, (0.34, 0.38, 0.48), 0.22), has_snow=False)
    fill_below(
        brush,
        ground,
        ridge(brush, ground, ground.horizon - 0.03 * tall, 0.012 * tall),
        hazed(brush, (0.34, 0.46, 0.34), 0.32),
    )
    fill_below(
        brush,
        ground,
        ridge(brush, ground, ground.horizon + 0.01 * tall, 0.02 * tall),
        hazed(brush, (0.34, 0.48, 0.30), 0.10),
    )
    for _ in range(9):
        x = float(brush.rng.uniform(0, ground.width))
        paint_fir(
            brush,
            (x, ground.horizon + 0.03 * tall),
            float(brush.rng.uniform(0.07, 0.14)) * tall,
            hazed(brush, (0.14, 0.34, 0.22), 0.15),
        )
    fill_below(brush, ground, ridge(brush, ground, ground.floor - 0.03 * tall, 0.015 * tall), (0.44, 0.50, 0.34))
    paint_tufts(brush, ground, ground.floor, (0.30, 0.40, 0.24), 16)
    paint_stones(brush, ground, ground.floor - 0.01 * tall, (0.55, 0.54, 0.54), 8)


def _paint_hills(brush: Brush, ground: Ground) -> None:
    """Round green hills in rows, with fields, hedges and a few round trees."""
    rng, tall = brush.rng, ground.height
    for depth, level in ((0.58, -0.12), (0.34, -0.03), (0.14, 0.07)):
        green = hazed(brush, ((0.36, 0.62, 0.26), (0.52, 0.68, 0.26), (0.30, 0.56, 0.28))[int(rng.integers(3))], depth)
        x, wide = float(rng.uniform(0.0, 1.0)) * ground.width, float(rng.uniform(0.7, 1.0)) * ground.width
        for shift in (-0.72, 0.72, 0.0):
            top = ground.horizon + level * tall + (0.05 * tall if shift else 0.0)
            brush.oval(
                (x + shift * wide, top + 0.42 * tall), (0.72 * wide, 0.42 * tall), darker(green, 0.08 if shift else 0.0)
            )
        for _ in range(4):
            size = (1.0 - depth) * 0.055 * tall
            spot, low = float(rng.uniform(0, ground.width)), ground.horizon + (level + 0.07) * tall
            brush.oval((spot, low - size), (0.8 * size, size), hazed(brush, (0.14, 0.40, 0.18), depth))
    fill_below(brush, ground, ridge(brush, ground, ground.floor - 0.05 * tall, 0.02 * tall, 6), (0.44, 0.66, 0.26))
    paint_tufts(brush, ground, ground.floor, (0.28, 0.50, 0.18), 20)


def _paint_meadow(brush: Brush, ground: Ground) -> None:
    """A level field full of flowers under a line of far woods."""
    rng, tall = brush.rng, ground.height
    low = ground.horizon + 0.02 * tall
    fill_below(
        brush,
        ground,
        ridge(brush, ground, low - 0.045 * tall, 0.012 * tall, 14),
        hazed(brush, (0.18, 0.42, 0.26), 0.35),
    )
    fill_below(brush, ground, ridge(brush, ground, low, 0.006 * tall, 6), hazed(brush, (0.56, 0.74, 0.32), 0.20))
    fill_below(brush, ground, ridge(brush, ground, ground.floor - 0.08 * tall, 0.008 * tall, 6), (0.44, 0.70, 0.24))
    paint_tufts(brush, ground, low + 0.06 * tall, (0.28, 0.54, 0.16), 60)
    petals: list[Rgb] = [(0.99, 0.97, 0.93), (0.99, 0.83, 0.22), (0.94, 0.36, 0.46), (0.66, 0.46, 0.86)]
    for share, shift, pick in zip(
        np.sort(rng.random(64)).tolist(), rng.random(64).tolist(), rng.integers(4, size=64).tolist(), strict=True
    ):
        y, size = low + 3 + share * (tall - low), 0.7 + 2.4 * share
        brush.flat(oval_path((shift * ground.width, y), (size * 1.2, size)), brush.tone(brush.light.on(petals[pick])))


def _paint_desert(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    for _ in range(int(rng.integers(0, 3))):
        x, wide, high = (
            float(rng.uniform(0.05, 0.95)) * ground.width,
            float(rng.uniform(0.08, 0.16)) * ground.width,
            float(rng.uniform(0.10, 0.20)) * tall,
        )
        mesa, low = hazed(brush, (0.74, 0.40, 0.27), 0.38), ground.horizon + 5
        brush.poly(
            [(x - wide, low), (x - 0.72 * wide, low - high), (x + 0.7 * wide, low - high), (x + wide, low)], mesa
        )
        brush.poly(
            [
                (x - 0.79 * wide, low - 0.7 * high),
                (x - 0.75 * wide, low - 0.85 * high),
                (x + 0.74 * wide, low - 0.85 * high),
                (x + 0.78 * wide, low - 0.7 * high),
            ],
            darker(mesa, 0.14),
        )
    sands: list[Rgb] = [
        hazed(brush, (0.92, 0.67, 0.40), 0.40),
        hazed(brush, (0.92, 0.66, 0.38), 0.15),
        (0.93, 0.68, 0.38),
        (0.97, 0.75, 0.44),
    ]
    levels = (ground.horizon, ground.horizon + 0.07 * tall, ground.horizon + 0.17 * tall, ground.floor - 0.04 * tall)
    for level, sand in zip(levels, sands, strict=True):
        line = ridge(brush, ground, level, 0.035 * tall, 5)
        fill_below(brush, ground, line, sand)
        shade = [(x, y + 0.05 * tall * abs(float(np.sin(0.02 * x + level)))) for x, y in reversed(line)]
        brush.poly([*line, *shade], darker(sand, 0.16), 0.75)
    if rng.random() < 0.5:
        _small_cactus(brush, ground)


def _small_cactus(brush: Brush, ground: Ground) -> None:
    x, y = float(brush.rng.choice((0.08, 0.92))) * ground.width, ground.floor - 0.03 * ground.height
    tall, green = 0.13 * ground.height, (0.28, 0.50, 0.26)
    brush.box((x - 3, y - tall), (x + 3, y), green, 3)
    for side, high in ((-1, 0.5), (1, 0.4)):
        brush.line(
            [(x, y - high * tall), (x + side * 8, y - high * tall), (x + side * 8, y - (high + 0.3) * tall)], green, 4.0
        )


def _paint_forest(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    fill_below(
        brush,
        ground,
        [(-9.0, ground.horizon - 0.03 * tall), (ground.width + 9.0, ground.horizon - 0.03 * tall)],
        hazed(brush, (0.20, 0.38, 0.22), 0.5),
    )
    for depth, count in ((0.62, 12), (0.36, 9), (0.14, 6)):
        colour = hazed(brush, (0.12, 0.36, 0.20), depth)
        for k in range(count):
            x = float((k + rng.uniform(0, 1)) * ground.width / count)
            high = float(tall * rng.uniform(0.32, 0.50) * (1.25 - depth))
            paint_fir(brush, (x, ground.horizon + (0.6 - depth) * 0.14 * tall), high, colour)
    fill_below(brush, ground, ridge(brush, ground, ground.horizon + 0.05 * tall, 0.012 * tall), (0.24, 0.40, 0.18))
    x = float(rng.uniform(0.35, 0.65)) * ground.width
    path = curve(
        (x - 5, ground.horizon + 0.07 * tall),
        (x + 30, ground.floor - 0.05 * tall, x - 50, float(tall)),
        (x + 40, float(tall)),
        (x + 44, ground.floor - 0.05 * tall, x + 5, ground.horizon + 0.07 * tall),
    )
    brush.shape(path, (0.52, 0.44, 0.30))
    for side in (0.0, 0.12, 0.88, 1.0):
        foot = (float(side + rng.normal() * 0.02) * ground.width, float(ground.floor + rng.uniform(-0.02, 0.06) * tall))
        paint_fir(brush, foot, float(tall * rng.uniform(0.55, 0.80)), (0.10, 0.33, 0.18))
    paint_tufts(brush, ground, ground.floor, (0.14, 0.30, 0.12), 26)


def _paint_snow(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    paint_peaks(brush, ground, 0.22 * tall, hazed(brush, (0.62, 0.70, 0.84), 0.45), has_snow=True)
    fill_below(brush, ground, ridge(brush, ground, ground.horizon, 0.03 * tall, 6), (0.86, 0.90, 0.97))
    for k in range(8):
        foot = (
            float((k + rng.uniform(0, 1)) * ground.width / 8),
            ground.horizon + float(rng.uniform(0.02, 0.06)) * tall,
        )
        high = float(tall * rng.uniform(0.10, 0.20))
        paint_fir(brush, foot, high, hazed(brush, (0.20, 0.40, 0.34), 0.28))
        brush.poly(
            [
                (foot[0] - 0.1 * high, foot[1] - 0.78 * high),
                (foot[0], foot[1] - high),
                (foot[0] + 0.1 * high, foot[1] - 0.78 * high),
            ],
            (0.97, 0.98, 1.0),
        )
    drift = ridge(brush, ground, ground.floor - 0.05 * tall, 0.02 * tall, 6)
    fill_below(brush, ground, [(x, y - 5) for x, y in drift], (0.80, 0.86, 0.96))
    fill_below(brush, ground, drift, lighter((0.95, 0.97, 1.0), 0.3))
    for _ in range(12):
        x, y = float(rng.uniform(0, ground.width)), float(rng.uniform(ground.floor, tall))
        brush.line([(x, y), (x + 10, y + 1)], (0.78, 0.85, 0.95), 1.4)


_PAINTERS: Final[dict[str, Callable[[Brush, Ground], None]]] = {
    "sea": paint_sea,
    "lake": paint_lake,
    "mountains": _paint_mountains,
    "hills": _paint_hills,
    "meadow": _paint_meadow,
    "desert": _paint_desert,
    "forest": _paint_forest,
    "city": paint_city,
    "beach": paint_beach,
    "snow": _paint_snow,
    "table": paint_table,
    "studio": paint_studio,
}

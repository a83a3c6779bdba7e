"""The nine lands. Each paints what lies behind and under the subjects, far things first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, Point
from models.training.world.ground import (
    Ground,
    fill_below,
    hazed,
    mirror,
    paint_fir,
    paint_glitter,
    paint_peaks,
    paint_shore,
    paint_tufts,
    paint_water,
    ridge,
)
from models.training.world.palette import Rgb, darker, lighter, mixed
from models.training.world.scene import Scene


def paint_land(brush: Brush, scene: Scene, ground: Ground) -> None:
    """Paint the scene's land."""
    _PAINTERS[scene.land](brush, ground)


def _paint_sea(brush: Brush, ground: Ground) -> None:
    paint_water(brush, ground, ground.horizon, brush.light.water)
    paint_glitter(brush, ground, ground.horizon)
    if brush.rng.random() < 0.35:
        side, tall = float(brush.rng.choice((0.0, 1.0))), 0.09 * ground.height
        x, rock = side * ground.width, hazed(brush, (0.42, 0.38, 0.36), 0.35)
        inward = 1 if side == 0.0 else -1
        brush.poly(
            [
                (x, ground.horizon - tall),
                (x + inward * 0.13 * ground.width, ground.horizon - 0.7 * tall),
                (x + inward * 0.26 * ground.width, ground.horizon + 2),
                (x, ground.horizon + 2),
            ],
            rock,
        )
    if ground.shore:
        rock = [(0.46, 0.42, 0.40), (0.38, 0.50, 0.28), (0.80, 0.70, 0.50)][int(brush.rng.integers(3))]
        paint_shore(brush, ground, rock)


def _paint_beach(brush: Brush, ground: Ground) -> None:
    sand_top = ground.horizon + 0.12 * ground.height
    paint_water(
        brush, ground, ground.horizon, mixed(brush.light.water, (0.10, 0.62, 0.70), 0.0 if brush.light.is_dark else 0.4)
    )
    paint_glitter(brush, ground, ground.horizon)
    line = ridge(brush, ground, sand_top, 0.012 * ground.height)
    foam = [(x, y - 3.0) for x, y in line]
    fill_below(brush, ground, foam, (0.97, 0.98, 1.0))
    fill_below(brush, ground, line, (0.95, 0.82, 0.58))
    for _ in range(20):
        x, y = brush.rng.uniform(0, ground.width), brush.rng.uniform(sand_top + 8, ground.height)
        brush.line([(x, y), (x + 5, y)], (0.80, 0.66, 0.44), 1.0)
    _palm(brush, ground)


def _palm(brush: Brush, ground: Ground) -> None:
    side = float(brush.rng.choice((0.07, 0.93)))
    x, y, tall = side * ground.width, ground.floor, 0.42 * ground.height
    lean = (0.5 - side) * 0.14 * ground.width
    brush.poly([(x - 4, y), (x + 4, y), (x + lean + 2, y - tall), (x + lean - 2, y - tall)], (0.48, 0.33, 0.20))
    for angle in np.linspace(-2.9, -0.25, 6):
        tip = (
            x + lean + 0.16 * ground.height * float(np.cos(angle)),
            y - tall + 0.10 * ground.height * float(np.sin(angle)) + 0.05 * ground.height,
        )
        bend = (
            x + lean + 0.08 * ground.height * float(np.cos(angle)),
            y - tall + 0.12 * ground.height * float(np.sin(angle)),
        )
        path = skia.Path()
        path.moveTo(x + lean, y - tall)
        path.quadTo(bend[0], bend[1], tip[0], tip[1])
        path.quadTo(bend[0], bend[1] + 6, x + lean, y - tall + 2)
        brush.shape(path, (0.16, 0.50, 0.24))


def _paint_lake(brush: Brush, ground: Ground) -> None:
    paint_peaks(
        brush, ground, 0.30 * ground.height, hazed(brush, (0.36, 0.44, 0.56), 0.40), snow=brush.rng.random() < 0.6
    )
    line = ridge(brush, ground, ground.horizon - 0.035 * ground.height, 0.015 * ground.height, steps=15)
    brush.poly(
        [*line, (ground.width + 9.0, ground.horizon + 1), (-9.0, ground.horizon + 1)],
        hazed(brush, (0.16, 0.38, 0.22), 0.15),
    )
    mirror(brush, ground)
    if ground.shore:
        paint_shore(brush, ground, (0.34, 0.52, 0.24))


def _paint_mountains(brush: Brush, ground: Ground) -> None:
    paint_peaks(brush, ground, 0.42 * ground.height, hazed(brush, (0.42, 0.45, 0.58), 0.50), snow=True)
    paint_peaks(brush, ground, 0.24 * ground.height, hazed(brush, (0.34, 0.38, 0.48), 0.22), snow=False)
    fill_below(brush, ground, ridge(brush, ground, ground.horizon, 0.02 * ground.height), (0.36, 0.50, 0.30))
    fill_below(
        brush,
        ground,
        ridge(brush, ground, ground.floor - 0.02 * ground.height, 0.015 * ground.height),
        (0.42, 0.54, 0.30),
    )
    paint_tufts(brush, ground, ground.floor, (0.30, 0.42, 0.22), 16)


def _paint_meadow(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    fill_below(
        brush,
        ground,
        ridge(brush, ground, ground.horizon - 0.05 * tall, 0.05 * tall, 6),
        hazed(brush, (0.44, 0.66, 0.34), 0.45),
    )
    fill_below(
        brush,
        ground,
        ridge(brush, ground, ground.horizon + 0.03 * tall, 0.05 * tall, 6),
        hazed(brush, (0.42, 0.68, 0.28), 0.18),
    )
    fill_below(brush, ground, ridge(brush, ground, ground.floor - 0.04 * tall, 0.02 * tall, 6), (0.40, 0.70, 0.24))
    paint_tufts(brush, ground, ground.floor, (0.26, 0.52, 0.16), 30)
    petals: list[Rgb] = [(0.98, 0.95, 0.90), (0.98, 0.82, 0.25), (0.95, 0.45, 0.55)]
    for _ in range(26):
        x, y = rng.uniform(0, ground.width), rng.uniform(ground.floor, tall)
        brush.flat(
            skia.Path.Circle(float(x), float(y), float(rng.uniform(1.0, 2.2))),
            brush.light.on(petals[int(rng.integers(3))]),
        )


def _paint_desert(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    if rng.random() < 0.5:
        x, wide = rng.uniform(0.1, 0.8) * ground.width, 0.13 * ground.width
        mesa = hazed(brush, (0.72, 0.40, 0.28), 0.35)
        brush.poly(
            [
                (x - wide, ground.horizon + 5),
                (x - 0.7 * wide, ground.horizon - 0.16 * tall),
                (x + 0.7 * wide, ground.horizon - 0.16 * tall),
                (x + wide, ground.horizon + 5),
            ],
            mesa,
        )
    sands: list[Rgb] = [hazed(brush, (0.90, 0.66, 0.40), 0.35), (0.90, 0.66, 0.38), (0.94, 0.72, 0.42)]
    for level, sand in zip(
        (ground.horizon, ground.horizon + 0.07 * tall, ground.floor - 0.05 * tall), sands, strict=True
    ):
        line = ridge(brush, ground, level, 0.035 * tall, 5)
        fill_below(brush, ground, line, sand)
        brush.line(line, darker(sand, 0.22), 1.3, 0.7)
    _cactus(brush, ground)


def _cactus(brush: Brush, ground: Ground) -> None:
    x, y = float(brush.rng.choice((0.08, 0.92))) * ground.width, ground.floor - 0.02 * ground.height
    tall, green = 0.20 * ground.height, (0.28, 0.50, 0.26)
    brush.box((x - 4, y - tall), (x + 4, y), green, 4)
    brush.box((x - 13, y - 0.62 * tall), (x - 4, y - 0.48 * tall), green, 3)
    brush.box((x - 13, y - 0.82 * tall), (x - 8, y - 0.48 * tall), green, 3)
    brush.box((x + 4, y - 0.52 * tall), (x + 13, y - 0.40 * tall), green, 3)
    brush.box((x + 8, y - 0.76 * tall), (x + 13, y - 0.40 * tall), green, 3)


def _paint_forest(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    for depth, count in ((0.55, 11), (0.25, 8)):
        colour = hazed(brush, (0.12, 0.36, 0.20), depth)
        for k in range(count):
            x = (k + rng.uniform(0, 1)) * ground.width / count
            paint_fir(
                brush,
                (float(x), ground.horizon + (0.6 - depth) * 0.1 * tall),
                float(tall * rng.uniform(0.30, 0.44) * (1.2 - depth)),
                colour,
            )
    fill_below(brush, ground, ridge(brush, ground, ground.horizon + 0.03 * tall, 0.012 * tall), (0.22, 0.40, 0.18))
    for side in (0.02, 0.14, 0.86, 0.98):
        x = (side + rng.normal() * 0.02) * ground.width
        paint_fir(
            brush,
            (float(x), float(ground.floor + rng.uniform(-0.02, 0.08) * tall)),
            float(tall * rng.uniform(0.55, 0.75)),
            (0.10, 0.34, 0.18),
        )
    paint_tufts(brush, ground, ground.floor, (0.14, 0.30, 0.12), 26)


def _paint_city(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    for depth, count, high in ((0.55, 9, 0.44), (0.15, 7, 0.30)):
        for k in range(count):
            x, wide = (k + rng.uniform(0, 0.4)) * ground.width / count, ground.width / count * rng.uniform(0.65, 0.95)
            top = ground.horizon - tall * high * rng.uniform(0.45, 1.0)
            walls: list[Rgb] = [(0.50, 0.53, 0.60), (0.60, 0.50, 0.46), (0.42, 0.48, 0.56)]
            brush.box(
                (float(x), float(top)),
                (float(x + wide), ground.horizon + 8),
                hazed(brush, walls[int(rng.integers(3))], depth),
            )
            _windows(brush, (float(x), float(top)), (float(wide), float(ground.horizon - top)), depth)
    fill_below(
        brush, ground, [(-9.0, ground.horizon + 4), (ground.width + 9.0, ground.horizon + 4)], (0.56, 0.55, 0.54)
    )
    fill_below(
        brush,
        ground,
        [(-9.0, ground.floor - 0.03 * tall), (ground.width + 9.0, ground.floor - 0.03 * tall)],
        (0.30, 0.31, 0.34),
    )
    for x in range(0, ground.width, 44):
        brush.line(
            [(x + 6.0, ground.floor + 0.1 * tall), (x + 26.0, ground.floor + 0.1 * tall)], (0.93, 0.88, 0.70), 2.6
        )


def _windows(brush: Brush, corner: Point, extent: Point, depth: float) -> None:
    lit: Rgb = (1.0, 0.84, 0.45) if brush.light.is_dark else lighter(brush.light.haze, 0.35)
    paint_alpha = (0.9 if brush.light.is_dark else 0.55) * (1.1 - depth)
    path = skia.Path()
    for row in range(int(extent[1] // 9)):
        for column in range(max(1, int(extent[0] // 8))):
            if brush.rng.random() < (0.55 if brush.light.is_dark else 0.9):
                x, y = corner[0] + 3 + 8 * column, corner[1] + 4 + 9 * row
                path.addRect(skia.Rect.MakeLTRB(x, y, min(x + 3.4, corner[0] + extent[0] - 1), y + 4.6))
    brush.flat(path, lit, paint_alpha)


def _paint_snow(brush: Brush, ground: Ground) -> None:
    rng, tall = brush.rng, ground.height
    paint_peaks(brush, ground, 0.20 * tall, hazed(brush, (0.62, 0.70, 0.84), 0.45), snow=True)
    for k in range(7):
        x = (k + rng.uniform(0, 1)) * ground.width / 7
        paint_fir(
            brush,
            (float(x), ground.horizon + 0.02 * tall),
            float(tall * rng.uniform(0.12, 0.20)),
            hazed(brush, (0.20, 0.40, 0.34), 0.35),
        )
    fill_below(brush, ground, ridge(brush, ground, ground.horizon, 0.03 * tall, 6), (0.86, 0.90, 0.97))
    fill_below(brush, ground, ridge(brush, ground, ground.floor - 0.04 * tall, 0.02 * tall, 6), (0.95, 0.97, 1.0))
    for _ in range(12):
        x, y = rng.uniform(0, ground.width), rng.uniform(ground.floor, tall)
        brush.line([(x, y), (x + 10, y + 1)], (0.78, 0.85, 0.95), 1.4)


_PAINTERS: Final[dict[str, Callable[[Brush, Ground], None]]] = {
    "sea": _paint_sea,
    "lake": _paint_lake,
    "mountains": _paint_mountains,
    "meadow": _paint_meadow,
    "desert": _paint_desert,
    "forest": _paint_forest,
    "city": _paint_city,
    "beach": _paint_beach,
    "snow": _paint_snow,
}

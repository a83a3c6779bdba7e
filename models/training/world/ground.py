"""Where things are, and what several lands are made of: ridges, water, glitter, tufts, firs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, Point
from models.training.world.palette import Rgb, darker, lighter, mixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where things are, in pixels: the horizon, the line subjects stand on, the sun's place."""

    width: int
    height: int
    horizon: float
    floor: float
    sun: Point
    shore: bool
    """Whether the water needs dry land in front for something to stand on."""


def ridge(brush: Brush, ground: Ground, level: float, rough: float, steps: int = 9) -> list[Point]:
    """A wavy line across the picture at `level`, `rough` pixels high."""
    xs = np.linspace(-8, ground.width + 8, 41)
    knots = brush.rng.normal(size=steps) * rough
    ys = level + np.interp(xs, np.linspace(-8, ground.width + 8, steps), knots)
    smooth = np.convolve(np.pad(ys, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    return [(float(x), float(y)) for x, y in zip(xs, smooth, strict=True)]


def fill_below(brush: Brush, ground: Ground, line: list[Point], colour: Rgb, alpha: float = 1.0) -> None:
    """Fill from a line down to the bottom of the picture."""
    brush.poly([*line, (ground.width + 9.0, ground.height + 9.0), (-9.0, ground.height + 9.0)], colour, alpha)


def hazed(brush: Brush, colour: Rgb, share: float) -> Rgb:
    """Air between us and a far thing; the light is applied later, so it is taken out first."""
    ambient = brush.light.ambient
    haze = brush.light.haze
    undone = (min(1.0, haze[0] / ambient[0]), min(1.0, haze[1] / ambient[1]), min(1.0, haze[2] / ambient[2]))
    return mixed(colour, undone, share)


def paint_peaks(brush: Brush, ground: Ground, height: float, colour: Rgb, snow: bool) -> None:
    rng, count = brush.rng, int(brush.rng.integers(2, 5))
    for k in rng.permutation(count):
        x = (k + rng.uniform(0.2, 0.8)) * ground.width / count
        tall, wide = height * rng.uniform(0.65, 1.1), ground.width * rng.uniform(0.24, 0.38)
        top = (float(x), float(ground.horizon - tall))
        left, right = (float(x - wide), ground.horizon + 4), (float(x + wide), ground.horizon + 4)
        brush.poly([top, right, left], colour)
        shade = (float(x + wide * 0.1), ground.horizon + 4)
        brush.poly([top, right, shade], darker(colour, 0.22))
        if snow:
            cap = 0.30
            low = top[1] + (left[1] - top[1]) * cap
            edge = [
                (x + wide * cap * t, low + (0.07 * tall if j % 2 else -0.03 * tall))
                for j, t in enumerate((1, 0.5, 0.1, -0.4, -1))
            ]
            brush.poly([top, *[(float(a), float(b)) for a, b in edge]], hazed(brush, (0.96, 0.97, 1.0), 0.1))


def paint_water(brush: Brush, ground: Ground, top: float, colour: Rgb) -> None:
    light, rng = brush.light, brush.rng
    brush.wash(top, ground.height, (mixed(colour, light.sky[2], 0.45), colour, darker(colour, 0.25)), (1, 1, 1))
    depth = ground.height - top
    for _ in range(26):
        share = rng.random() ** 1.5
        y, x, half = top + 2 + share * depth, rng.uniform(0, ground.width), 4 + 16 * share
        shade = lighter(colour, 0.28) if rng.random() < 0.6 else darker(colour, 0.2)
        brush.line([(x - half, y), (x + half, y)], unlit(brush, shade), 0.7 + 1.2 * share, 0.7)


def unlit(brush: Brush, colour: Rgb) -> Rgb:
    ambient = brush.light.ambient
    return (min(1.0, colour[0] / ambient[0]), min(1.0, colour[1] / ambient[1]), min(1.0, colour[2] / ambient[2]))


def paint_glitter(brush: Brush, ground: Ground, top: float) -> None:
    rng, x = brush.rng, ground.sun[0]
    warm = lighter(brush.light.sky[2], 0.5) if not brush.light.is_dark else (0.85, 0.88, 0.95)
    for k in range(13):
        y = top + 3 + (ground.height - top) * (k / 13) ** 1.25
        half = (3 + 0.9 * k) * rng.uniform(0.5, 1.2)
        path = skia.Path.Oval(
            skia.Rect.MakeLTRB(float(x - half + rng.normal() * 2), float(y), float(x + half), float(y + 1.6 + 0.1 * k))
        )
        brush.flat(path, warm, 0.7 * (0.5 if brush.hand.is_ink else 1.0))


def paint_shore(brush: Brush, ground: Ground, colour: Rgb) -> None:
    line = ridge(brush, ground, ground.floor - 0.035 * ground.height, 0.012 * ground.height)
    fill_below(brush, ground, line, colour)
    paint_tufts(brush, ground, ground.floor, darker(colour, 0.25), 18)


def paint_tufts(brush: Brush, ground: Ground, top: float, colour: Rgb, count: int) -> None:
    rng = brush.rng
    for _ in range(count):
        x, y = rng.uniform(0, ground.width), rng.uniform(top, ground.height)
        tall = 2 + 6 * (y - top) / max(1.0, ground.height - top)
        brush.line([(x - 2, y), (x - 3, y - tall)], colour, 1.1)
        brush.line([(x, y), (x + 1, y - 1.3 * tall)], colour, 1.1)


def mirror(brush: Brush, ground: Ground) -> None:
    """Reflect what stands above the horizon in still water, darker and rippled."""
    surface = brush.canvas.getSurface()
    picture = surface.makeImageSnapshot()
    canvas = brush.canvas
    canvas.save()
    canvas.clipRect(skia.Rect.MakeLTRB(0, ground.horizon, ground.width, ground.height))
    canvas.translate(0, 2 * ground.horizon)
    canvas.scale(1, -1)
    canvas.drawImage(picture, 0, 0)
    canvas.restore()
    tint = brush.light.water
    brush.wash(ground.horizon, ground.height, (tint, tint), (0.30, 0.72))
    rng, depth = brush.rng, ground.height - ground.horizon
    for _ in range(18):
        share = float(rng.random())
        y, x, half = ground.horizon + 2 + share * depth, rng.uniform(0, ground.width), 6 + 22 * share
        brush.line([(x - half, y), (x + half, y)], unlit(brush, lighter(brush.light.sky[2], 0.2)), 0.6 + share, 0.45)


def paint_fir(brush: Brush, foot: Point, tall: float, colour: Rgb) -> None:
    x, y = foot
    brush.box((x - 0.04 * tall, y - 0.15 * tall), (x + 0.04 * tall, y), (0.32, 0.22, 0.15))
    for k in range(3):
        low, top, half = y - (0.10 + 0.24 * k) * tall, y - (0.52 + 0.24 * k) * tall, (0.27 - 0.06 * k) * tall
        brush.poly([(x - half, low), (x, top), (x + half, low)], lighter(colour, 0.05 * k))

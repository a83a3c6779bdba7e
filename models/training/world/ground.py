"""Where things are, and what several lands are made of: ridges, peaks, water, glitter, tufts, firs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, Point, curve, oval_path
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


def unlit(brush: Brush, colour: Rgb) -> Rgb:
    """The colour that becomes this one under the light."""
    ambient = brush.light.ambient
    return (min(1.0, colour[0] / ambient[0]), min(1.0, colour[1] / ambient[1]), min(1.0, colour[2] / ambient[2]))


def hazed(brush: Brush, colour: Rgb, share: float) -> Rgb:
    """Air between us and a far thing; the light is applied later, so it is taken out first."""
    return mixed(colour, unlit(brush, brush.light.haze), share)


def paint_peaks(brush: Brush, ground: Ground, height: float, colour: Rgb, *, has_snow: bool) -> None:
    """Two to four mountains whose side away from the light lies in shadow."""
    rng, count = brush.rng, int(brush.rng.integers(2, 5))
    foot = ground.horizon + 4
    for k in rng.permutation(count):
        x = float((k + rng.uniform(0.2, 0.8)) * ground.width / count)
        tall, wide = float(height * rng.uniform(0.62, 1.12)), float(ground.width * rng.uniform(0.24, 0.40))
        top, notch = ground.horizon - tall, wide * float(rng.uniform(0.3, 0.5))
        left, right = (x - wide, foot), (x + wide, foot)
        brush.poly([(x, top), (x + notch, top + 0.42 * tall), right, left, (x - notch, top + 0.36 * tall)], colour)
        crest = [
            (x, top),
            (x - 0.05 * wide, top + 0.3 * tall),
            (x + 0.08 * wide, top + 0.55 * tall),
            (x - 0.02 * wide, foot),
        ]
        dark = [right, (x + notch, top + 0.42 * tall)] if brush.side < 0 else [left, (x - notch, top + 0.36 * tall)]
        brush.poly([*crest, *dark], darker(colour, 0.24))
        if has_snow:
            _snow_cap(brush, (x, top), (notch, 0.42 * tall))


def _snow_cap(brush: Brush, top: Point, extent: Point) -> None:
    (x, y), (half, deep), cap = top, extent, 0.62
    edge = [
        (x + half * cap * t, y + deep * cap * (0.94 + (0.34 if k % 2 else -0.22)))
        for k, t in enumerate((0.55, 0.1, -0.4))
    ]
    right, left = (x + half * cap, y + deep * cap), (x - half * cap, y + 0.86 * deep * cap)
    brush.poly([top, right, *edge, left], hazed(brush, (0.97, 0.98, 1.0), 0.06))
    shade = [top, right, *edge[:2]] if brush.side < 0 else [top, edge[1], edge[2], left]
    brush.poly(shade, hazed(brush, (0.76, 0.82, 0.93), 0.10))


def paint_water(brush: Brush, ground: Ground, top: float, colour: Rgb) -> None:
    """Water that mirrors the low sky far away and deepens towards us, with waves."""
    light, rng = brush.light, brush.rng
    brush.wash(top, ground.height, (mixed(colour, light.sky[2], 0.5), colour, darker(colour, 0.28)), (1, 1, 1))
    depth = ground.height - top
    for share, shift in zip((rng.random(34) ** 1.5).tolist(), rng.random(34).tolist(), strict=True):
        y, x, half = top + 2 + share * depth, shift * ground.width, 4 + 18 * share
        shade = lighter(colour, 0.30) if rng.random() < 0.6 else darker(colour, 0.22)
        wave = curve((x - half, y), (x, y - 1.5 - 1.5 * share, x + half, y), (x, y + 0.6 + share, x - half, y))
        brush.flat(wave, brush.tone(shade), 0.7)


def paint_glitter(brush: Brush, ground: Ground, top: float) -> None:
    """The path of light that sun or moon lay on the water."""
    rng, x = brush.rng, ground.sun[0]
    warm = lighter(brush.light.sky[2], 0.5) if not brush.light.is_dark else (0.85, 0.88, 0.95)
    path = skia.Path()
    for k in range(15):
        y = top + 2 + (ground.height - top) * (k / 15) ** 1.25
        half = (3 + 1.0 * k) * float(rng.uniform(0.5, 1.2))
        path.addPath(oval_path((x + float(rng.normal()) * 2, y), (half, 0.8 + 0.06 * k)))
    brush.flat(path, warm, 0.7 * (0.5 if brush.hand.is_ink else 1.0))


def paint_shore(brush: Brush, ground: Ground, colour: Rgb) -> None:
    """Dry land in front."""
    line = ridge(brush, ground, ground.floor - 0.035 * ground.height, 0.012 * ground.height)
    fill_below(brush, ground, line, colour)
    paint_tufts(brush, ground, ground.floor, darker(colour, 0.25), 18)


def paint_tufts(brush: Brush, ground: Ground, top: float, colour: Rgb, count: int) -> None:
    """Blades of grass, longer towards us."""
    xs, ys = brush.rng.uniform(0, ground.width, count), brush.rng.uniform(top, ground.height, count)
    path = skia.Path()
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        tall = 2 + 7 * (y - top) / max(1.0, ground.height - top)
        for root, tip, share in ((-2, -3.5, 1.0), (0, 1, 1.4), (1, 3.5, 0.9)):
            path.moveTo(x + root, y)
            path.lineTo(x + tip, y - share * tall)
    brush.stroke(path, colour, 1.1)


def paint_stones(brush: Brush, ground: Ground, top: float, colour: Rgb, count: int) -> None:
    """Stones with a lit top."""
    rng = brush.rng
    for _ in range(count):
        x, y = float(rng.uniform(0, ground.width)), float(rng.uniform(top, ground.height))
        size = 2 + 6 * (y - top) / max(1.0, ground.height - top) * float(rng.uniform(0.5, 1.2))
        brush.oval((x, y), (1.5 * size, size), darker(colour, 0.2))
        brush.oval((x + 0.3 * brush.side * size, y - 0.3 * size), (size, 0.6 * size), lighter(colour, 0.15))


def mirror(brush: Brush, ground: Ground) -> None:
    """Reflect what stands above the horizon in still water, darker and rippled."""
    canvas, picture = brush.canvas, brush.canvas.getSurface().makeImageSnapshot()
    canvas.save()
    canvas.clipRect(skia.Rect.MakeLTRB(0, ground.horizon, ground.width, ground.height))
    canvas.translate(0, 2 * ground.horizon)
    canvas.scale(1, -1)
    canvas.drawImage(picture, 0, 0)
    canvas.restore()
    tint = brush.light.water
    brush.wash(ground.horizon, ground.height, (tint, tint), (0.22, 0.70))
    rng, depth = brush.rng, ground.height - ground.horizon
    for share, shift in zip(rng.random(22).tolist(), rng.random(22).tolist(), strict=True):
        y, x, half = ground.horizon + 2 + share * depth, shift * ground.width, 6 + 24 * share
        brush.flat(oval_path((x, y), (half, 0.5 + share)), brush.tone(lighter(brush.light.sky[2], 0.2)), 0.40)


def paint_fir(brush: Brush, foot: Point, tall: float, colour: Rgb) -> None:
    """A fir of three tiers, darker on the side away from the light."""
    x, y = foot
    brush.box((x - 0.04 * tall, y - 0.15 * tall), (x + 0.04 * tall, y), (0.32, 0.22, 0.15))
    for k in range(3):
        low, top, half = y - (0.10 + 0.24 * k) * tall, y - (0.52 + 0.24 * k) * tall, (0.27 - 0.06 * k) * tall
        tone = lighter(colour, 0.05 * k)
        brush.poly([(x - half, low), (x, top), (x + half, low)], tone)
        if tall > 30 and not brush.hand.is_neon:
            brush.poly([(x - brush.side * half, low), (x, top), (x - 0.1 * half, low)], darker(tone, 0.22))

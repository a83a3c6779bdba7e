"""Sky, sun, moon, stars, clouds, and what falls from them."""

from __future__ import annotations

import math
from typing import Final

import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, oval_path, polygon
from models.training.world.hands import packed
from models.training.world.palette import Rgb, mixed
from models.training.world.scene import Scene

_DISCS: Final[dict[str, tuple[Rgb, float, float]]] = {
    "day": ((1.0, 0.95, 0.66), 0.048, 0.26),
    "dawn": ((1.0, 0.97, 0.86), 0.050, 0.42),
    "sunset": ((1.0, 0.84, 0.40), 0.080, 0.55),
    "night": ((0.97, 0.96, 0.88), 0.052, 0.22),
}
"""Colour of sun or moon, its radius and that of its halo, as shares of the shorter side."""
_HEIGHTS: Final = {"day": (0.14, 0.38), "dawn": (0.66, 0.88), "sunset": (0.74, 0.97), "night": (0.16, 0.42)}


def paint_sky(brush: Brush, scene: Scene, horizon: float) -> tuple[float, float]:
    """Paint everything above the horizon that is not land.

    Returns:
        Where the sun or the moon stands, in pixels: reflections need it.
    """
    light = brush.light
    brush.wash(0, horizon + 2, light.sky, (1.0, 1.0, 1.0))
    brush.wash(horizon, scene.height, (light.sky[2], light.sky[1]), (1.0, 1.0))
    if light.is_dark:
        _stars(brush, scene, horizon)
    place = _celestial(brush, scene, horizon)
    brush.side = -1.0 if place[0] < scene.width / 2 else 1.0
    if scene.weather == "clear" and scene.time in {"dawn", "sunset"}:
        _streaks(brush, scene, horizon)
        _rays(brush, place, scene)
    _clouds(brush, scene, horizon)
    return place


def _celestial(brush: Brush, scene: Scene, horizon: float) -> tuple[float, float]:
    rng, size = brush.rng, min(scene.width, scene.height)
    x = float(scene.width * (rng.uniform(0.10, 0.34) if rng.random() < 0.5 else rng.uniform(0.66, 0.90)))
    low, high = _HEIGHTS[scene.time]
    y = float(horizon * rng.uniform(low, high))
    if scene.weather == "storm":
        return x, y
    colour, radius, halo = _DISCS[scene.time]
    veil = 1.0 if scene.weather == "clear" else 0.55
    brush.glow((x, y), halo * size, colour, 0.75 * veil)
    radius *= size
    if scene.time == "night" and rng.random() < 0.3:
        disc = skia.Op(
            oval_path((x, y), (radius, radius)),
            oval_path((x + 0.5 * radius, y - 0.25 * radius), (radius, radius)),
            skia.PathOp.kDifference_PathOp,
        )
        brush.flat(disc, colour, veil)
        return x, y
    brush.flat(oval_path((x, y), (radius, radius)), colour, veil)
    if scene.time == "night":
        for dx, dy, share in ((-0.3, -0.2, 0.22), (0.25, 0.15, 0.28), (-0.1, 0.45, 0.16)):
            spot = oval_path((x + dx * radius, y + dy * radius), (share * radius, share * radius))
            brush.flat(spot, (0.82, 0.82, 0.76), veil)
    return x, y


def _stars(brush: Brush, scene: Scene, horizon: float) -> None:
    rng = brush.rng
    if scene.weather == "clear":
        brush.canvas.save()
        brush.canvas.translate(scene.width * float(rng.uniform(0.2, 0.8)), horizon * 0.35)
        brush.canvas.rotate(float(rng.uniform(-60, 60)))
        brush.canvas.scale(1.0, 0.22)
        brush.glow((0.0, 0.0), 0.8 * max(scene.width, scene.height), (0.42, 0.40, 0.72), 0.30)
        brush.canvas.restore()
    count = 80 if scene.weather == "clear" else 12
    xs, ys = rng.uniform(0, scene.width, count), rng.uniform(0, horizon * 0.92, count)
    sizes, alphas = rng.uniform(0.4, 1.25, count), rng.uniform(0.4, 1.0, count)
    for x, y, size, alpha in zip(xs.tolist(), ys.tolist(), sizes.tolist(), alphas.tolist(), strict=True):
        brush.flat(oval_path((x, y), (size, size)), (1.0, 1.0, 0.94), alpha)


def _rays(brush: Brush, place: tuple[float, float], scene: Scene) -> None:
    """Broad beams from a low sun."""
    if brush.hand.is_ink or brush.rng.random() < 0.4:
        return
    x, y = place
    reach = float(max(scene.width, scene.height))
    path = skia.Path()
    for angle in brush.rng.uniform(-2.9, -0.25, 5).tolist():
        sides = [(x + reach * math.cos(turn), y + reach * math.sin(turn)) for turn in (angle, angle + 0.09)]
        path.addPath(polygon([(x, y), *sides]))
    colours = [packed((1.0, 0.94, 0.74), 0.30), packed((1.0, 0.94, 0.74), 0.0)]
    shader = skia.GradientShader.MakeRadial(skia.Point(x, y), 0.75 * reach, colours)
    brush.canvas.drawPath(path, skia.Paint(AntiAlias=True, Shader=shader))


def _streaks(brush: Brush, scene: Scene, horizon: float) -> None:
    """Long thin clouds that a low sun lights from below."""
    rng = brush.rng
    for _ in range(int(rng.integers(3, 9))):
        x, y = float(rng.uniform(0, scene.width)), float(horizon * rng.uniform(0.15, 0.92))
        long, thin = float(scene.width * rng.uniform(0.12, 0.36)), float(rng.uniform(1.2, 4.0))
        colour = mixed(brush.light.cloud, brush.light.shade, float(rng.uniform(0, 1)) * (1.0 - y / horizon))
        brush.flat(oval_path((x, y), (long, thin)), brush.tone(colour), 0.55)


def _clouds(brush: Brush, scene: Scene, horizon: float) -> None:
    rng = brush.rng
    count = {"clear": int(rng.integers(0, 4)), "fog": 1, "snowfall": 3, "storm": 7}[scene.weather]
    stormy = scene.weather == "storm"
    for _ in range(count):
        x, y = float(rng.uniform(0, scene.width)), float(horizon * rng.uniform(0.08, 0.4 if stormy else 0.66))
        far = 1.15 - 0.6 * y / horizon
        _cloud(brush, (x, y), scene.width * float(rng.uniform(0.11, 0.22)) * far * (1.7 if stormy else 1.0))


def _cloud(brush: Brush, centre: tuple[float, float], width: float) -> None:
    """Puffs on a flat ground: shaded below, lit above."""
    rng, (x, y) = brush.rng, centre
    puffs = []
    for k in range(-3, 4):
        radius = width * (0.36 - 0.075 * abs(k)) * float(rng.uniform(0.8, 1.2))
        puffs.append((x + 0.30 * k * width, y - 0.35 * radius, radius))
    alpha = 0.55 if brush.hand.is_neon else 0.88
    for shift, shrink, colour in ((0.0, 1.0, brush.light.shade), (-0.16, 0.84, brush.light.cloud)):
        path = skia.Path()
        path.setFillType(skia.PathFillType.kWinding)
        for px, py, radius in puffs:
            path.addPath(
                oval_path(
                    (px + brush.side * 0.06 * width, py + shift * radius),
                    (shrink * radius * 1.25, shrink * radius * 0.82),
                )
            )
        brush.canvas.save()
        brush.canvas.clipRect(skia.Rect.MakeLTRB(-99, -99, 9999, y + 0.12 * width), skia.ClipOp.kIntersect, True)
        brush.flat(path, brush.tone(colour), alpha)
        brush.canvas.restore()


def paint_weather(brush: Brush, scene: Scene, horizon: float) -> None:
    """What lies before the subjects: veils of fog, snowflakes, rain."""
    size = min(scene.width, scene.height)
    if scene.weather == "fog":
        haze = brush.light.haze
        brush.wash(horizon - 0.25 * size, horizon + 0.3 * size, (haze, haze, haze), (0.0, 0.55, 0.0))
        brush.wash(horizon, scene.height, (haze, haze), (0.2, 0.35))
    if scene.weather == "snowfall":
        _snowflakes(brush, scene)
    if scene.weather == "storm":
        _rain(brush, scene)


def _snowflakes(brush: Brush, scene: Scene) -> None:
    rng = brush.rng
    rows = zip(
        rng.uniform(0, scene.width, 110).tolist(),
        rng.uniform(0, scene.height, 110).tolist(),
        rng.uniform(0.7, 2.6, 110).tolist(),
        strict=True,
    )
    colour = (0.62, 0.68, 0.78) if brush.hand.is_ink and not brush.light.is_dark else (1.0, 1.0, 1.0)
    for x, y, radius in rows:
        brush.flat(oval_path((x, y), (radius, radius)), colour, 0.92 - 0.12 * radius)


def _rain(brush: Brush, scene: Scene) -> None:
    rng, path = brush.rng, skia.Path()
    for _ in range(85):
        x, y, length = (
            float(rng.uniform(0, scene.width)),
            float(rng.uniform(0, scene.height)),
            float(rng.uniform(8, 20)),
        )
        path.moveTo(x, y)
        path.lineTo(x - 0.3 * length, y + length)
    brush.stroke(path, (0.85, 0.9, 1.0), 0.9, 0.5)


def paint_bolt(brush: Brush, scene: Scene, horizon: float) -> None:
    """A flash of lightning behind the land, two storms out of three."""
    rng = brush.rng
    if scene.weather != "storm" or rng.random() > 0.66:
        return
    x, y = float(rng.uniform(0.15, 0.85) * scene.width), 0.12 * horizon
    points = [(x, y)]
    while y < horizon * 0.95:
        x, y = x + float(rng.normal()) * 9, y + float(rng.uniform(9, 18))
        points.append((x, y))
    brush.glow(points[0], 0.35 * scene.width, (0.85, 0.85, 1.0), 0.55)
    fork = len(points) // 2
    branch = [points[fork], (points[fork][0] + 14, points[fork][1] + 14), (points[fork][0] + 19, points[fork][1] + 34)]
    for line, width in ((points, 2.3), (branch, 1.3)):
        paint = skia.Paint(
            AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width, Color=skia.Color(255, 252, 225)
        )
        brush.canvas.drawPath(polygon(line, is_closed=False), paint)

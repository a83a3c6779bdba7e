"""Sky, sun, moon, stars, clouds, and what falls from them."""

from __future__ import annotations

import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush
from models.training.world.palette import Rgb, lighter, mixed
from models.training.world.scene import Scene


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
    _clouds(brush, scene, horizon)
    return place


def _celestial(brush: Brush, scene: Scene, horizon: float) -> tuple[float, float]:
    rng, size = brush.rng, min(scene.width, scene.height)
    x = float(scene.width * (rng.uniform(0.10, 0.32) if rng.random() < 0.5 else rng.uniform(0.68, 0.90)))
    heights = {"day": (0.12, 0.36), "dawn": (0.66, 0.86), "sunset": (0.76, 0.96), "night": (0.16, 0.40)}
    low, high = heights[scene.time]
    y = float(horizon * rng.uniform(low, high))
    if scene.weather == "storm":
        return x, y
    discs: dict[str, tuple[Rgb, float, float]] = {
        "day": ((1.0, 0.95, 0.62), 0.050, 0.22),
        "dawn": ((1.0, 0.96, 0.84), 0.045, 0.30),
        "sunset": ((1.0, 0.83, 0.36), 0.085, 0.46),
        "night": ((0.96, 0.96, 0.88), 0.055, 0.17),
    }
    colour, radius, halo = discs[scene.time]
    veil = 1.0 if scene.weather == "clear" else 0.55
    brush.glow((x, y), halo * size, colour, 0.65 * veil)
    disc = skia.Path.Circle(x, y, radius * size)
    brush.flat(disc, colour, veil)
    if scene.time == "night":
        for dx, dy, share in ((-0.3, -0.2, 0.22), (0.25, 0.15, 0.28), (-0.1, 0.45, 0.16)):
            crater = skia.Path.Circle(x + dx * radius * size, y + dy * radius * size, share * radius * size)
            brush.flat(crater, (0.80, 0.80, 0.74), veil)
    return x, y


def _stars(brush: Brush, scene: Scene, horizon: float) -> None:
    count = 55 if scene.weather == "clear" else 12
    for _ in range(count):
        x, y = brush.rng.uniform(0, scene.width), brush.rng.uniform(0, horizon * 0.9)
        radius = brush.rng.uniform(0.5, 1.3)
        brush.flat(
            skia.Path.Circle(float(x), float(y), float(radius)), (1.0, 1.0, 0.95), float(brush.rng.uniform(0.5, 1.0))
        )


def _clouds(brush: Brush, scene: Scene, horizon: float) -> None:
    rng = brush.rng
    count = {"clear": int(rng.integers(0, 4)), "fog": 1, "snowfall": 3, "storm": 7}[scene.weather]
    for _ in range(count):
        x, y = rng.uniform(0, scene.width), horizon * rng.uniform(0.06, 0.6 if scene.weather != "storm" else 0.4)
        width = scene.width * rng.uniform(0.10, 0.20) * (1.7 if scene.weather == "storm" else 1.0)
        colour = _cloud_colour(brush, scene)
        path = skia.Path()
        for k in range(5):
            shift, radius = (k - 2) * width * 0.42, width * (0.34 - 0.09 * abs(k - 2)) * rng.uniform(0.85, 1.2)
            path.addOval(
                skia.Rect.MakeLTRB(
                    float(x + shift - radius * 1.3),
                    float(y - radius),
                    float(x + shift + radius * 1.3),
                    float(y + radius * 0.55),
                )
            )
        alpha = 0.9 if scene.weather == "storm" else 0.8
        brush.flat(path, colour, alpha * (0.5 if brush.hand.is_neon else 1.0))


def _cloud_colour(brush: Brush, scene: Scene) -> Rgb:
    light = brush.light
    if scene.weather == "storm":
        colour = mixed(light.sky[0], (0.16, 0.17, 0.22), 0.55)
    elif light.is_dark:
        colour = lighter(light.sky[1], 0.12)
    elif scene.time == "sunset":
        colour = (0.98, 0.58, 0.46)
    elif scene.time == "dawn":
        colour = (1.0, 0.90, 0.90)
    else:
        colour = (1.0, 1.0, 1.0)
    if brush.hand.is_ink:
        return mixed((0.97, 0.95, 0.90), colour, 0.6)
    return mixed((0.1, 0.03, 0.2), colour, 0.5) if brush.hand.is_neon else colour


def paint_weather(brush: Brush, scene: Scene, horizon: float) -> None:
    """What lies before the subjects: veils of fog, snowflakes, rain and a bolt."""
    rng, size = brush.rng, min(scene.width, scene.height)
    if scene.weather == "fog":
        haze = brush.light.haze
        brush.wash(horizon - 0.25 * size, horizon + 0.3 * size, (haze, haze, haze), (0.0, 0.55, 0.0))
        brush.wash(horizon, scene.height, (haze, haze), (0.2, 0.35))
    if scene.weather == "snowfall":
        for _ in range(110):
            x, y = rng.uniform(0, scene.width), rng.uniform(0, scene.height)
            brush.flat(skia.Path.Circle(float(x), float(y), float(rng.uniform(0.8, 2.4))), (1.0, 1.0, 1.0), 0.9)
    if scene.weather == "storm":
        for _ in range(70):
            x, y, length = rng.uniform(0, scene.width), rng.uniform(0, scene.height), rng.uniform(8, 18)
            brush.line([(x, y), (x - 0.3 * length, y + length)], (0.85, 0.9, 1.0), 0.9, 0.5)


def paint_bolt(brush: Brush, scene: Scene, horizon: float) -> None:
    """A flash of lightning behind the land, two storms out of three."""
    rng = brush.rng
    if scene.weather != "storm" or rng.random() > 0.66:
        return
    x, y = rng.uniform(0.15, 0.85) * scene.width, 0.12 * horizon
    points = [(float(x), float(y))]
    while y < horizon * 0.9:
        x, y = x + rng.normal() * 9, y + rng.uniform(10, 20)
        points.append((float(x), float(y)))
    brush.glow(points[0], 0.3 * scene.width, (0.85, 0.85, 1.0), 0.5)
    path = skia.Path()
    path.addPoly([skia.Point(*point) for point in points], False)
    brush.canvas.drawPath(
        path,
        skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=2.2, Color=skia.Color(255, 252, 225)),
    )

"""Put a scene on canvas: sky, land, subjects, weather, then the finish of its style."""

from __future__ import annotations

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.brush import HANDS, Brush
from models.training.world.ground import Ground
from models.training.world.lands import paint_land
from models.training.world.palette import LIGHTS, weathered
from models.training.world.scene import FLYING, WATER, Scene, Thing
from models.training.world.sky import paint_bolt, paint_sky, paint_weather
from models.training.world.styles import finished
from models.training.world.subjects import SHARES, paint_subject


def painted(scene: Scene) -> np.ndarray:
    """Paint a scene.

    Returns:
        (height, width, 3) uint8, red green blue. Equal scenes give equal pixels.
    """
    rng = np.random.default_rng(scene.seed)
    surface = skia.Surface(scene.width, scene.height)
    light = weathered(LIGHTS[scene.time], scene.weather)
    brush = Brush(surface.getCanvas(), light, HANDS[scene.style], rng)
    horizon = float(scene.height * rng.uniform(0.52, 0.66))
    sun = paint_sky(brush, scene, horizon)
    paint_bolt(brush, scene, horizon)
    ground = _ground(scene, horizon, sun)
    paint_land(brush, scene, ground)
    if scene.style == "photographic":
        _blur(surface, 1.6)
    for thing in scene.things:
        _place(brush, scene, ground, thing)
    paint_weather(brush, scene, horizon)
    return finished(_pixels(surface), scene, rng)


def _ground(scene: Scene, horizon: float, sun: tuple[float, float]) -> Ground:
    stands = any(thing.kind not in FLYING and thing.kind != "boat" for thing in scene.things)
    return Ground(
        width=scene.width,
        height=scene.height,
        horizon=horizon,
        floor=0.86 * scene.height,
        sun=sun,
        shore=stands and scene.land in WATER,
    )


def _place(brush: Brush, scene: Scene, ground: Ground, thing: Thing) -> None:
    extent = min(scene.width * 1.15, scene.height)
    height = thing.size * extent * SHARES.get(thing.kind, 1.0)
    x = thing.x * scene.width
    if thing.kind in FLYING:
        foot = (x, min(0.74 * scene.height, height + scene.height * float(brush.rng.uniform(0.05, 0.14))))
    elif thing.kind == "boat":
        level = 0.80 if not ground.shore else 0.76
        foot = (x, scene.height * level if scene.land != "beach" else ground.horizon + 0.11 * scene.height)
        _reflect(brush, scene, thing, foot, height)
    else:
        foot = (x, ground.floor + scene.height * float(brush.rng.uniform(0.01, 0.05)))
        _shadow(brush, foot, height)
    paint_subject(brush, thing.kind, thing.colour, foot, height)


def _shadow(brush: Brush, foot: tuple[float, float], height: float) -> None:
    path = skia.Path.Oval(
        skia.Rect.MakeLTRB(
            foot[0] - 0.42 * height, foot[1] - 0.035 * height, foot[0] + 0.52 * height, foot[1] + 0.045 * height
        )
    )
    brush.flat(path, (0.0, 0.0, 0.05), 0.28)


def _reflect(brush: Brush, scene: Scene, thing: Thing, foot: tuple[float, float], height: float) -> None:
    """The boat upside down in the water, faint."""
    canvas = brush.canvas
    canvas.saveLayerAlpha(skia.Rect.MakeLTRB(0, foot[1], scene.width, scene.height), 105)
    canvas.clipRect(skia.Rect.MakeLTRB(0, foot[1], scene.width, scene.height))
    canvas.translate(0, 2 * foot[1] + 2)
    canvas.scale(1, -1)
    paint_subject(brush, thing.kind, thing.colour, foot, height)
    canvas.restore()


def _blur(surface: skia.Surface, sigma: float) -> None:
    picture = surface.makeImageSnapshot()
    paint = skia.Paint(ImageFilter=skia.ImageFilters.Blur(sigma, sigma, skia.TileMode.kClamp))
    surface.getCanvas().drawImage(picture, 0, 0, skia.SamplingOptions(), paint)


def _pixels(surface: skia.Surface) -> np.ndarray:
    return np.ascontiguousarray(surface.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3])

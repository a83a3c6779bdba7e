"""Put a scene on canvas: sky, land, subjects, weather, then the finish of its style."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, Point, oval_path
from models.training.world.ground import Ground
from models.training.world.hands import HANDS, facet_mesh
from models.training.world.isometric import paint_diorama
from models.training.world.lands import paint_land
from models.training.world.palette import COLOUR_RGB, LIGHTS, Light, weathered
from models.training.world.scene import AFLOAT, FLYING, INDOORS, WATER, Scene, Thing
from models.training.world.sky import paint_bolt, paint_sky, paint_weather
from models.training.world.styles import BACKGROUND_BLUR, finished
from models.training.world.subjects import HALF_WIDTHS, SHARES, paint_subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One subject's place on the canvas, in pixels: its foot and its height."""

    kind: str
    colour: str
    foot: Point
    height: float


def painted(scene: Scene) -> np.ndarray:
    """Paint a scene.

    Returns:
        (height, width, 3) uint8, red green blue. Equal scenes give equal pixels.
    """
    rng = np.random.default_rng(scene.seed)
    surface = skia.Surface(scene.width, scene.height)
    brush = Brush(surface.getCanvas(), _light(scene), HANDS[scene.style], rng)
    horizon = float(scene.height * rng.uniform(0.48, 0.66))
    if scene.style == "isometric":
        brush.side = float(rng.choice((-1.0, 1.0)))
        paint_diorama(brush, scene)
        return finished(_pixels(surface), scene, rng)
    sun = paint_sky(brush, scene, horizon)
    paint_bolt(brush, scene, horizon)
    ground = _ground(scene, horizon, sun)
    paint_land(brush, scene, ground)
    _settle(brush, scene, surface, horizon)
    for stand in stands(scene, ground, rng):
        _place(brush, scene, stand, ground)
    paint_weather(brush, scene, horizon)
    return finished(_pixels(surface), scene, rng)


def stands(scene: Scene, ground: Ground, rng: np.random.Generator) -> list[Stand]:
    """Where each subject stands, those behind first."""
    found: list[Stand] = []
    for index, thing in enumerate(scene.things):
        slot = scene.width * (0.92 / thing.count if len(scene.things) == 1 else 0.50)
        height = thing.size * min(scene.width * 1.15, scene.height) * SHARES.get(thing.kind, 1.0)
        height = min(height, slot / (2.0 * HALF_WIDTHS[thing.kind]))
        for k in range(thing.count):
            margin = min(0.5, HALF_WIDTHS[thing.kind] * height / scene.width)
            x = (
                float(np.clip(thing.x, margin, 1.0 - margin))
                if thing.count == 1
                else 0.5 + (k - (thing.count - 1) / 2) * 0.92 / thing.count
            )
            foot = (x * scene.width, _level(scene, ground, thing, height, rng) + scene.height * 0.035 * (k % 2))
            found.append(Stand(kind=thing.kind, colour=thing.colour, foot=foot, height=height))
        if scene.relation == "behind":
            found[index] = replace(
                found[index], foot=(found[index].foot[0], ground.floor + (0.07 if index else -0.05) * scene.height)
            )
    if scene.relation == "above":
        below = found[1]
        found[0] = replace(found[0], foot=(found[0].foot[0], below.foot[1] - below.height - 0.04 * scene.height))
    return found


def _light(scene: Scene) -> Light:
    light = weathered(LIGHTS[scene.time], scene.weather)
    if scene.land == "table":
        lit = (light.ambient[0] * 0.4 + 0.6, light.ambient[1] * 0.4 + 0.56, light.ambient[2] * 0.4 + 0.48)
        return replace(light, ambient=lit if light.is_dark else light.ambient)
    return light


def _ground(scene: Scene, horizon: float, sun: Point) -> Ground:
    needs_land = any(thing.kind not in FLYING | AFLOAT | {"bridge"} for thing in scene.things)
    return Ground(
        width=scene.width,
        height=scene.height,
        horizon=horizon,
        floor=(0.80 if scene.style == "cinematic" else 0.86) * scene.height,
        sun=sun,
        shore=needs_land and scene.land in WATER,
    )


def _level(scene: Scene, ground: Ground, thing: Thing, height: float, rng: np.random.Generator) -> float:
    """Where the foot of a thing is, in pixels from the top."""
    if thing.kind in FLYING:
        margin = 0.10 if scene.style == "cinematic" else 0.06
        return min(0.76 * scene.height, height + scene.height * (margin + float(rng.uniform(0.0, 0.10))))
    if thing.kind in AFLOAT or (thing.kind == "bridge" and scene.land in WATER):
        return (
            ground.horizon + 0.11 * scene.height
            if scene.land == "beach"
            else scene.height * (0.76 if ground.shore else 0.80)
        )
    return ground.floor + scene.height * float(rng.uniform(0.01, 0.05))


def _settle(brush: Brush, scene: Scene, surface: skia.Surface, horizon: float) -> None:
    """What a style does to the ground before subjects stand on it."""
    if blur := BACKGROUND_BLUR.get(scene.style):
        picture = surface.makeImageSnapshot()
        paint = skia.Paint(ImageFilter=skia.ImageFilters.Blur(blur, blur, skia.TileMode.kClamp))
        brush.canvas.drawImage(picture, 0, 0, skia.SamplingOptions(), paint)
    if scene.style == "low-poly":
        brush.canvas.save()
        brush.canvas.scale(scene.width, scene.height)
        mesh = facet_mesh(scene.width // 24, scene.height // 24, brush.side > 0)
        brush.canvas.drawVertices(mesh, skia.Paint(BlendMode=skia.BlendMode.kSoftLight), skia.BlendMode.kDst)
        brush.canvas.restore()
    if brush.hand.is_neon and scene.land not in {"city", *WATER, *INDOORS}:
        _neon_grid(brush, scene, horizon + 0.10 * scene.height)


def _neon_grid(brush: Brush, scene: Scene, top: float) -> None:
    path, middle = skia.Path(), scene.width / 2
    for k in range(-9, 10):
        path.moveTo(middle + k * 14, top)
        path.lineTo(middle + k * 60, scene.height)
    for k in range(7):
        y = top + (scene.height - top) * (k / 7) ** 1.8
        path.moveTo(0, y)
        path.lineTo(scene.width, y)
    brush.stroke(path, (0.85, 0.10, 0.75), 0.9, 0.55)


def _place(brush: Brush, scene: Scene, stand: Stand, ground: Ground) -> None:
    is_afloat = stand.kind == "boat" or (stand.kind == "bridge" and scene.land in WATER)
    if brush.hand.is_neon:
        under = (stand.foot[0], max(stand.foot[1], ground.floor) if stand.kind in FLYING else stand.foot[1])
        brush.glow(under, 0.75 * stand.height, COLOUR_RGB[stand.colour], 0.30)
    elif is_afloat:
        _reflect(brush, scene, stand)
    elif not brush.hand.is_ink and stand.kind not in AFLOAT:
        _shadow(brush, stand, ground)
    paint_subject(brush, stand.kind, stand.colour, stand.foot, stand.height)


def _shadow(brush: Brush, stand: Stand, ground: Ground) -> None:
    """A soft shadow away from the light; what flies throws a small one on the ground."""
    (x, y), half = stand.foot, HALF_WIDTHS[stand.kind] * stand.height
    lean = -0.22 * brush.side * stand.height
    if stand.kind in FLYING:
        brush.shadow(
            oval_path((x + lean, ground.floor + 0.04 * ground.height), (0.7 * half, 0.08 * half + 1.5)), 0.16, 3.0
        )
        return
    brush.shadow(
        oval_path((x + lean, y), (half + 0.10 * stand.height, 0.045 * stand.height)), 0.34, 0.03 * stand.height
    )
    brush.shadow(oval_path((x, y), (0.92 * half, 0.022 * stand.height)), 0.42, 0.012 * stand.height)


def _reflect(brush: Brush, scene: Scene, stand: Stand) -> None:
    """The subject upside down in the water, faint."""
    canvas, (x, y) = brush.canvas, stand.foot
    canvas.saveLayerAlpha(skia.Rect.MakeLTRB(0, y, scene.width, scene.height), 105)
    canvas.clipRect(skia.Rect.MakeLTRB(0, y, scene.width, scene.height))
    canvas.translate(0, 2 * y + 2)
    canvas.scale(1, -1)
    paint_subject(brush, stand.kind, stand.colour, (x, y), stand.height)
    canvas.restore()


def _pixels(surface: skia.Surface) -> np.ndarray:
    return np.ascontiguousarray(surface.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3])

"""The isometric style: a small tile of land in parallel projection, with subjects cut as if from blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, Point, oval_path, polygon
from models.training.world.ground import paint_fir, unlit
from models.training.world.hands import packed
from models.training.world.palette import Rgb, darker, lighter, mixed
from models.training.world.scene import AFLOAT, FLYING, WATER, Scene, Thing
from models.training.world.subjects import HALF_WIDTHS, SHARES, paint_subject

_TOPS: Final[dict[str, Rgb]] = {
    "sea": (0.10, 0.45, 0.68), "lake": (0.36, 0.56, 0.28), "mountains": (0.50, 0.54, 0.46), "hills": (0.44, 0.66, 0.28),
    "meadow": (0.50, 0.74, 0.30), "desert": (0.94, 0.74, 0.45), "forest": (0.24, 0.44, 0.22), "city": (0.46, 0.47, 0.50),
    "beach": (0.95, 0.84, 0.60), "snow": (0.94, 0.96, 1.0), "table": (0.66, 0.44, 0.26), "studio": (0.88, 0.88, 0.90),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A square seen from a corner: its middle, and half of its width in pixels (its height is half of that)."""

    middle: Point
    half: float

    def at(self, u: float, v: float) -> Point:
        """The pixel of a place on the tile; u runs right and down, v left and down, each from -1 to 1."""
        return (self.middle[0] + (u - v) * self.half / 2, self.middle[1] + (u + v) * self.half / 4)


def paint_diorama(brush: Brush, scene: Scene) -> None:
    """Backdrop, tile, what grows on it, subjects."""
    sky = brush.light.sky
    pale = 0.10 if brush.light.is_dark else 0.35
    brush.wash(0, scene.height, (lighter(sky[1], pale * 0.6), lighter(sky[2], pale)), (1.0, 1.0))
    tile = Tile(middle=(0.5 * scene.width, 0.66 * scene.height), half=min(0.46 * scene.width, 0.62 * scene.height))
    if brush.light.is_dark:
        _night(brush, scene)
    _paint_tile(brush, scene.land, tile)
    _props(brush, scene, tile)
    _subjects(brush, scene, tile)


def _night(brush: Brush, scene: Scene) -> None:
    xs, ys = brush.rng.uniform(0, scene.width, 30).tolist(), brush.rng.uniform(0, 0.5 * scene.height, 30).tolist()
    for x, y in zip(xs, ys, strict=True):
        brush.flat(oval_path((x, y), (0.9, 0.9)), (1.0, 1.0, 0.95), 0.8)
    brush.flat(oval_path((0.84 * scene.width, 0.14 * scene.height), (11, 11)), (0.97, 0.96, 0.88))


def _paint_tile(brush: Brush, land: str, tile: Tile) -> None:
    north, east, south, west = tile.at(-1, -1), tile.at(1, -1), tile.at(1, 1), tile.at(-1, 1)
    top, deep = _TOPS[land], 0.22 * tile.half
    earth = (0.50, 0.36, 0.25) if land not in {"sea", "city", "table", "studio", "snow"} else darker(top, 0.2)
    brush.shadow(
        oval_path((tile.middle[0], tile.middle[1] + 0.34 * tile.half + deep), (0.95 * tile.half, 0.34 * tile.half)),
        0.22,
        9.0,
    )
    for corner, other, dim in ((west, south, 0.12), (south, east, 0.34)):
        wall = [corner, other, (other[0], other[1] + deep), (corner[0], corner[1] + deep)]
        brush.poly(wall, darker(earth, dim))
        crust = [corner, other, (other[0], other[1] + 0.3 * deep), (corner[0], corner[1] + 0.3 * deep)]
        brush.poly(crust, darker(top, dim))
    brush.poly([north, east, south, west], top)


def _props(brush: Brush, scene: Scene, tile: Tile) -> None:
    """What grows or stands on the tile, behind the subjects."""
    if scene.land in WATER:
        _water(brush, scene, tile)
    if pattern := _PATTERNS.get(scene.land):
        pattern(brush, tile)
    if prop := _PROPS.get(scene.land):
        for u, v in sorted(brush.rng.uniform((-0.9, -0.9), (-0.35, 0.9), (7, 2)).tolist(), key=sum):
            prop(brush, tile.at(*((u, v) if brush.rng.random() < 0.5 else (v, u))), tile.half)


def _peaks(brush: Brush, tile: Tile) -> None:
    for u, v, tall in ((-0.75, -0.2, 0.62), (-0.6, -0.75, 0.8), (-0.1, -0.8, 0.55)):
        _peak(brush, tile.at(u, v), tile.half * tall)


def _petals(brush: Brush, tile: Tile) -> None:
    for u, v in brush.rng.uniform(-0.9, 0.9, (26, 2)).tolist():
        petal: Rgb = (0.99, 0.85, 0.35) if brush.rng.random() < 0.5 else (0.98, 0.96, 0.94)
        brush.flat(oval_path(tile.at(u, v), (1.6, 1.2)), brush.light.on(petal))


def _planks(brush: Brush, tile: Tile) -> None:
    for k in range(1, 6):
        brush.line([tile.at(-1, -1 + k / 3), tile.at(1, -1 + k / 3)], (0.50, 0.32, 0.18), 1.0)


def _fir(brush: Brush, foot: Point, size: float) -> None:
    paint_fir(brush, foot, size * float(brush.rng.uniform(0.22, 0.36)), (0.14, 0.40, 0.22))


def _building(brush: Brush, foot: Point, size: float) -> None:
    _block(brush, foot, size * 0.16, size * float(brush.rng.uniform(0.3, 0.6)))


def _bush(brush: Brush, foot: Point, size: float) -> None:
    brush.oval((foot[0], foot[1] - 0.05 * size), (0.075 * size, 0.085 * size), (0.24, 0.52, 0.22))


def _dune(brush: Brush, foot: Point, size: float) -> None:
    brush.oval(foot, (0.16 * size, 0.05 * size), (0.88, 0.66, 0.38))


_PROPS: Final[dict[str, Callable[[Brush, Point, float], None]]] = {
    "forest": _fir, "lake": _fir, "snow": _fir, "mountains": _fir, "city": _building, "hills": _bush, "meadow": _bush,
    "desert": _dune,
}  # fmt: skip


_PATTERNS: Final[dict[str, Callable[[Brush, Tile], None]]] = {
    "mountains": _peaks, "meadow": _petals, "hills": _petals, "table": _planks,
}  # fmt: skip


def _water(brush: Brush, scene: Scene, tile: Tile) -> None:
    """Water up to the shore's line, or all over where nothing needs land."""
    water, shore = mixed(brush.light.water, (0.16, 0.56, 0.76), 0.4), _shore(scene)
    far, side = (-0.85, 0.8) if scene.land == "lake" else (-1.0, 1.0)
    brush.flat(polygon([tile.at(far, -side), tile.at(shore, -side), tile.at(shore, side), tile.at(far, side)]), water)
    if shore < 1.0:
        brush.line([tile.at(shore, -side), tile.at(shore, side)], unlit(brush, (0.94, 0.97, 1.0)), 1.8)
    for u, v in brush.rng.uniform(0.08, 0.92, (18, 2)).tolist():
        spot = tile.at(far + u * (shore - far), 0.85 * side * (2 * v - 1))
        brush.flat(oval_path(spot, (5.0, 0.9)), lighter(water, 0.4), 0.7)


def _shore(scene: Scene) -> float:
    """How far the water reaches towards us, as u of the tile."""
    has_shore = any(thing.kind not in AFLOAT | FLYING for thing in scene.things)
    if scene.land == "beach":
        return 0.1
    if scene.land == "lake":
        return 0.15 if has_shore else 0.85
    return 0.0 if has_shore else 1.0


def _block(brush: Brush, foot: Point, half: float, tall: float) -> None:
    """A building: two walls and a roof."""
    (x, y), wall = foot, ((0.62, 0.64, 0.70), (0.72, 0.58, 0.50), (0.55, 0.62, 0.72))[int(brush.rng.integers(3))]
    left, right, front, back = (x - half, y - half / 2), (x + half, y - half / 2), (x, y), (x, y - half)
    raised = [(px, py - tall) for px, py in (left, front, right, back)]
    brush.poly([left, front, raised[1], raised[0]], darker(wall, 0.10))
    brush.poly([front, right, raised[2], raised[1]], darker(wall, 0.32))
    brush.poly(raised, lighter(wall, 0.15))
    lit: Rgb = (1.0, 0.85, 0.45) if brush.light.is_dark else (0.80, 0.90, 0.97)
    for k in range(int(tall // 9)):
        for share in (0.3, 0.7):
            px, py = x - half * share, y - half * share / 2 - 6 - 9 * k
            brush.flat(
                polygon([(px - 2, py - 4), (px + 1.5, py - 2.5), (px + 1.5, py + 1), (px - 2, py - 0.5)]), lit, 0.85
            )


def _peak(brush: Brush, foot: Point, tall: float) -> None:
    (x, y), rock = foot, (0.50, 0.51, 0.58)
    brush.poly([(x, y - tall), (x - 0.5 * tall, y), (x, y + 0.2 * tall)], rock)
    brush.poly([(x, y - tall), (x + 0.5 * tall, y), (x, y + 0.2 * tall)], darker(rock, 0.3))
    brush.poly(
        [(x, y - tall), (x - 0.16 * tall, y - 0.68 * tall), (x, y - 0.60 * tall), (x + 0.16 * tall, y - 0.68 * tall)],
        (0.97, 0.98, 1.0),
    )


def _subjects(brush: Brush, scene: Scene, tile: Tile) -> None:
    for index, thing in enumerate(scene.things):
        for k in range(thing.count):
            x, y = tile.at(*_standing(scene, index, k))
            height = _height(scene, thing, tile)
            if thing.kind in FLYING:
                brush.shadow(oval_path((x, y), (0.4 * height, 0.10 * height)), 0.25, 2.0)
                y -= (0.67 if scene.relation == "above" else 0.42) * tile.half
            _block_cut(brush, thing, (x, y), height)


def _standing(scene: Scene, index: int, k: int) -> Point:
    """Where on the tile the k-th of a thing stands, as u and v; on dry land or in the water as it needs."""
    thing = scene.things[index]
    shift = 0.8 * (k - (thing.count - 1) / 2) / max(1, thing.count - 1)
    places = {"left": ((-0.30, 0.55), (0.55, -0.30)), "behind": ((-0.15, -0.15), (0.50, 0.50))}
    u, v = places[scene.relation][index] if scene.relation in places else (0.15 + shift, 0.15 - shift)
    if scene.land not in WATER or _shore(scene) > 0.5:
        return u, v
    return (0.35 * u - 0.45, v) if thing.kind in AFLOAT else (0.3 * u + 0.5, v)


def _height(scene: Scene, thing: Thing, tile: Tile) -> float:
    is_alone = len(scene.things) == 1 and thing.count == 1
    room = 0.81 if is_alone else 0.47 if thing.count < 3 else 0.33
    height = SHARES.get(thing.kind, 1.0) * (0.7 + thing.size if is_alone else 0.8)
    return tile.half * min(height, room / HALF_WIDTHS[thing.kind], 1.2)


def _block_cut(brush: Brush, thing: Thing, foot: Point, height: float) -> None:
    """The subject sheared into the tile's left-hand plane and drawn out backwards, so that it has thickness."""
    half = round(HALF_WIDTHS[thing.kind] * height * 1.25) + 6
    layer = skia.Surface(2 * half, round(height * 1.25) + 40)
    across = Brush(layer.getCanvas(), brush.light, brush.hand, brush.rng)
    across.side = brush.side
    foot_row = layer.height() - 20.0
    paint_subject(across, thing.kind, thing.colour, (float(half), foot_row), height)
    image = layer.makeImageSnapshot()
    tint = skia.Paint(ColorFilter=skia.ColorFilters.Blend(packed((0.52, 0.50, 0.60)), skia.BlendMode.kModulate))
    deep = max(4, round(0.14 * min(height, 2.0 * HALF_WIDTHS[thing.kind] * height)))
    canvas = brush.canvas
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear)
    for k in range(deep, -1, -2):
        canvas.save()
        canvas.translate(foot[0] + k, foot[1] - 0.5 * k)
        canvas.concat(skia.Matrix().setAll(0.92, 0, 0, 0.30, 1, 0, 0, 0, 1))
        canvas.drawImage(image, -half, -foot_row, sampling, tint if k > 1 else skia.Paint())
        canvas.restore()

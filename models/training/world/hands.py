"""How each style draws a shape: its shading, its outline, and what its material does to light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.palette import Rgb, darker, lighter

PAPER: Final[Rgb] = (0.97, 0.95, 0.90)
INK: Final[Rgb] = (0.10, 0.09, 0.11)
NIGHT: Final[Rgb] = (0.035, 0.015, 0.09)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a style draws: strength of shading, outline width in pixels, share of colour in fills, gain of colour.

    `material` names a way of MATERIALS that models a filled shape's volume, or is empty.
    """

    shading: float = 0.22
    outline: float = 0.0
    wash: float = 1.0
    colour: float = 1.0
    material: str = ""
    is_neon: bool = False
    is_ink: bool = False


HANDS: Final[dict[str, Hand]] = {
    "digital-art": Hand(shading=0.22, colour=1.08),
    "watercolor": Hand(shading=0.14),
    "oil-painting": Hand(shading=0.32, colour=1.1),
    "line-art": Hand(shading=0.0, outline=1.5, wash=0.10, is_ink=True),
    "pixel-art": Hand(shading=0.10, outline=1.6, colour=1.12),
    "neon-punk": Hand(shading=0.05, outline=1.9, wash=0.16, is_neon=True),
    "photographic": Hand(shading=0.30, colour=0.94, material="round"),
    "anime": Hand(shading=0.0, outline=1.1, colour=1.15, material="cel"),
    "comic-book": Hand(shading=0.0, outline=2.2, colour=1.2, material="cel"),
    "low-poly": Hand(shading=0.10, material="facets"),
    "isometric": Hand(shading=0.10, colour=1.05),
    "3d-render": Hand(shading=0.10, material="clay"),
    "cinematic": Hand(shading=0.36, material="round"),
    "analog-film": Hand(shading=0.26, colour=0.85, material="round"),
    "product": Hand(shading=0.16, material="round"),
    "fantasy-art": Hand(shading=0.34, colour=1.12),
    "blueprint": Hand(shading=0.0, outline=1.6, wash=0.10, is_ink=True),
    "stained-glass": Hand(shading=0.16, outline=2.6, colour=1.3, material="facets"),
    "risograph": Hand(shading=0.12, colour=1.1),
}


def packed(colour: Rgb, alpha: float = 1.0) -> int:
    """The colour as skia's packed integer."""
    red, green, blue = (max(0, min(255, round(255 * part))) for part in colour)
    return int(skia.Color(red, green, blue, max(0, min(255, round(255 * alpha)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lit:
    """A filled shape and its light: `unit` pixels make one of its units, `side` is -1 where light comes from the left."""

    canvas: skia.Canvas
    path: skia.Path
    fill: Rgb
    unit: float
    side: float


def _cel(lit: Lit) -> None:
    """A hard-edged shadow on the side away from the light."""
    bounds = lit.path.getBounds()
    lit.canvas.save()
    lit.canvas.clipPath(lit.path, True)
    shadow = skia.Path()
    shadow.addRect(bounds)
    lighted = skia.Path()
    lit.path.offset(0.16 * lit.side * bounds.width(), -0.12 * bounds.height(), lighted)
    shadow.addPath(lighted)
    shadow.setFillType(skia.PathFillType.kEvenOdd)
    tone = darker((lit.fill[0] * 0.92, lit.fill[1] * 0.94, lit.fill[2]), 0.26)
    lit.canvas.drawPath(shadow, skia.Paint(AntiAlias=True, Color=packed(tone)))
    lit.canvas.restore()


def _round(lit: Lit) -> None:
    """Edges that turn into shadow, as on a round body."""
    bounds = lit.path.getBounds()
    depth = 0.16 * min(bounds.width(), bounds.height())
    lit.canvas.save()
    lit.canvas.clipPath(lit.path, True)
    lit.canvas.translate(lit.side * depth * 0.4, -depth * 0.4)
    lit.canvas.drawPath(lit.path, _soft_edge(darker(lit.fill, 0.75), 0.5, depth))
    lit.canvas.restore()


def _clay(lit: Lit) -> None:
    """A bevel: light on the edge that faces it, shadow on the other, as on kneaded clay."""
    bounds = lit.path.getBounds()
    depth = min(0.20 * min(bounds.width(), bounds.height()), 7.0 / lit.unit)
    lit.canvas.save()
    lit.canvas.clipPath(lit.path, True)
    lit.canvas.translate(lit.side * depth, -depth)
    lit.canvas.drawPath(lit.path, _soft_edge(darker(lit.fill, 0.55), 0.75, depth))
    lit.canvas.translate(-2 * lit.side * depth, 2 * depth)
    lit.canvas.drawPath(lit.path, _soft_edge(lighter(lit.fill, 0.65), 0.75, depth))
    lit.canvas.restore()


def _soft_edge(colour: Rgb, alpha: float, width: float) -> skia.Paint:
    paint = skia.Paint(
        AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=1.8 * width, Color=packed(colour, alpha)
    )
    paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 0.6 * width))
    return paint


def _facets(lit: Lit) -> None:
    """Flat triangles, each a little lighter or darker than its neighbour."""
    bounds = lit.path.getBounds()
    columns, rows = (max(1, min(14, round(extent * lit.unit / 20))) for extent in (bounds.width(), bounds.height()))
    lit.canvas.save()
    lit.canvas.clipPath(lit.path, True)
    lit.canvas.translate(bounds.left(), bounds.top())
    lit.canvas.scale(bounds.width(), bounds.height())
    paint = skia.Paint(Color=packed(lit.fill))
    lit.canvas.drawVertices(facet_mesh(columns, rows, lit.side > 0), paint, skia.BlendMode.kModulate)
    lit.canvas.restore()


@cache
def facet_mesh(columns: int, rows: int, is_lit_from_right: bool) -> skia.Vertices:
    """Triangles over the unit square, white to grey; the same for equal arguments."""
    rng = np.random.default_rng((columns, rows, int(is_lit_from_right)))
    places = np.stack(np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1)), axis=-1)
    places[1:-1, 1:-1] += rng.uniform(-0.33, 0.33, (rows - 1, columns - 1, 2)) / (columns, rows)
    points, colours = [], []
    for row in range(rows):
        for column in range(columns):
            a, b = places[row, column], places[row, column + 1]
            c, d = places[row + 1, column], places[row + 1, column + 1]
            pair = ((a, b, d), (a, d, c)) if rng.random() < 0.5 else ((a, b, c), (b, d, c))
            for triangle in pair:
                across = float(np.mean([point[0] for point in triangle]))
                across = across if is_lit_from_right else 1.0 - across
                tone = float(np.clip(0.72 + 0.22 * across + rng.uniform(-0.14, 0.14), 0.5, 1.0))
                points += [skia.Point(*map(float, point)) for point in triangle]
                colours += [packed((tone, tone, tone))] * 3
    return skia.Vertices(skia.Vertices.kTriangles_VertexMode, points, points, colours)


MATERIALS: Final[dict[str, Callable[[Lit], None]]] = {
    "cel": _cel, "round": _round, "clay": _clay, "facets": _facets,
}  # fmt: skip

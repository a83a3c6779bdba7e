"""The brush: shapes on a skia canvas, drawn the way the style asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.palette import Light, Rgb, darker, lighter, mixed

Point: TypeAlias = tuple[float, float]
PAPER: Final[Rgb] = (0.97, 0.95, 0.90)
INK: Final[Rgb] = (0.10, 0.09, 0.11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a style draws: strength of shading, outline width in pixels, share of colour in fills."""

    shading: float = 0.22
    outline: float = 0.0
    wash: float = 1.0
    is_neon: bool = False
    is_ink: bool = False


HANDS: Final[dict[str, Hand]] = {
    "digital-art": Hand(shading=0.20),
    "watercolor": Hand(shading=0.12, outline=0.0),
    "oil-painting": Hand(shading=0.30),
    "line-art": Hand(shading=0.0, outline=1.5, wash=0.16, is_ink=True),
    "pixel-art": Hand(shading=0.14, outline=1.2),
    "neon-punk": Hand(shading=0.05, outline=1.8, wash=0.2, is_neon=True),
    "photographic": Hand(shading=0.42),
}


def skia_colour(colour: Rgb, alpha: float = 1.0) -> int:
    """The colour as skia's packed integer."""
    red, green, blue = (max(0, min(255, round(255 * part))) for part in colour)
    return int(skia.Color(red, green, blue, max(0, min(255, round(255 * alpha)))))


class Brush:
    """Draws shapes on one canvas under one light.

    Coordinates are in the canvas' present units (pixels for land, subject heights for subjects);
    `unit` is the number of pixels in one of them, so that outlines keep their width.
    """

    def __init__(self, canvas: skia.Canvas, light: Light, hand: Hand, rng: np.random.Generator) -> None:
        self.canvas = canvas
        self.light = light
        self.hand = hand
        self.rng = rng
        self.unit = 1.0
        self.is_subject = False

    def poly(self, points: Sequence[Point], colour: Rgb, alpha: float = 1.0) -> None:
        """A filled polygon."""
        path = skia.Path()
        path.addPoly([skia.Point(*point) for point in points], True)
        self.shape(path, colour, alpha)

    def oval(self, centre: Point, radii: Point, colour: Rgb, alpha: float = 1.0) -> None:
        """A filled ellipse."""
        path = skia.Path()
        path.addOval(
            skia.Rect.MakeLTRB(centre[0] - radii[0], centre[1] - radii[1], centre[0] + radii[0], centre[1] + radii[1])
        )
        self.shape(path, colour, alpha)

    def box(self, corner: Point, other: Point, colour: Rgb, roundness: float = 0.0) -> None:
        """A filled rectangle between two corners."""
        rect = skia.Rect.MakeLTRB(
            min(corner[0], other[0]), min(corner[1], other[1]), max(corner[0], other[0]), max(corner[1], other[1])
        )
        path = skia.Path()
        path.addRoundRect(rect, roundness, roundness)
        self.shape(path, colour)

    def shape(self, path: skia.Path, colour: Rgb, alpha: float = 1.0) -> None:
        """A filled path under the light: shaded from its lit side, outlined if the style does so."""
        paint = skia.Paint(AntiAlias=True)
        fill = self._fill(self.light.on(colour))
        shading = self.hand.shading * (1.0 if self.is_subject else 0.5)
        bounds = path.getBounds()
        if shading > 0.0:
            ends = [skia.Point(bounds.left(), bounds.top()), skia.Point(bounds.right(), bounds.bottom())]
            colours = [skia_colour(lighter(fill, shading * 0.6), alpha), skia_colour(darker(fill, shading), alpha)]
            paint.setShader(skia.GradientShader.MakeLinear(ends, colours))
        else:
            paint.setColor(skia_colour(fill, alpha))
        self.canvas.drawPath(path, paint)
        if self.hand.outline > 0.0 and alpha > 0.6 and (self.is_subject or not self._is_pixel()):
            self.canvas.drawPath(path, self._outline_paint(colour, 1.0 if self.is_subject else 0.7))

    def flat(self, path: skia.Path, colour: Rgb, alpha: float = 1.0) -> None:
        """A fill that shines by itself: no light, no outline."""
        self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=skia_colour(colour, alpha)))

    def line(self, points: Sequence[Point], colour: Rgb, width: float, alpha: float = 1.0) -> None:
        """A stroke through the points, `width` in canvas units."""
        path = skia.Path()
        path.addPoly([skia.Point(*point) for point in points], False)
        shown = self._stroke_colour(colour)
        paint = skia.Paint(
            AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width, Color=skia_colour(shown, alpha)
        )
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        self.canvas.drawPath(path, paint)

    def glow(self, centre: Point, radius: float, colour: Rgb, alpha: float = 0.8) -> None:
        """A soft light: opaque in the middle, nothing at the radius. Ink draws none."""
        strength = alpha * (0.35 if self.hand.is_ink else 1.0)
        shader = skia.GradientShader.MakeRadial(
            skia.Point(*centre), radius, [skia_colour(colour, strength), skia_colour(colour, 0.0)]
        )
        self.canvas.drawCircle(centre[0], centre[1], radius, skia.Paint(AntiAlias=True, Shader=shader))

    def wash(self, top: float, bottom: float, colours: Sequence[Rgb], alphas: Sequence[float]) -> None:
        """A band across the whole picture, graded from top to bottom."""
        shown = [self._wash_colour(colour) for colour in colours]
        packed = [skia_colour(colour, alpha) for colour, alpha in zip(shown, alphas, strict=True)]
        shader = skia.GradientShader.MakeLinear([skia.Point(0, top), skia.Point(0, bottom)], packed)
        self.canvas.drawRect(skia.Rect.MakeLTRB(-9, top, 9999, bottom), skia.Paint(Shader=shader))

    def _is_pixel(self) -> bool:
        return not (self.hand.is_ink or self.hand.is_neon)

    def _fill(self, colour: Rgb) -> Rgb:
        if self.hand.is_ink:
            ground = mixed(PAPER, self.light.haze, 0.75 if self.light.is_dark else 0.18)
            return mixed(ground, colour, 0.82 if self.is_subject else self.hand.wash)
        if self.hand.is_neon:
            return mixed((0.035, 0.02, 0.09), colour, 0.42 if self.is_subject else self.hand.wash)
        return colour

    def _wash_colour(self, colour: Rgb) -> Rgb:
        if self.hand.is_ink:
            return mixed(PAPER, colour, 0.88 if self.light.is_dark else 0.34)
        if self.hand.is_neon:
            return mixed((0.04, 0.01, 0.10), colour, 0.42)
        return colour

    def _stroke_colour(self, colour: Rgb) -> Rgb:
        if self.hand.is_ink:
            return lighter(self.light.haze, 0.6) if self.light.is_dark and not self.is_subject else INK
        if self.hand.is_neon:
            return lighter(colour, 0.25)
        return self.light.on(colour)

    def _outline_paint(self, colour: Rgb, weight: float) -> skia.Paint:
        if self.hand.is_neon:
            shown = self._neon_line(colour)
        elif self.hand.is_ink:
            shown = mixed(PAPER, self.light.haze, 0.3) if self.light.is_dark and not self.is_subject else INK
        else:
            shown = darker(self.light.on(colour), 0.6)
        width = self.hand.outline * weight / self.unit
        return skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width, Color=skia_colour(shown))

    def _neon_line(self, colour: Rgb) -> Rgb:
        if self.is_subject:
            peak = max(colour)
            return (
                lighter((colour[0] / peak, colour[1] / peak, colour[2] / peak), 0.2)
                if peak > 0.3
                else (0.42, 0.36, 0.55)
            )
        return (0.95, 0.18, 0.75) if self.rng.random() < 0.5 else (0.12, 0.80, 0.92)

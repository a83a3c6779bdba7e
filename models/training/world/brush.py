"""The brush: shapes on a skia canvas, drawn the way the style asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import skia  # type: ignore[import-not-found]

from models.training.world.hands import INK, MATERIALS, NIGHT, PAPER, Hand, Lit, packed
from models.training.world.palette import Light, Rgb, darker, lighter, mixed, saturated

Point: TypeAlias = tuple[float, float]


def polygon(points: Sequence[Point], *, is_closed: bool = True) -> skia.Path:
    """A path of straight lines."""
    path = skia.Path()
    path.addPoly([skia.Point(*point) for point in points], is_closed)
    return path


def curve(start: Point, *segments: tuple[float, ...]) -> skia.Path:
    """A closed path: two numbers are a line to there, four a quadratic and six a cubic curve."""
    path = skia.Path()
    path.moveTo(*start)
    for segment in segments:
        {2: path.lineTo, 4: path.quadTo, 6: path.cubicTo}[len(segment)](*segment)
    path.close()
    return path


def oval_path(centre: Point, radii: Point) -> skia.Path:
    """An ellipse."""
    (x, y), (across, down) = centre, radii
    return skia.Path.Oval(skia.Rect.MakeLTRB(x - across, y - down, x + across, y + down))


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
        self.side = -1.0
        self.is_subject = False

    def poly(self, points: Sequence[Point], colour: Rgb, alpha: float = 1.0) -> None:
        """A filled polygon."""
        self.shape(polygon(points), colour, alpha)

    def oval(self, centre: Point, radii: Point, colour: Rgb, alpha: float = 1.0) -> None:
        """A filled ellipse."""
        self.shape(oval_path(centre, radii), colour, alpha)

    def box(self, corner: Point, other: Point, colour: Rgb, roundness: float = 0.0) -> None:
        """A filled rectangle between two corners."""
        rect = skia.Rect.MakeLTRB(
            min(corner[0], other[0]), min(corner[1], other[1]), max(corner[0], other[0]), max(corner[1], other[1])
        )
        path = skia.Path()
        path.addRoundRect(rect, roundness, roundness)
        self.shape(path, colour)

    def shape(self, path: skia.Path, colour: Rgb, alpha: float = 1.0) -> None:
        """A filled path under the light: shaded from its lit side, modelled and outlined as the style does."""
        fill = self._fill(self.light.on(colour))
        bounds = path.getBounds()
        self.canvas.drawPath(path, self._fill_paint(fill, bounds, alpha))
        if alpha < 0.6:
            return
        is_seen = min(bounds.width(), bounds.height()) * self.unit > 5.0
        if self.hand.material and is_seen and (self.is_subject or self.hand.material == "facets"):
            MATERIALS[self.hand.material](Lit(canvas=self.canvas, path=path, fill=fill, unit=self.unit, side=self.side))
        if self.hand.outline > 0.0 and is_seen:
            self.canvas.drawPath(path, self._outline_paint(colour, 1.0 if self.is_subject else 0.55))

    def flat(self, path: skia.Path, colour: Rgb, alpha: float = 1.0) -> None:
        """A fill that shines by itself: no light, no outline."""
        self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=packed(colour, alpha)))

    def line(self, points: Sequence[Point], colour: Rgb, width: float, alpha: float = 1.0) -> None:
        """A stroke through the points, `width` in canvas units."""
        self.stroke(polygon(points, is_closed=False), colour, width, alpha)

    def stroke(self, path: skia.Path, colour: Rgb, width: float, alpha: float = 1.0) -> None:
        """A stroke along a path, `width` in canvas units."""
        shown = packed(self._stroke_colour(colour), alpha)
        paint = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width, Color=shown)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        self.canvas.drawPath(path, paint)

    def glow(self, centre: Point, radius: float, colour: Rgb, alpha: float = 0.8) -> None:
        """A soft light: opaque in the middle, nothing at the radius. Ink draws hardly any."""
        strength = alpha * (0.25 if self.hand.is_ink else 1.0)
        shader = skia.GradientShader.MakeRadial(
            skia.Point(*centre),
            radius,
            [packed(colour, strength), packed(colour, strength * 0.32), packed(colour, 0.0)],
        )
        self.canvas.drawCircle(centre[0], centre[1], radius, skia.Paint(AntiAlias=True, Shader=shader))

    def shadow(self, path: skia.Path, alpha: float, blur: float) -> None:
        """A soft dark patch, `blur` in canvas units."""
        paint = skia.Paint(AntiAlias=True, Color=packed(darker(self.light.shade, 0.85), alpha))
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
        self.canvas.drawPath(path, paint)

    def wash(self, top: float, bottom: float, colours: Sequence[Rgb], alphas: Sequence[float]) -> None:
        """A band across the whole picture, graded from top to bottom."""
        shown = [packed(self._wash_colour(c), alpha) for c, alpha in zip(colours, alphas, strict=True)]
        shader = skia.GradientShader.MakeLinear([skia.Point(0, top), skia.Point(0, bottom)], shown)
        self.canvas.drawRect(skia.Rect.MakeLTRB(-9, top, 9999, bottom), skia.Paint(Shader=shader))

    def tone(self, colour: Rgb) -> Rgb:
        """A colour that shines by itself, as this style's hand shows it: pale in ink, dark in neon."""
        return self._wash_colour(colour)

    def _fill_paint(self, fill: Rgb, bounds: skia.Rect, alpha: float) -> skia.Paint:
        shading = self.hand.shading * (1.0 if self.is_subject else 0.5)
        if shading <= 0.0:
            return skia.Paint(AntiAlias=True, Color=packed(fill, alpha))
        lit, unlit = (bounds.left(), bounds.right()) if self.side < 0 else (bounds.right(), bounds.left())
        ends = [skia.Point(lit, bounds.top()), skia.Point(unlit, bounds.bottom())]
        colours = [packed(lighter(fill, shading * 0.6), alpha), packed(darker(fill, shading), alpha)]
        return skia.Paint(AntiAlias=True, Shader=skia.GradientShader.MakeLinear(ends, colours))

    def _fill(self, colour: Rgb) -> Rgb:
        if self.hand.is_ink:
            ground = mixed(PAPER, self.light.haze, 0.75 if self.light.is_dark else 0.10)
            return mixed(ground, colour, 0.85 if self.is_subject else self.hand.wash)
        if self.hand.is_neon:
            return mixed(NIGHT, colour, 0.34 if self.is_subject else self.hand.wash)
        return saturated(colour, self.hand.colour) if self.hand.colour != 1.0 else colour

    def _wash_colour(self, colour: Rgb) -> Rgb:
        if self.hand.is_ink:
            return mixed(PAPER, colour, 0.88 if self.light.is_dark else 0.26)
        if self.hand.is_neon:
            return mixed((0.05, 0.005, 0.11), colour, 0.38)
        return saturated(colour, self.hand.colour) if self.hand.colour != 1.0 else colour

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
            shown = darker(self.light.on(colour), 0.72)
        width = self.hand.outline * weight / self.unit
        return skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width, Color=packed(shown))

    def _neon_line(self, colour: Rgb) -> Rgb:
        if self.is_subject:
            peak = max(colour)
            gain = (0.4 + 0.6 * peak) / peak
            bright = (min(1.0, colour[0] * gain), min(1.0, colour[1] * gain), min(1.0, colour[2] * gain))
            return lighter(bright, 0.18) if peak > 0.3 else (0.40, 0.33, 0.55)
        return (0.98, 0.16, 0.76) if self.rng.random() < 0.5 else (0.10, 0.82, 0.95)

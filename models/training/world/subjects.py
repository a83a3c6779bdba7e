"""The twelve subjects, each drawn in its own units: foot at (0, 0), head at (0, -1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, Point
from models.training.world.palette import COLOUR_RGB, Rgb, darker, jittered, lighter, mixed

CREAM: Final[Rgb] = (0.96, 0.93, 0.85)
DARK: Final[Rgb] = (0.16, 0.15, 0.18)
GLASS: Final[Rgb] = (0.62, 0.82, 0.92)
LAMP: Final[Rgb] = (1.0, 0.87, 0.45)
WOOD: Final[Rgb] = (0.45, 0.30, 0.19)


def paint_subject(brush: Brush, kind: str, colour: str, foot: Point, height: float) -> None:
    """Draw one subject with its foot at a pixel, `height` pixels high, in the named colour."""
    tone = jittered(COLOUR_RGB[colour], brush.rng)
    brush.canvas.save()
    brush.canvas.translate(foot[0], foot[1])
    brush.canvas.scale(height, height)
    brush.unit, brush.is_subject = height, True
    _PAINTERS[kind](brush, tone)
    brush.unit, brush.is_subject = 1.0, False
    brush.canvas.restore()


def _second(colour: Rgb) -> Rgb:
    """A quiet partner for stripes and trim: cream, or grey beside white."""
    return (0.66, 0.68, 0.72) if min(colour) > 0.8 else CREAM


def _window(brush: Brush, corner: Point, other: Point) -> None:
    if brush.light.is_dark:
        path = skia.Path()
        path.addRect(skia.Rect.MakeLTRB(*corner, *other))
        brush.flat(path, LAMP)
        brush.glow(((corner[0] + other[0]) / 2, (corner[1] + other[1]) / 2), 0.14, LAMP, 0.5)
    else:
        brush.box(corner, other, GLASS, 0.008)


def _lighthouse(brush: Brush, colour: Rgb) -> None:
    brush.poly([(-0.26, 0.03), (-0.17, -0.05), (0.16, -0.06), (0.27, 0.03)], (0.46, 0.43, 0.42))
    second = _second(colour)
    for k in range(5):
        low, high = -0.04 - 0.132 * k, -0.04 - 0.132 * (k + 1)
        wide, thin = 0.135 - 0.010 * k, 0.135 - 0.010 * (k + 1)
        brush.poly([(-wide, low), (-thin, high), (thin, high), (wide, low)], second if k in (1, 3) else colour)
    brush.box((-0.125, -0.735), (0.125, -0.70), darker(second, 0.2))
    brush.box((-0.062, -0.85), (0.062, -0.735), LAMP if brush.light.is_dark else mixed(LAMP, GLASS, 0.3))
    brush.poly([(-0.095, -0.845), (0.0, -0.985), (0.095, -0.845)], colour)
    brush.box((-0.035, -0.16), (0.035, -0.04), DARK, 0.02)
    if brush.light.is_dark:
        beam = skia.Path()
        beam.addPoly([skia.Point(0, -0.79), skia.Point(-1.1, -0.95), skia.Point(-1.1, -0.62)], True)
        brush.flat(beam, LAMP, 0.25)
        brush.glow((0.0, -0.79), 0.30, LAMP, 0.9)


def _boat(brush: Brush, colour: Rgb) -> None:
    brush.box((-0.012, -0.98), (0.012, -0.20), WOOD)
    path = skia.Path()
    path.moveTo(0.03, -0.95)
    path.quadTo(0.42, -0.55, 0.44, -0.27)
    path.lineTo(0.03, -0.27)
    path.close()
    brush.shape(path, lighter(colour, 0.45) if min(colour) < 0.8 else colour)
    jib = skia.Path()
    jib.moveTo(-0.03, -0.88)
    jib.quadTo(-0.22, -0.55, -0.36, -0.29)
    jib.lineTo(-0.03, -0.29)
    jib.close()
    brush.shape(jib, CREAM)
    hull = skia.Path()
    hull.moveTo(-0.52, -0.22)
    hull.lineTo(0.54, -0.22)
    hull.quadTo(0.46, 0.03, 0.30, 0.03)
    hull.lineTo(-0.30, 0.03)
    hull.quadTo(-0.46, 0.01, -0.52, -0.22)
    brush.shape(hull, colour)
    brush.line([(-0.47, -0.15), (0.50, -0.15)], _second(colour), 0.025)


def _house(brush: Brush, colour: Rgb) -> None:
    roof = (0.42, 0.26, 0.22) if max(colour) - min(colour) > 0.2 and colour[0] < 0.7 else (0.33, 0.30, 0.36)
    brush.box((0.22, -0.96), (0.34, -0.62), (0.55, 0.36, 0.30))
    brush.box((-0.46, -0.56), (0.46, 0.0), colour)
    brush.poly([(-0.56, -0.53), (-0.02, -1.0), (0.02, -1.0), (0.56, -0.53)], roof)
    brush.box((-0.09, -0.34), (0.09, 0.0), WOOD, 0.015)
    _window(brush, (-0.37, -0.42), (-0.19, -0.20))
    _window(brush, (0.19, -0.42), (0.37, -0.20))
    brush.oval((0.0, -0.70), (0.065, 0.065), GLASS if not brush.light.is_dark else LAMP)


def _castle(brush: Brush, colour: Rgb) -> None:
    roof = darker(colour, 0.45) if max(colour) > 0.3 else (0.42, 0.40, 0.48)
    brush.box((-0.42, -0.46), (0.42, 0.0), colour)
    for k in range(6):
        brush.box((-0.38 + 0.135 * k, -0.53), (-0.31 + 0.135 * k, -0.45), colour)
    for x, top in ((-0.44, -0.66), (0.44, -0.66), (0.0, -0.74)):
        brush.box((x - 0.12, top), (x + 0.12, 0.0 if x else -0.40), lighter(colour, 0.06))
        brush.poly([(x - 0.15, top), (x, top - 0.25), (x + 0.15, top)], roof)
        _window(brush, (x - 0.025, top + 0.10), (x + 0.025, top + 0.20))
    gate = skia.Path()
    gate.addArc(skia.Rect.MakeLTRB(-0.12, -0.30, 0.12, -0.06), 180, 180)
    gate.lineTo(0.12, 0.0)
    gate.lineTo(-0.12, 0.0)
    brush.shape(gate, DARK)
    brush.line([(0.0, -0.98), (0.0, -1.08)], DARK, 0.012)
    brush.poly([(0.0, -1.09), (0.12, -1.05), (0.0, -1.01)], (0.85, 0.2, 0.2))


def _tree(brush: Brush, colour: Rgb) -> None:
    brush.poly([(-0.07, 0.0), (-0.045, -0.5), (0.045, -0.5), (0.08, 0.0)], WOOD)
    brush.line([(0.0, -0.32), (0.17, -0.5)], WOOD, 0.035)
    for x, y, radius, shade in (
        (-0.20, -0.52, 0.20, 0.16),
        (0.21, -0.53, 0.20, 0.20),
        (0.0, -0.52, 0.22, 0.08),
        (-0.13, -0.73, 0.20, 0.02),
        (0.14, -0.72, 0.20, 0.10),
        (0.0, -0.80, 0.19, -0.1),
    ):
        tone = darker(colour, shade) if shade > 0 else lighter(colour, -shade)
        brush.oval((x, y), (radius * 1.08, radius), tone)


def _balloon(brush: Brush, colour: Rgb) -> None:
    second = _second(colour)
    brush.line([(-0.10, -0.30), (-0.06, -0.12)], WOOD, 0.012)
    brush.line([(0.10, -0.30), (0.06, -0.12)], WOOD, 0.012)
    envelope = skia.Path()
    envelope.moveTo(-0.10, -0.28)
    envelope.cubicTo(-0.20, -0.40, -0.36, -0.48, -0.36, -0.66)
    envelope.cubicTo(-0.36, -0.88, -0.20, -1.0, 0.0, -1.0)
    envelope.cubicTo(0.20, -1.0, 0.36, -0.88, 0.36, -0.66)
    envelope.cubicTo(0.36, -0.48, 0.20, -0.40, 0.10, -0.28)
    envelope.close()
    brush.shape(envelope, colour)
    stripe = skia.Path()
    for side in (-1, 1):
        stripe.moveTo(side * 0.04, -0.28)
        stripe.cubicTo(side * 0.10, -0.45, side * 0.14, -0.50, side * 0.14, -0.66)
        stripe.cubicTo(side * 0.14, -0.88, side * 0.08, -0.98, 0.0, -1.0)
        stripe.cubicTo(side * 0.16, -0.98, side * 0.25, -0.88, side * 0.25, -0.66)
        stripe.cubicTo(side * 0.25, -0.50, side * 0.14, -0.42, side * 0.07, -0.28)
        stripe.close()
    brush.shape(stripe, second, 0.9)
    brush.box((-0.075, -0.13), (0.075, 0.0), (0.56, 0.38, 0.22), 0.02)


def _car(brush: Brush, colour: Rgb) -> None:
    cabin = skia.Path()
    cabin.addPoly(
        [skia.Point(-0.52, -0.50), skia.Point(-0.34, -0.92), skia.Point(0.26, -0.92), skia.Point(0.52, -0.50)], True
    )
    brush.shape(cabin, colour)
    brush.poly([(-0.42, -0.52), (-0.29, -0.84), (-0.06, -0.84), (-0.06, -0.52)], GLASS)
    brush.poly([(0.02, -0.52), (0.02, -0.84), (0.22, -0.84), (0.40, -0.52)], GLASS)
    brush.box((-0.88, -0.55), (0.90, -0.14), colour, 0.14)
    brush.line([(-0.02, -0.50), (-0.02, -0.20)], darker(colour, 0.35), 0.018)
    for x in (-0.50, 0.52):
        brush.oval((x, -0.16), (0.20, 0.20), (0.11, 0.11, 0.12))
        brush.oval((x, -0.16), (0.09, 0.09), (0.78, 0.80, 0.82))
    brush.oval((0.84, -0.40), (0.05, 0.06), LAMP)
    if brush.light.is_dark:
        brush.glow((0.92, -0.38), 0.45, LAMP, 0.75)


def _robot(brush: Brush, colour: Rgb) -> None:
    grey: Rgb = (0.55, 0.58, 0.63)
    for side in (-1, 1):
        brush.box((side * 0.06, -0.24), (side * 0.17, -0.03), grey, 0.02)
        brush.box((side * 0.04, -0.05), (side * 0.21, 0.0), darker(colour, 0.25), 0.02)
        brush.box((side * 0.25, -0.56), (side * 0.35, -0.28), grey, 0.04)
        brush.oval((side * 0.30, -0.27), (0.065, 0.06), colour)
    brush.box((-0.25, -0.60), (0.25, -0.22), colour, 0.05)
    brush.box((-0.13, -0.50), (0.13, -0.34), _second(colour), 0.02)
    brush.oval((-0.05, -0.42), (0.03, 0.03), (0.85, 0.25, 0.2))
    brush.oval((0.05, -0.42), (0.03, 0.03), (0.25, 0.65, 0.35))
    brush.box((-0.06, -0.65), (0.06, -0.59), grey)
    brush.line([(0.0, -0.90), (0.0, -0.98)], grey, 0.025)
    brush.oval((0.0, -0.985), (0.035, 0.035), (0.9, 0.25, 0.2))
    brush.box((-0.21, -0.91), (0.21, -0.64), colour, 0.06)
    for side in (-1, 1):
        brush.oval((side * 0.09, -0.79), (0.06, 0.06), (0.98, 0.98, 0.9))
        brush.oval((side * 0.09, -0.79), (0.03, 0.03), DARK)
    brush.line([(-0.08, -0.69), (0.08, -0.69)], DARK, 0.02)


def _cat(brush: Brush, colour: Rgb) -> None:
    tail = skia.Path()
    tail.moveTo(0.22, -0.06)
    tail.cubicTo(0.55, -0.05, 0.52, -0.42, 0.40, -0.50)
    tail.cubicTo(0.46, -0.36, 0.44, -0.18, 0.20, -0.16)
    tail.close()
    brush.shape(tail, darker(colour, 0.10))
    body = skia.Path()
    body.moveTo(-0.27, 0.0)
    body.cubicTo(-0.32, -0.30, -0.18, -0.55, 0.0, -0.56)
    body.cubicTo(0.18, -0.55, 0.32, -0.30, 0.27, 0.0)
    body.close()
    brush.shape(body, colour)
    brush.oval((0.0, -0.25), (0.11, 0.17), lighter(colour, 0.30))
    for side in (-1, 1):
        brush.poly([(side * 0.27, -0.74), (side * 0.25, -1.0), (side * 0.06, -0.86)], colour)
        brush.poly([(side * 0.235, -0.80), (side * 0.225, -0.93), (side * 0.12, -0.86)], (0.95, 0.62, 0.66))
        brush.oval((side * 0.11, -0.03), (0.09, 0.05), lighter(colour, 0.18))
    brush.oval((0.0, -0.68), (0.28, 0.23), colour)
    for side in (-1, 1):
        brush.oval((side * 0.11, -0.71), (0.055, 0.065), (0.90, 0.92, 0.45))
        brush.oval((side * 0.11, -0.71), (0.022, 0.055), DARK)
        for drop in (0.0, 0.04):
            brush.line([(side * 0.07, -0.60 + drop / 2), (side * 0.34, -0.62 + drop)], _whisker(colour), 0.008)
    brush.poly([(-0.035, -0.635), (0.035, -0.635), (0.0, -0.595)], (0.92, 0.45, 0.5))


def _whisker(colour: Rgb) -> Rgb:
    return (0.85, 0.85, 0.85) if max(colour) < 0.4 else DARK


def _flower(brush: Brush, colour: Rgb) -> None:
    green: Rgb = (0.20, 0.52, 0.22)
    brush.box((-0.022, -0.60), (0.022, 0.0), green)
    for side in (-1, 1):
        leaf = skia.Path()
        leaf.moveTo(0, -0.08)
        leaf.quadTo(side * 0.12, -0.34, side * 0.32, -0.34)
        leaf.quadTo(side * 0.22, -0.12, 0, -0.08)
        brush.shape(leaf, green)
    for angle in range(0, 360, 45):
        brush.canvas.save()
        brush.canvas.translate(0, -0.70)
        brush.canvas.rotate(angle)
        brush.oval((0.0, -0.19), (0.082, 0.13), darker(colour, 0.12) if angle % 90 else colour)
        brush.canvas.restore()
    yellowish = colour[0] > 0.9 and colour[1] > 0.7 and colour[2] < 0.4
    brush.oval((0.0, -0.70), (0.095, 0.095), (0.45, 0.27, 0.12) if yellowish else (0.98, 0.78, 0.18))


def _rocket(brush: Brush, colour: Rgb) -> None:
    flame = skia.Path()
    flame.moveTo(-0.09, -0.22)
    flame.quadTo(-0.12, -0.06, 0.0, 0.06)
    flame.quadTo(0.12, -0.06, 0.09, -0.22)
    brush.glow((0.0, -0.10), 0.30, (1.0, 0.66, 0.2), 0.75)
    brush.flat(flame, (1.0, 0.55, 0.10))
    brush.flat(skia.Path.Oval(skia.Rect.MakeLTRB(-0.045, -0.24, 0.045, -0.04)), (1.0, 0.93, 0.5))
    trim = darker(colour, 0.35) if max(colour) > 0.3 else (0.55, 0.57, 0.62)
    for side in (-1, 1):
        brush.poly([(side * 0.12, -0.46), (side * 0.30, -0.18), (side * 0.11, -0.24)], trim)
    hull = skia.Path()
    hull.moveTo(-0.10, -0.22)
    hull.cubicTo(-0.20, -0.50, -0.17, -0.80, 0.0, -1.0)
    hull.cubicTo(0.17, -0.80, 0.20, -0.50, 0.10, -0.22)
    hull.close()
    brush.shape(hull, colour)
    nose = skia.Path()
    nose.moveTo(-0.115, -0.81)
    nose.quadTo(-0.08, -0.91, 0.0, -1.0)
    nose.quadTo(0.08, -0.91, 0.115, -0.81)
    nose.close()
    brush.shape(nose, trim)
    brush.oval((0.0, -0.62), (0.085, 0.085), _second(colour))
    brush.oval((0.0, -0.62), (0.06, 0.06), (0.30, 0.55, 0.75))


def _tent(brush: Brush, colour: Rgb) -> None:
    brush.poly([(-0.78, 0.0), (-0.05, -0.98), (0.45, -0.02)], colour)
    brush.poly([(-0.05, -0.98), (0.22, -0.90), (0.86, -0.05), (0.45, -0.02)], darker(colour, 0.28))
    inside = LAMP if brush.light.is_dark else DARK
    flap = skia.Path()
    flap.addPoly([skia.Point(-0.42, 0.0), skia.Point(-0.07, -0.72), skia.Point(0.14, -0.01)], True)
    brush.flat(flap, inside)
    brush.poly([(-0.07, -0.72), (0.14, -0.01), (0.02, -0.005)], lighter(colour, 0.25))
    if brush.light.is_dark:
        brush.glow((-0.12, -0.25), 0.75, LAMP, 0.45)


_PAINTERS: Final[dict[str, Callable[[Brush, Rgb], None]]] = {
    "lighthouse": _lighthouse,
    "boat": _boat,
    "house": _house,
    "castle": _castle,
    "tree": _tree,
    "balloon": _balloon,
    "car": _car,
    "robot": _robot,
    "cat": _cat,
    "flower": _flower,
    "rocket": _rocket,
    "tent": _tent,
}
SHARES: Final[dict[str, float]] = {"car": 0.52, "tent": 0.62, "boat": 0.86, "house": 0.82, "castle": 0.92}
"""Height of the wide subjects as a share of the size asked for, so that all cover a like area."""

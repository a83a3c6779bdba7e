"""Subjects that live and move: cat, dog, bird, fish, horse."""

from __future__ import annotations

from models.training.world.brush import Brush, curve, oval_path
from models.training.world.materials import CREAM, DARK, eye
from models.training.world.palette import Rgb, darker, lighter

PINK: Rgb = (0.95, 0.62, 0.66)


def _fur(colour: Rgb) -> Rgb:
    """The lighter coat of belly, muzzle and paws."""
    return lighter(colour, 0.35) if max(colour) > 0.3 else (0.34, 0.34, 0.38)


def cat(brush: Brush, colour: Rgb) -> None:
    """A cat that sits and looks at us, tail to the right."""
    tail = curve(
        (0.20, -0.04),
        (0.62, -0.02, 0.60, -0.44, 0.42, -0.54),
        (0.36, -0.52, 0.37, -0.46, 0.40, -0.42),
        (0.47, -0.30, 0.42, -0.15, 0.20, -0.16),
    )
    brush.shape(tail, darker(colour, 0.12))
    brush.shape(
        curve((-0.27, 0.0), (-0.32, -0.30, -0.18, -0.55, 0.0, -0.56), (0.18, -0.55, 0.32, -0.30, 0.27, 0.0)), colour
    )
    brush.oval((0.0, -0.25), (0.11, 0.17), _fur(colour))
    for side in (-1, 1):
        brush.poly([(side * 0.27, -0.74), (side * 0.25, -1.0), (side * 0.06, -0.86)], colour)
        brush.poly([(side * 0.235, -0.80), (side * 0.225, -0.93), (side * 0.12, -0.86)], PINK)
        brush.oval((side * 0.11, -0.03), (0.09, 0.05), _fur(colour))
    brush.oval((0.0, -0.68), (0.28, 0.23), colour)
    for k in (-1, 0, 1):
        brush.line([(0.05 * k, -0.90), (0.04 * k, -0.83)], darker(colour, 0.4), 0.018)
    whisker = (0.85, 0.85, 0.85) if max(colour) < 0.4 else DARK
    for side in (-1, 1):
        brush.oval((side * 0.11, -0.71), (0.058, 0.066), (0.90, 0.92, 0.45))
        brush.oval((side * 0.11, -0.71), (0.022, 0.055), DARK)
        for drop in (0.0, 0.04):
            brush.line([(side * 0.07, -0.60 + drop / 2), (side * 0.34, -0.62 + drop)], whisker, 0.009)
    brush.poly([(-0.035, -0.635), (0.035, -0.635), (0.0, -0.595)], (0.92, 0.45, 0.5))
    brush.line([(-0.05, -0.555), (0.0, -0.575), (0.05, -0.555)], DARK, 0.012)


def dog(brush: Brush, colour: Rgb) -> None:
    """A dog that stands sideways: long muzzle, hanging ear, raised tail."""
    dim = darker(colour, 0.22)
    for x in (-0.52, 0.36):
        brush.box((x, -0.40), (x + 0.14, 0.0), dim, 0.04)
    brush.shape(
        curve(
            (-0.66, -0.58),
            (-0.90, -0.66, -0.98, -0.84, -0.92, -0.98),
            (-0.86, -1.0),
            (-0.84, -0.80, -0.74, -0.74, -0.58, -0.70),
        ),
        colour,
    )
    body = curve(
        (-0.70, -0.42),
        (-0.76, -0.72, -0.50, -0.74, -0.20, -0.70),
        (0.10, -0.66, 0.24, -0.72, 0.40, -0.72),
        (0.62, -0.66, 0.58, -0.34, 0.42, -0.30),
        (0.10, -0.26, -0.20, -0.34, -0.44, -0.30),
        (-0.60, -0.28, -0.68, -0.34, -0.70, -0.42),
    )
    brush.shape(body, colour)
    for x in (-0.66, 0.26):
        brush.box((x, -0.42), (x + 0.15, 0.0), colour, 0.05)
        brush.oval((x + 0.10, -0.03), (0.11, 0.045), _fur(colour))
    brush.shape(curve((0.28, -0.52), (0.30, -0.80), (0.56, -0.84), (0.60, -0.52)), colour)
    _dog_head(brush, colour)


def _dog_head(brush: Brush, colour: Rgb) -> None:
    head = curve(
        (0.36, -0.80),
        (0.38, -1.02, 0.62, -1.04, 0.72, -0.92),
        (0.86, -0.86, 1.02, -0.86, 1.03, -0.78),
        (1.02, -0.68, 0.82, -0.66, 0.66, -0.66),
        (0.46, -0.64, 0.36, -0.70, 0.36, -0.80),
    )
    brush.shape(head, colour)
    brush.shape(curve((0.78, -0.75), (1.0, -0.74), (1.0, -0.66, 0.74, -0.64, 0.66, -0.68)), _fur(colour))
    brush.oval((1.0, -0.84), (0.055, 0.045), DARK)
    eye(brush, (0.68, -0.87), 0.036)
    brush.shape(
        curve(
            (0.38, -0.96),
            (0.56, -1.0, 0.56, -0.86, 0.54, -0.68),
            (0.46, -0.56, 0.34, -0.62, 0.34, -0.74),
            (0.34, -0.88, 0.34, -0.94, 0.38, -0.96),
        ),
        darker(colour, 0.4),
    )
    brush.line([(0.31, -0.60), (0.60, -0.60)], (0.85, 0.2, 0.2) if colour[0] < 0.7 else (0.2, 0.4, 0.8), 0.05)
    brush.oval((0.50, -0.55), (0.035, 0.035), (0.95, 0.8, 0.3))


def bird(brush: Brush, colour: Rgb) -> None:
    """A bird in flight, wings raised."""
    brush.shape(
        curve((-0.44, -0.36), (-0.98, -0.30), (-0.90, -0.18), (-1.02, -0.10), (-0.36, -0.16)), darker(colour, 0.25)
    )
    far = curve(
        (0.10, -0.42),
        (0.16, -0.80, 0.42, -0.98),
        (0.40, -0.84),
        (0.54, -0.84),
        (0.46, -0.70),
        (0.56, -0.66),
        (0.44, -0.54),
        (0.36, -0.42, 0.28, -0.36),
    )
    brush.shape(far, darker(colour, 0.34))
    brush.shape(
        curve(
            (-0.56, -0.26),
            (-0.20, -0.56, 0.24, -0.50),
            (0.48, -0.44, 0.52, -0.30),
            (0.40, -0.04, 0.0, -0.04),
            (-0.30, -0.06, -0.56, -0.26),
        ),
        colour,
    )
    brush.shape(curve((0.46, -0.22), (0.38, -0.06, 0.02, -0.06), (0.10, -0.16, 0.46, -0.22)), lighter(colour, 0.5))
    _bird_front(brush, colour)


def _bird_front(brush: Brush, colour: Rgb) -> None:
    near = curve(
        (0.16, -0.36),
        (0.04, -0.86, -0.34, -1.0),
        (-0.28, -0.86),
        (-0.48, -0.90),
        (-0.38, -0.74),
        (-0.58, -0.74),
        (-0.44, -0.60),
        (-0.58, -0.56),
        (-0.38, -0.38, -0.20, -0.26),
    )
    brush.shape(near, lighter(colour, 0.14))
    for k in range(3):
        brush.line(
            [(-0.10 - 0.03 * k, -0.42 - 0.08 * k), (-0.34 - 0.06 * k, -0.56 - 0.13 * k)], darker(colour, 0.35), 0.016
        )
    brush.oval((0.52, -0.40), (0.17, 0.16), colour)
    brush.poly(
        [(0.66, -0.46), (0.90, -0.36), (0.65, -0.32)], (0.98, 0.62, 0.12) if colour[0] < 0.9 else (0.35, 0.3, 0.3)
    )
    eye(brush, (0.58, -0.43), 0.036)


def fish(brush: Brush, colour: Rgb) -> None:
    """A fish that leaps, with splashes of water below."""
    brush.canvas.save()
    brush.canvas.rotate(-14)
    brush.canvas.translate(0.0, -0.08)
    brush.shape(
        curve(
            (-0.58, -0.50),
            (-0.90, -0.84, -1.10, -0.92),
            (-0.98, -0.66, -0.98, -0.50),
            (-0.98, -0.34, -1.10, -0.08),
            (-0.90, -0.16, -0.58, -0.50),
        ),
        darker(colour, 0.18),
    )
    brush.shape(curve((-0.24, -0.80), (-0.06, -1.10, 0.32, -1.02), (0.28, -0.86, 0.34, -0.78)), darker(colour, 0.3))
    brush.shape(curve((-0.10, -0.20), (-0.16, 0.02, 0.02, 0.02), (0.10, -0.08, 0.16, -0.18)), darker(colour, 0.3))
    brush.shape(
        curve(
            (-0.66, -0.50),
            (-0.30, -0.94, 0.30, -0.92),
            (0.76, -0.84, 0.90, -0.50),
            (0.74, -0.14, 0.28, -0.10),
            (-0.30, -0.10, -0.66, -0.50),
        ),
        colour,
    )
    brush.shape(
        curve((0.86, -0.44), (0.70, -0.16, 0.26, -0.12), (-0.20, -0.12, -0.48, -0.38), (0.20, -0.24, 0.86, -0.44)),
        lighter(colour, 0.48),
    )
    _fish_face(brush, colour)
    brush.canvas.restore()
    for x, y, size in (
        (-0.95, 0.10, 0.05),
        (-0.55, 0.16, 0.07),
        (-0.2, 0.20, 0.05),
        (0.2, 0.14, 0.06),
        (0.6, 0.10, 0.045),
    ):
        brush.flat(oval_path((x, y), (size, size * 1.4)), brush.tone((0.92, 0.97, 1.0)), 0.85)


def _fish_face(brush: Brush, colour: Rgb) -> None:
    for x in (-0.28, -0.06, 0.16):
        for y in (-0.66, -0.50):
            brush.stroke(
                curve((x, y - 0.06), (x - 0.10, y, x, y + 0.06), (x - 0.10, y, x, y - 0.06)), darker(colour, 0.3), 0.022
            )
    brush.line([(0.44, -0.76), (0.38, -0.52), (0.46, -0.26)], darker(colour, 0.35), 0.03)
    brush.oval((0.62, -0.60), (0.085, 0.09), (0.98, 0.98, 0.94))
    brush.oval((0.64, -0.60), (0.045, 0.05), DARK)


def horse(brush: Brush, colour: Rgb) -> None:
    """A horse that stands sideways: arched neck, mane and long tail."""
    hair = darker(colour, 0.55) if max(colour) > 0.3 else (0.34, 0.32, 0.36)
    hair = CREAM if 0.35 < max(colour) < 0.55 else hair
    hoof = (0.20, 0.17, 0.16)
    for x, bend in ((-0.36, 0.03), (0.28, -0.02)):
        brush.poly(
            [(x - 0.07, -0.46), (x + 0.07, -0.46), (x + bend + 0.035, 0.0), (x + bend - 0.04, 0.0)],
            darker(colour, 0.28),
        )
    brush.shape(
        curve((-0.50, -0.62), (-0.74, -0.62, -0.70, -0.30, -0.66, -0.10), (-0.56, -0.16, -0.54, -0.40, -0.46, -0.50)),
        hair,
    )
    brush.shape(
        curve(
            (-0.54, -0.50),
            (-0.56, -0.72, -0.30, -0.70, -0.06, -0.66),
            (0.16, -0.64, 0.40, -0.72, 0.44, -0.52),
            (0.46, -0.36, 0.34, -0.34, 0.20, -0.34),
            (-0.10, -0.28, -0.30, -0.34, -0.42, -0.32),
            (-0.52, -0.34, -0.54, -0.44, -0.54, -0.50),
        ),
        colour,
    )
    for x, bend in ((-0.46, -0.02), (0.36, 0.03)):
        brush.poly([(x - 0.08, -0.48), (x + 0.09, -0.48), (x + bend + 0.045, -0.05), (x + bend - 0.045, -0.05)], colour)
        brush.box((x + bend - 0.055, -0.06), (x + bend + 0.06, 0.0), hoof, 0.01)
    _horse_head(brush, colour, hair)


def _horse_head(brush: Brush, colour: Rgb, hair: Rgb) -> None:
    brush.shape(
        curve((0.16, -0.60), (0.30, -0.76, 0.38, -0.94), (0.54, -0.96), (0.56, -0.80, 0.46, -0.46), (0.34, -0.42)),
        colour,
    )
    brush.shape(
        curve(
            (0.34, -0.90),
            (0.36, -1.02, 0.50, -1.0),
            (0.66, -0.90, 0.80, -0.74),
            (0.82, -0.66, 0.74, -0.64),
            (0.58, -0.70, 0.48, -0.76),
            (0.36, -0.80, 0.34, -0.90),
        ),
        colour,
    )
    brush.poly([(0.37, -0.97), (0.40, -1.09), (0.47, -0.98)], colour)
    brush.shape(
        curve((0.40, -1.02), (0.20, -0.92, 0.16, -0.74, 0.04, -0.62), (0.20, -0.62, 0.30, -0.74, 0.36, -0.86)), hair
    )
    eye(brush, (0.52, -0.89), 0.026)
    brush.oval((0.76, -0.71), (0.018, 0.016), DARK)

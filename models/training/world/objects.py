"""Subjects of a still life: bowl of fruit, cup, vase, book."""

from __future__ import annotations

from models.training.world.brush import Brush, curve, oval_path
from models.training.world.materials import CREAM, DARK, LEAF, WOOD, second
from models.training.world.palette import Rgb, darker, lighter


def bowl(brush: Brush, colour: Rgb) -> None:
    """A bowl of the colour, heaped with fruit."""
    brush.oval((0.0, -0.52), (0.62, 0.13), darker(colour, 0.5))
    for x, y, radius, skin in (
        (-0.34, -0.66, 0.19, (0.96, 0.58, 0.12)), (0.36, -0.66, 0.19, (0.80, 0.16, 0.16)),
        (0.02, -0.72, 0.21, (0.52, 0.74, 0.22)), (-0.14, -0.60, 0.19, (0.84, 0.20, 0.18)), (0.20, -0.58, 0.17, (0.97, 0.62, 0.16)),
    ):  # fmt: skip
        brush.oval((x, y), (radius, radius), skin)
    banana = curve((-0.42, -0.78), (-0.30, -1.06, 0.10, -1.04, 0.34, -0.84), (0.10, -0.92, -0.20, -0.90, -0.42, -0.78))
    brush.shape(banana, (0.98, 0.84, 0.22))
    for x in (0.46, 0.54, 0.50, 0.44):
        brush.oval((x, -0.50 + 0.5 * (x - 0.46)), (0.07, 0.07), (0.42, 0.18, 0.50))
    brush.shape(
        curve(
            (-0.64, -0.50),
            (-0.30, -0.40, 0.30, -0.40, 0.64, -0.50),
            (0.60, -0.14, 0.30, -0.06, 0.22, -0.05),
            (0.22, 0.0),
            (-0.22, 0.0),
            (-0.22, -0.05),
            (-0.30, -0.06, -0.60, -0.14, -0.64, -0.50),
        ),
        colour,
    )
    brush.stroke(
        curve((-0.56, -0.34), (-0.25, -0.24, 0.25, -0.24, 0.56, -0.34), (0.25, -0.24, -0.25, -0.24, -0.56, -0.34)),
        second(colour),
        0.035,
    )


def cup(brush: Brush, colour: Rgb) -> None:
    """A cup on its saucer with steam above."""
    brush.oval((0.0, -0.04), (0.62, 0.085), darker(colour, 0.22))
    brush.oval((0.0, -0.06), (0.50, 0.055), lighter(colour, 0.25))
    brush.stroke(oval_path((0.44, -0.40), (0.19, 0.17)), darker(colour, 0.12), 0.075)
    brush.shape(
        curve(
            (-0.44, -0.66),
            (-0.42, -0.24, -0.30, -0.06, -0.14, -0.05),
            (0.14, -0.05),
            (0.30, -0.06, 0.42, -0.24, 0.44, -0.66),
        ),
        colour,
    )
    brush.oval((0.0, -0.66), (0.44, 0.095), lighter(colour, 0.3) if min(colour) < 0.8 else (0.86, 0.86, 0.86))
    brush.oval((0.0, -0.65), (0.37, 0.068), (0.30, 0.17, 0.09))
    for x in (-0.16, 0.02, 0.20):
        steam = curve(
            (x, -0.74),
            (x - 0.10, -0.84, x + 0.04, -0.88),
            (x + 0.12, -0.94, x + 0.02, -1.02),
            (x + 0.12, -0.94, x + 0.04, -0.88),
            (x - 0.10, -0.84, x, -0.74),
        )
        brush.stroke(steam, (0.95, 0.95, 0.96), 0.030, 0.6)
    brush.stroke(
        curve((-0.40, -0.48), (-0.2, -0.42, 0.2, -0.42, 0.40, -0.48), (0.2, -0.42, -0.2, -0.42, -0.40, -0.48)),
        second(colour),
        0.04,
    )


def vase(brush: Brush, colour: Rgb) -> None:
    """A round-bellied vase with three small flowers."""
    for x, y, petal in (
        (-0.20, -0.90, (0.97, 0.70, 0.78)),
        (0.0, -0.98, (0.99, 0.96, 0.90)),
        (0.20, -0.88, (0.98, 0.80, 0.30)),
    ):
        brush.line([(0.25 * x, -0.56), (x, y)], LEAF, 0.020)
        for dx, dy in ((-0.055, 0.0), (0.055, 0.0), (0.0, -0.055), (0.0, 0.055)):
            brush.oval((x + dx, y + dy), (0.05, 0.05), petal)
        brush.oval((x, y), (0.035, 0.035), (0.85, 0.55, 0.15))
    for side in (-1, 1):
        brush.shape(
            curve((0.0, -0.58), (side * 0.18, -0.80, side * 0.32, -0.70), (side * 0.20, -0.60, 0.0, -0.58)), LEAF
        )
    body = curve(
        (-0.13, -0.58), (-0.08, -0.50, -0.10, -0.46, -0.18, -0.40), (-0.36, -0.28, -0.30, -0.06, -0.14, 0.0), (0.14, 0.0),
        (0.30, -0.06, 0.36, -0.28, 0.18, -0.40), (0.10, -0.46, 0.08, -0.50, 0.13, -0.58),
    )  # fmt: skip
    brush.shape(body, colour)
    brush.oval((0.0, -0.58), (0.135, 0.028), darker(colour, 0.4))
    brush.line([(-0.275, -0.26), (-0.1, -0.235), (0.1, -0.235), (0.275, -0.26)], second(colour), 0.030)
    brush.line([(-0.285, -0.19), (-0.1, -0.165), (0.1, -0.165), (0.285, -0.19)], second(colour), 0.018)
    brush.oval((0.13 * brush.side, -0.27), (0.035, 0.075), lighter(colour, 0.75), 0.5)


def book(brush: Brush, colour: Rgb) -> None:
    """A thick book that stands half open and shows its cover."""
    cover = darker(colour, 0.30)
    brush.poly([(0.30, -0.90), (0.66, -1.0), (0.66, -0.10), (0.30, 0.0)], CREAM)
    for k in range(5):
        x = 0.34 + 0.065 * k
        brush.line(
            [(x, -0.90 - 0.1 * (x - 0.3) / 0.36), (x, -0.01 - 0.1 * (x - 0.3) / 0.36)], (0.78, 0.74, 0.66), 0.010
        )
    brush.poly([(0.62, -1.02), (0.70, -1.04), (0.70, -0.10), (0.62, -0.08)], cover)
    brush.box((-0.52, -0.92), (0.34, 0.02), colour, 0.02)
    brush.box((-0.52, -0.92), (-0.38, 0.02), cover, 0.02)
    quiet = second(colour)
    brush.box((-0.24, -0.78), (0.22, -0.60), quiet, 0.01)
    for y, half in ((-0.72, 0.16), (-0.66, 0.10)):
        brush.line([(-0.01 - half, y), (-0.01 + half, y)], DARK, 0.020)
    brush.oval((-0.01, -0.32), (0.13, 0.13), quiet)
    brush.poly(
        [
            (-0.01, -0.42),
            (0.03, -0.34),
            (0.10, -0.32),
            (0.03, -0.30),
            (-0.01, -0.22),
            (-0.05, -0.30),
            (-0.12, -0.32),
            (-0.05, -0.34),
        ],
        WOOD,
    )
    brush.poly(
        [(0.14, 0.02), (0.22, 0.02), (0.22, 0.16), (0.18, 0.11), (0.14, 0.16)],
        (0.85, 0.2, 0.2) if colour[0] < 0.7 else (0.2, 0.35, 0.75),
    )

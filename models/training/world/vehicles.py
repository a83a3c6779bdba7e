"""Subjects that travel, and the robot: boat, car, train, balloon, rocket, kite, robot."""

from __future__ import annotations

import math

from models.training.world.brush import Brush, curve, oval_path
from models.training.world.materials import CREAM, DARK, GLASS, LAMP, STEEL, WOOD, second, wheel, window
from models.training.world.palette import Rgb, darker, lighter


def boat(brush: Brush, colour: Rgb) -> None:
    """A sailing boat with two sails."""
    brush.box((-0.012, -0.99), (0.012, -0.20), WOOD)
    brush.shape(
        curve((0.03, -0.95), (0.42, -0.55, 0.44, -0.27), (0.03, -0.27)),
        lighter(colour, 0.42) if min(colour) < 0.8 else colour,
    )
    brush.shape(curve((-0.03, -0.88), (-0.22, -0.55, -0.36, -0.29), (-0.03, -0.29)), CREAM)
    hull = curve((-0.54, -0.22), (0.56, -0.22), (0.48, 0.03, 0.30, 0.03), (-0.30, 0.03), (-0.46, 0.01, -0.54, -0.22))
    brush.shape(hull, colour)
    brush.line([(-0.48, -0.15), (0.51, -0.15)], second(colour), 0.025)
    for x in (-0.25, -0.08, 0.09, 0.26):
        brush.oval((x, -0.075), (0.026, 0.026), DARK)
    brush.poly([(0.0, -1.0), (0.0, -1.08), (0.13, -1.04)], colour)


def car(brush: Brush, colour: Rgb) -> None:
    """A round old car from its side."""
    body = curve(
        (-1.0, -0.14), (-1.03, -0.40, -0.92, -0.52), (-0.66, -0.58), (-0.50, -0.96, -0.30, -1.0), (0.22, -1.0),
        (0.42, -0.96, 0.56, -0.58), (0.92, -0.52), (1.04, -0.42, 1.0, -0.14),
    )  # fmt: skip
    brush.shape(body, colour)
    glass = LAMP if brush.light.is_dark else GLASS
    brush.shape(curve((-0.50, -0.58), (-0.38, -0.86, -0.26, -0.88), (-0.06, -0.88), (-0.06, -0.58)), glass)
    brush.shape(curve((0.02, -0.58), (0.02, -0.88), (0.20, -0.88), (0.32, -0.84, 0.42, -0.58)), glass)
    brush.line([(-0.02, -0.54), (-0.02, -0.20)], darker(colour, 0.35), 0.018)
    brush.line([(-0.96, -0.42), (0.98, -0.42)], lighter(colour, 0.4), 0.022)
    brush.line([(-0.16, -0.49), (-0.08, -0.49)], DARK, 0.03)
    for x in (-0.58, 0.58):
        brush.oval((x, -0.18), (0.26, 0.24), darker(colour, 0.45))
        wheel(brush, (x, -0.17), 0.20)
    brush.box((-1.06, -0.20), (-0.80, -0.12), STEEL, 0.03)
    brush.box((0.80, -0.20), (1.06, -0.12), STEEL, 0.03)
    brush.oval((0.94, -0.40), (0.055, 0.07), LAMP)
    if brush.light.is_dark:
        brush.glow((1.0, -0.38), 0.55, LAMP, 0.75)


def train(brush: Brush, colour: Rgb) -> None:
    """A steam locomotive with a wagon, on rails."""
    brush.line([(-1.75, 0.02), (1.60, 0.02)], (0.50, 0.46, 0.44), 0.045)
    for k in range(5):
        puff = 0.09 + 0.035 * k
        brush.oval((0.86 - 0.20 * k, -1.10 - 0.055 * k), (puff * 1.2, puff * 0.9), (0.93, 0.93, 0.95), 0.58)
    brush.box((-1.70, -0.72), (-0.78, -0.16), lighter(colour, 0.12), 0.03)
    brush.box((-1.76, -0.79), (-0.72, -0.70), darker(colour, 0.45), 0.02)
    for x in (-1.58, -1.30, -1.02):
        window(brush, (x, -0.62), (x + 0.19, -0.40))
    brush.box((-0.58, -0.92), (-0.06, -0.16), colour, 0.02)
    brush.box((-0.66, -1.0), (0.02, -0.91), darker(colour, 0.45), 0.02)
    window(brush, (-0.47, -0.82), (-0.18, -0.56))
    brush.box((-0.06, -0.66), (1.12, -0.22), colour, 0.05)
    for x in (0.22, 0.52, 0.82):
        brush.box((x, -0.665), (x + 0.05, -0.215), second(colour))
    brush.oval((1.13, -0.44), (0.08, 0.22), DARK)
    brush.poly([(0.80, -0.64), (0.74, -1.0), (1.02, -1.0), (0.96, -0.64)], DARK)
    brush.oval((0.38, -0.66), (0.11, 0.11), (0.86, 0.70, 0.28))
    brush.poly([(1.08, -0.16), (1.18, -0.24), (1.42, 0.0), (1.06, 0.0)], darker(colour, 0.35))
    brush.box((-1.72, -0.20), (1.16, -0.11), (0.26, 0.25, 0.28))
    for x, radius in ((-1.48, 0.12), (-1.00, 0.12), (-0.40, 0.17), (0.04, 0.17), (0.48, 0.17), (0.90, 0.12)):
        wheel(brush, (x, -radius + 0.01), radius)
    brush.line([(-0.40, -0.16), (0.48, -0.16)], STEEL, 0.035)
    if brush.light.is_dark:
        brush.glow((1.24, -0.46), 0.6, LAMP, 0.8)


def balloon(brush: Brush, colour: Rgb) -> None:
    """A hot-air balloon with broad stripes and a basket."""
    quiet = second(colour)
    for x in (-0.10, 0.10):
        brush.line([(x, -0.30), (0.6 * x, -0.12)], WOOD, 0.012)
    envelope = curve(
        (-0.10, -0.28), (-0.20, -0.40, -0.37, -0.48, -0.37, -0.66), (-0.37, -0.88, -0.20, -1.0, 0.0, -1.0),
        (0.20, -1.0, 0.37, -0.88, 0.37, -0.66), (0.37, -0.48, 0.20, -0.40, 0.10, -0.28),
    )  # fmt: skip
    brush.shape(envelope, colour)
    for outer, inner in ((0.36, 0.19), (-0.36, -0.19)):
        brush.shape(
            curve(
                (0.24 * outer, -0.285), (0.5 * outer, -0.42, 0.72 * outer, -0.50, 0.72 * outer, -0.66),
                (0.72 * outer, -0.88, 0.36 * outer, -0.99, 0.0, -1.0), (0.6 * inner, -0.98, 0.9 * inner, -0.88, 0.9 * inner, -0.66),
                (0.9 * inner, -0.50, 0.5 * inner, -0.40, 0.24 * inner, -0.285),
            ),
            quiet,
        )  # fmt: skip
    brush.poly([(-0.10, -0.29), (0.10, -0.29), (0.07, -0.245), (-0.07, -0.245)], darker(colour, 0.4))
    brush.box((-0.085, -0.13), (0.085, 0.0), (0.62, 0.43, 0.24), 0.02)
    brush.line([(-0.085, -0.085), (0.085, -0.085)], (0.45, 0.30, 0.17), 0.014)
    if brush.light.is_dark:
        brush.glow((0.0, -0.34), 0.5, LAMP, 0.55)


def rocket(brush: Brush, colour: Rgb) -> None:
    """A rocket with fins, a round window and its flame."""
    brush.glow((0.0, -0.08), 0.36, (1.0, 0.66, 0.2), 0.8)
    brush.flat(curve((-0.09, -0.22), (-0.13, -0.06, 0.0, 0.08), (0.13, -0.06, 0.09, -0.22)), (1.0, 0.55, 0.10))
    brush.flat(oval_path((0.0, -0.14), (0.045, 0.11)), (1.0, 0.93, 0.5))
    trim = darker(colour, 0.38) if max(colour) > 0.3 else (0.55, 0.57, 0.62)
    for side in (-1, 1):
        brush.shape(curve((side * 0.12, -0.48), (side * 0.30, -0.40, side * 0.31, -0.13), (side * 0.11, -0.24)), trim)
    brush.shape(
        curve((-0.10, -0.22), (-0.20, -0.50, -0.17, -0.80, 0.0, -1.0), (0.17, -0.80, 0.20, -0.50, 0.10, -0.22)), colour
    )
    brush.shape(curve((-0.118, -0.80), (-0.08, -0.91, 0.0, -1.0), (0.08, -0.91, 0.118, -0.80)), trim)
    brush.oval((0.0, -0.62), (0.085, 0.085), second(colour))
    brush.oval((0.0, -0.62), (0.06, 0.06), LAMP if brush.light.is_dark else (0.30, 0.55, 0.75))
    brush.box((-0.145, -0.36), (0.145, -0.32), trim)
    brush.box((-0.02, -0.46), (0.02, -0.20), trim, 0.01)


def kite(brush: Brush, colour: Rgb) -> None:
    """A diamond kite of four fields with a tail of bows and a long string."""
    string = [(0.02, -0.30), (0.10, 0.0), (-0.06, 0.35), (-0.42, 0.85)]
    brush.line(string, DARK if not brush.light.is_dark else CREAM, 0.010)
    fields = (
        ((-0.36, -0.66), (0.0, -1.0), colour), ((0.36, -0.66), (0.0, -1.0), lighter(colour, 0.25)),
        ((-0.36, -0.66), (0.02, -0.26), darker(colour, 0.22)), ((0.36, -0.66), (0.02, -0.26), colour),
    )  # fmt: skip
    for wing, tip, shade in fields:
        brush.poly([(0.0, -0.66), wing, tip], shade)
    brush.line([(0.0, -1.0), (0.02, -0.26)], WOOD, 0.014)
    brush.line([(-0.36, -0.66), (0.36, -0.66)], WOOD, 0.014)
    for k in range(4):
        x, y = 0.05 + 0.07 * math.sin(1.9 * k), -0.18 + 0.13 * k
        for side in (-1, 1):
            brush.poly(
                [(x, y), (x + side * 0.075, y - 0.035), (x + side * 0.075, y + 0.035)],
                second(colour) if k % 2 else colour,
            )


def robot(brush: Brush, colour: Rgb) -> None:
    """A tin robot with an aerial, round eyes and buttons."""
    for side in (-1, 1):
        brush.box((side * 0.06, -0.24), (side * 0.17, -0.03), STEEL, 0.02)
        brush.box((side * 0.04, -0.06), (side * 0.22, 0.0), darker(colour, 0.25), 0.02)
        brush.box((side * 0.26, -0.56), (side * 0.36, -0.28), STEEL, 0.04)
        brush.oval((side * 0.31, -0.26), (0.07, 0.065), colour)
    brush.box((-0.25, -0.60), (0.25, -0.22), colour, 0.05)
    brush.box((-0.13, -0.50), (0.13, -0.34), second(colour), 0.02)
    brush.oval((-0.05, -0.42), (0.03, 0.03), (0.85, 0.25, 0.2))
    brush.oval((0.05, -0.42), (0.03, 0.03), (0.25, 0.65, 0.35))
    brush.box((-0.06, -0.65), (0.06, -0.59), STEEL)
    brush.line([(0.0, -0.90), (0.0, -0.98)], STEEL, 0.025)
    brush.oval((0.0, -0.985), (0.04, 0.04), (0.9, 0.25, 0.2))
    for side in (-1, 1):
        brush.box((side * 0.20, -0.83), (side * 0.26, -0.72), STEEL, 0.02)
    brush.box((-0.21, -0.91), (0.21, -0.64), colour, 0.06)
    for side in (-1, 1):
        brush.oval((side * 0.09, -0.79), (0.06, 0.06), LAMP if brush.light.is_dark else (0.98, 0.98, 0.9))
        brush.oval((side * 0.09, -0.79), (0.028, 0.028), DARK)
    brush.line([(-0.08, -0.69), (0.08, -0.69)], DARK, 0.02)

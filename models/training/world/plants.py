"""Subjects that grow, and fruit: tree, flower, cactus, apple, pear."""

from __future__ import annotations

from models.training.world.brush import Brush, curve
from models.training.world.materials import LEAF, WOOD
from models.training.world.palette import Rgb, darker, lighter


def tree(brush: Brush, colour: Rgb) -> None:
    """A broad tree whose crown has the colour."""
    brush.shape(curve((-0.11, 0.0), (-0.05, -0.10, -0.05, -0.5), (0.05, -0.5), (0.05, -0.10, 0.12, 0.0)), WOOD)
    brush.line([(0.0, -0.32), (0.17, -0.52)], WOOD, 0.035)
    brush.line([(0.0, -0.28), (-0.15, -0.50)], WOOD, 0.030)
    crown = (
        (-0.22, -0.52, 0.20, 0.20), (0.23, -0.53, 0.20, 0.24), (0.0, -0.50, 0.21, 0.12), (-0.26, -0.64, 0.15, 0.10),
        (0.27, -0.65, 0.15, 0.16), (-0.13, -0.73, 0.20, 0.03), (0.14, -0.72, 0.20, 0.11), (0.0, -0.81, 0.19, -0.10),
    )  # fmt: skip
    for x, y, radius, shade in crown:
        brush.oval((x, y), (radius * 1.08, radius), darker(colour, shade) if shade > 0 else lighter(colour, -shade))
    for x, y in ((-0.12, -0.83), (-0.22, -0.62), (0.08, -0.70), (0.20, -0.60), (-0.04, -0.56)):
        brush.oval((x, y), (0.06, 0.035), lighter(colour, 0.22), 0.55)


def flower(brush: Brush, colour: Rgb) -> None:
    """One large blossom of eight petals on a stem with two leaves."""
    brush.stroke(curve((0.0, 0.0), (0.03, -0.3, 0.0, -0.60), (0.03, -0.3, 0.0, 0.0)), LEAF, 0.040)
    for side in (-1, 1):
        brush.shape(curve((0, -0.08), (side * 0.12, -0.34, side * 0.34, -0.36), (side * 0.24, -0.12, 0, -0.08)), LEAF)
    for angle in range(0, 360, 45):
        brush.canvas.save()
        brush.canvas.translate(0, -0.70)
        brush.canvas.rotate(angle)
        brush.oval((0.0, -0.19), (0.084, 0.13), darker(colour, 0.14) if angle % 90 else colour)
        brush.canvas.restore()
    yellowish = colour[0] > 0.9 and colour[1] > 0.45 and colour[2] < 0.4
    brush.oval((0.0, -0.70), (0.10, 0.10), (0.42, 0.25, 0.12) if yellowish else (0.98, 0.78, 0.18))
    brush.oval((-0.02, -0.72), (0.05, 0.05), (0.55, 0.35, 0.16) if yellowish else (1.0, 0.88, 0.42), 0.8)


def cactus(brush: Brush, colour: Rgb) -> None:
    """A cactus with two arms, ribs and a blossom."""
    arms = (
        curve((-0.10, -0.34), (-0.34, -0.32, -0.40, -0.40, -0.40, -0.56), (-0.40, -0.70), (-0.40, -0.78, -0.26, -0.78, -0.26, -0.70), (-0.26, -0.56), (-0.26, -0.50, -0.20, -0.50, -0.10, -0.50)),
        curve((0.10, -0.24), (0.34, -0.22, 0.42, -0.30, 0.42, -0.44), (0.42, -0.60), (0.42, -0.68, 0.28, -0.68, 0.28, -0.60), (0.28, -0.46), (0.28, -0.40, 0.20, -0.40, 0.10, -0.40)),
    )  # fmt: skip
    for arm in arms:
        brush.shape(arm, darker(colour, 0.12))
    brush.shape(curve((-0.14, 0.0), (-0.16, -0.84), (-0.16, -1.0, 0.16, -1.0, 0.16, -0.84), (0.14, 0.0)), colour)
    for x in (-0.07, 0.0, 0.07):
        brush.line([(x, -0.04), (x * 1.1, -0.90)], darker(colour, 0.35), 0.014)
    for k in range(6):
        for x in (-0.14, -0.035, 0.035, 0.14):
            brush.line(
                [(x, -0.12 - 0.14 * k), (x + 0.03 * (1 if x > 0 else -1), -0.15 - 0.14 * k)], (0.97, 0.95, 0.85), 0.009
            )
    bloom = (0.97, 0.42, 0.62) if not (colour[0] > 0.9 and colour[2] > 0.5) else (0.98, 0.85, 0.25)
    for side in (-0.06, 0.0, 0.06):
        brush.oval((side, -0.99), (0.042, 0.05), bloom)


def apple(brush: Brush, colour: Rgb) -> None:
    """A round apple with stalk and leaf."""
    brush.line([(0.0, -0.80), (0.05, -0.98)], WOOD, 0.040)
    brush.shape(
        curve((0.0, -0.82), (0.14, -0.92, 0.50, -0.90, 0.50, -0.50), (0.50, -0.18, 0.28, 0.02, 0.14, 0.0), (0.04, -0.03, -0.04, -0.03, -0.14, 0.0), (-0.28, 0.02, -0.50, -0.18, -0.50, -0.50), (-0.50, -0.90, -0.14, -0.92, 0.0, -0.82)),
        colour,
    )  # fmt: skip
    brush.oval((0.0, -0.80), (0.12, 0.035), darker(colour, 0.45))
    brush.line([(0.0, -0.79), (0.03, -0.94)], WOOD, 0.040)
    brush.shape(curve((0.04, -0.92), (0.20, -1.10, 0.40, -1.0), (0.26, -0.84, 0.04, -0.92)), LEAF)
    brush.oval((0.25 * brush.side, -0.62), (0.075, 0.13), lighter(colour, 0.7), 0.55)


def pear(brush: Brush, colour: Rgb) -> None:
    """A pear: narrow above, wide below."""
    brush.shape(
        curve((0.0, -0.88), (0.20, -0.88, 0.16, -0.62, 0.24, -0.50), (0.46, -0.36, 0.42, 0.0, 0.0, 0.0), (-0.42, 0.0, -0.46, -0.36, -0.24, -0.50), (-0.16, -0.62, -0.20, -0.88, 0.0, -0.88)),
        colour,
    )  # fmt: skip
    brush.line([(0.0, -0.86), (-0.05, -1.02)], WOOD, 0.035)
    brush.shape(curve((-0.02, -0.96), (0.14, -1.08, 0.28, -0.98), (0.14, -0.88, -0.02, -0.96)), LEAF)
    brush.oval((0.15 * brush.side, -0.30), (0.06, 0.12), lighter(colour, 0.7), 0.5)
    for x, y in ((0.1, -0.2), (-0.1, -0.12), (0.2, -0.32), (-0.2, -0.3), (0.02, -0.44)):
        brush.oval((x, y), (0.010, 0.010), darker(colour, 0.4))

"""Colours and small parts that several subjects share: glass, wood, windows, wheels, eyes."""

from __future__ import annotations

from typing import Final

from models.training.world.brush import Brush, Point, polygon
from models.training.world.palette import Rgb

CREAM: Final[Rgb] = (0.96, 0.93, 0.85)
DARK: Final[Rgb] = (0.16, 0.15, 0.18)
GLASS: Final[Rgb] = (0.62, 0.82, 0.92)
LAMP: Final[Rgb] = (1.0, 0.87, 0.45)
WOOD: Final[Rgb] = (0.45, 0.30, 0.19)
STEEL: Final[Rgb] = (0.56, 0.59, 0.64)
LEAF: Final[Rgb] = (0.22, 0.52, 0.22)


def second(colour: Rgb) -> Rgb:
    """A quiet partner for stripes and trim: cream, or grey beside white."""
    return (0.66, 0.68, 0.72) if min(colour) > 0.8 else CREAM


def window(brush: Brush, corner: Point, other: Point) -> None:
    """A pane that mirrors the sky by day and is lit by night."""
    if brush.light.is_dark:
        (left, top), (right, bottom) = corner, other
        brush.flat(polygon([(left, top), (right, top), (right, bottom), (left, bottom)]), LAMP)
        brush.glow(((left + right) / 2, (top + bottom) / 2), 0.16, LAMP, 0.55)
    else:
        brush.box(corner, other, GLASS, 0.008)


def wheel(brush: Brush, centre: Point, radius: float) -> None:
    """A tyre with a hub."""
    brush.oval(centre, (radius, radius), (0.13, 0.13, 0.15))
    brush.oval(centre, (0.55 * radius, 0.55 * radius), (0.74, 0.76, 0.79))
    brush.oval(centre, (0.18 * radius, 0.18 * radius), DARK)


def eye(brush: Brush, centre: Point, radius: float) -> None:
    """A dark eye with a spark of light."""
    brush.oval(centre, (radius, radius * 1.1), DARK)
    brush.oval((centre[0] - 0.3 * radius, centre[1] - 0.4 * radius), (0.32 * radius, 0.32 * radius), (1.0, 1.0, 1.0))

"""Subjects that people have built to stay: lighthouse, house, castle, bridge, tent, lamp."""

from __future__ import annotations

from models.training.world.brush import Brush, curve, polygon
from models.training.world.materials import CREAM, DARK, GLASS, LAMP, WOOD, second, window
from models.training.world.palette import Rgb, darker, lighter, mixed


def lighthouse(brush: Brush, colour: Rgb) -> None:
    """A striped tower on a rock; its lamp shines by night."""
    brush.poly([(-0.30, 0.03), (-0.20, -0.06), (-0.04, -0.05), (0.14, -0.08), (0.30, 0.03)], (0.46, 0.43, 0.42))
    quiet = second(colour)
    if brush.light.is_dark:
        brush.flat(polygon([(0, -0.79), (-1.5, -1.0), (-1.5, -0.60)]), LAMP, 0.20)
        brush.flat(polygon([(0, -0.79), (1.1, -0.92), (1.1, -0.66)]), LAMP, 0.14)
    for k in range(5):
        low, high = -0.04 - 0.132 * k, -0.04 - 0.132 * (k + 1)
        wide, thin = 0.140 - 0.011 * k, 0.140 - 0.011 * (k + 1)
        brush.poly([(-wide, low), (-thin, high), (thin, high), (wide, low)], quiet if k in (1, 3) else colour)
    brush.box((-0.130, -0.735), (0.130, -0.70), darker(quiet, 0.2))
    brush.box((-0.062, -0.85), (0.062, -0.735), LAMP if brush.light.is_dark else mixed(LAMP, GLASS, 0.3))
    for x in (-0.11, -0.055, 0.0, 0.055, 0.11):
        brush.line([(x, -0.735), (x, -0.785)], DARK, 0.008)
    brush.line([(-0.12, -0.785), (0.12, -0.785)], DARK, 0.010)
    brush.shape(curve((-0.095, -0.845), (-0.07, -0.94, 0.0, -0.985), (0.07, -0.94, 0.095, -0.845)), colour)
    brush.line([(0.0, -0.98), (0.0, -1.02)], DARK, 0.012)
    brush.shape(curve((-0.045, -0.04), (-0.045, -0.13), (0.0, -0.20, 0.045, -0.13), (0.045, -0.04)), DARK)
    window(brush, (-0.02, -0.53), (0.02, -0.46))
    if brush.light.is_dark:
        brush.glow((0.0, -0.79), 0.34, LAMP, 0.9)


def house(brush: Brush, colour: Rgb) -> None:
    """A cottage: gable, chimney with smoke, door and two windows."""
    warm = max(colour) - min(colour) > 0.2 and colour[0] < 0.7
    roof = (0.46, 0.25, 0.20) if warm else (0.30, 0.28, 0.36)
    for k in range(4):
        brush.oval((0.31 + 0.06 * k, -1.03 - 0.07 * k), (0.045 + 0.018 * k, 0.04 + 0.012 * k), (0.9, 0.9, 0.92), 0.45)
    brush.box((0.23, -0.98), (0.35, -0.62), (0.55, 0.36, 0.30))
    brush.box((0.21, -1.0), (0.37, -0.95), (0.44, 0.28, 0.24))
    brush.box((-0.46, -0.56), (0.46, 0.0), colour)
    brush.box((-0.48, -0.06), (0.48, 0.0), darker(colour, 0.3))
    brush.poly([(-0.58, -0.52), (-0.03, -1.0), (0.03, -1.0), (0.58, -0.52)], roof)
    for k in range(1, 4):
        half = 0.03 + 0.55 * k / 4
        brush.line([(-half, -1.0 + 0.48 * k / 4), (half, -1.0 + 0.48 * k / 4)], darker(roof, 0.25), 0.012)
    brush.box((-0.10, -0.36), (0.10, 0.0), WOOD, 0.02)
    brush.oval((0.06, -0.17), (0.014, 0.014), LAMP)
    for x in (-0.28, 0.28):
        brush.box((x - 0.11, -0.44), (x + 0.11, -0.19), CREAM, 0.01)
        window(brush, (x - 0.085, -0.42), (x + 0.085, -0.21))
        brush.line([(x, -0.42), (x, -0.21)], CREAM, 0.016)
        brush.line([(x - 0.085, -0.315), (x + 0.085, -0.315)], CREAM, 0.016)
    brush.oval((0.0, -0.70), (0.065, 0.065), GLASS if not brush.light.is_dark else LAMP)


def castle(brush: Brush, colour: Rgb) -> None:
    """Walls with battlements, five towers with pointed roofs and a gate."""
    roof = darker(colour, 0.5) if max(colour) > 0.3 else (0.40, 0.38, 0.50)
    for x, top in ((-0.22, -0.72), (0.22, -0.72)):
        brush.box((x - 0.09, top), (x + 0.09, -0.3), darker(colour, 0.16))
        brush.poly([(x - 0.12, top), (x, top - 0.22), (x + 0.12, top)], roof)
    brush.box((-0.46, -0.44), (0.46, 0.0), colour)
    for k in range(7):
        brush.box((-0.40 + 0.118 * k, -0.51), (-0.33 + 0.118 * k, -0.43), colour)
    for x, top in ((-0.48, -0.64), (0.48, -0.64), (0.0, -0.74)):
        brush.box((x - 0.125, top), (x + 0.125, 0.0 if x else -0.38), lighter(colour, 0.07))
        brush.box((x - 0.145, top), (x + 0.145, top + 0.05), darker(colour, 0.12))
        brush.poly([(x - 0.165, top), (x, top - 0.26), (x + 0.165, top)], roof)
        window(brush, (x - 0.028, top + 0.11), (x + 0.028, top + 0.22))
    brush.shape(
        curve((-0.13, 0.0), (-0.13, -0.17), (-0.12, -0.30, 0.0, -0.31), (0.12, -0.30, 0.13, -0.17), (0.13, 0.0)), DARK
    )
    for x in (-0.06, 0.0, 0.06):
        brush.line([(x, -0.01), (x, -0.27)], (0.45, 0.36, 0.26), 0.010)
    brush.line([(0.0, -0.99), (0.0, -1.12)], DARK, 0.012)
    brush.poly([(0.0, -1.13), (0.15, -1.085), (0.0, -1.04)], (0.85, 0.2, 0.2))


def bridge(brush: Brush, colour: Rgb) -> None:
    """A stone bridge of three arches over its own water."""
    water = mixed(brush.light.water, brush.light.sky[2], 0.35)
    brush.flat(
        curve((-1.05, 0.05), (-0.6, -0.10, 0.0, -0.10), (0.6, -0.10, 1.05, 0.05), (0.0, 0.22, -1.05, 0.05)),
        brush.tone(water),
        0.9,
    )
    deck = curve(
        (-1.12, 0.04), (-1.12, -0.56), (-0.5, -0.92, 0.0, -0.92), (0.5, -0.92, 1.12, -0.56), (1.12, 0.04),
        (0.88, 0.04), (0.88, -0.22), (0.72, -0.50, 0.54, -0.22), (0.54, 0.06), (0.34, 0.06), (0.34, -0.30),
        (0.30, -0.66, 0.0, -0.66), (-0.30, -0.66, -0.34, -0.30), (-0.34, 0.06), (-0.54, 0.06), (-0.54, -0.22),
        (-0.72, -0.50, -0.88, -0.22), (-0.88, 0.04),
    )  # fmt: skip
    brush.shape(deck, colour)
    rail = curve(
        (-1.16, -0.56),
        (-0.5, -0.93, 0.0, -0.93),
        (0.5, -0.93, 1.16, -0.56),
        (1.16, -0.64),
        (0.5, -1.02, 0.0, -1.02),
        (-0.5, -1.02, -1.16, -0.64),
    )
    brush.shape(rail, darker(colour, 0.28))
    for x in (-0.95, -0.48, 0.48, 0.95):
        top = -1.08 + 0.34 * x * x
        brush.box((x - 0.04, top), (x + 0.04, top + 0.22), lighter(colour, 0.12))
    brush.line([(-0.8, 0.08), (-0.4, 0.09)], lighter(water, 0.5), 0.02, 0.7)
    brush.line([(0.1, 0.12), (0.5, 0.10)], lighter(water, 0.5), 0.02, 0.7)


def tent(brush: Brush, colour: Rgb) -> None:
    """A ridge tent, open in front and lit from within by night."""
    if brush.light.is_dark:
        brush.glow((-0.12, -0.25), 0.95, LAMP, 0.45)
    for start, end in (((-0.74, -0.02), (-0.98, 0.06)), ((0.82, -0.08), (1.02, 0.02))):
        brush.line([start, end], DARK, 0.014)
    brush.poly([(-0.78, 0.0), (-0.05, -0.98), (0.45, -0.02)], colour)
    brush.poly([(-0.05, -0.98), (0.26, -0.90), (0.88, -0.07), (0.45, -0.02)], darker(colour, 0.30))
    brush.flat(polygon([(-0.42, 0.0), (-0.07, -0.72), (0.14, -0.01)]), LAMP if brush.light.is_dark else DARK)
    brush.poly([(-0.07, -0.72), (0.14, -0.01), (0.01, -0.005)], lighter(colour, 0.28))
    brush.poly([(-0.07, -0.72), (-0.42, 0.0), (-0.30, 0.0)], lighter(colour, 0.16))
    brush.line([(-0.05, -0.98), (-0.05, -1.05)], WOOD, 0.022)


def lamp(brush: Brush, colour: Rgb) -> None:
    """A street lamp with one lantern; it glows, by night far."""
    is_night = brush.light.is_dark
    brush.glow((0.0, -0.84), 0.75 if is_night else 0.30, LAMP, 0.85 if is_night else 0.5)
    brush.poly([(-0.13, 0.0), (-0.10, -0.06), (0.10, -0.06), (0.13, 0.0)], darker(colour, 0.2))
    brush.poly([(-0.07, -0.06), (-0.045, -0.20), (0.045, -0.20), (0.07, -0.06)], colour)
    brush.box((-0.030, -0.70), (0.030, -0.18), colour)
    brush.box((-0.055, -0.47), (0.055, -0.43), darker(colour, 0.2), 0.01)
    brush.line([(-0.17, -0.62), (0.17, -0.62)], colour, 0.030)
    brush.poly(
        [(-0.07, -0.70), (-0.125, -0.92), (0.125, -0.92), (0.07, -0.70)], LAMP if is_night else (1.0, 0.95, 0.76)
    )
    for x in (-0.048, 0.048):
        brush.line([(x, -0.705), (x * 1.8, -0.915)], colour, 0.020)
    brush.poly([(-0.17, -0.91), (0.0, -1.03), (0.17, -0.91)], colour)
    brush.box((-0.09, -0.72), (0.09, -0.68), colour, 0.01)
    brush.oval((0.0, -1.04), (0.028, 0.028), colour)

"""The places of people: a city street, a table by a window, a studio."""

from __future__ import annotations

import skia  # type: ignore[import-not-found]

from models.training.world.brush import Brush, Point, curve, oval_path
from models.training.world.ground import Ground, fill_below, hazed, unlit
from models.training.world.palette import Rgb, darker, lighter, mixed


def paint_city(brush: Brush, ground: Ground) -> None:
    """A skyline in two depths above a street in perspective."""
    rng, tall = brush.rng, ground.height
    walls: list[Rgb] = [(0.50, 0.53, 0.60), (0.62, 0.49, 0.44), (0.42, 0.48, 0.58), (0.70, 0.62, 0.54)]
    for depth, count, high in ((0.60, 9, 0.46), (0.16, 7, 0.31)):
        for k in range(count):
            x, wide = (
                float((k + rng.uniform(0, 0.4)) * ground.width / count),
                float(ground.width / count * rng.uniform(0.65, 0.95)),
            )
            top = float(ground.horizon - tall * high * rng.uniform(0.45, 1.0))
            wall = hazed(brush, walls[int(rng.integers(4))], depth)
            brush.box((x, top), (x + wide, ground.horizon + 8), wall)
            if rng.random() < 0.3:
                brush.line([(x + wide / 2, top), (x + wide / 2, top - 0.06 * tall)], wall, 1.5)
            _windows(brush, (x, top), (wide, ground.horizon - top), depth)
    low = ground.horizon + 4
    fill_below(brush, ground, [(-9.0, low), (ground.width + 9.0, low)], (0.60, 0.59, 0.58))
    middle, street = ground.width * float(rng.uniform(0.42, 0.58)), (0.30, 0.31, 0.35)
    near = 0.62 * max(ground.width, ground.height)
    brush.poly(
        [(middle - 14, low), (middle + 14, low), (middle + near, tall + 9.0), (middle - near, tall + 9.0)], street
    )
    for start, end in ((0.08, 0.18), (0.30, 0.46), (0.64, 0.90)):
        top, bottom = low + start * (tall - low), low + end * (tall - low)
        brush.poly(
            [
                (middle - 1 - 3 * start, top),
                (middle + 1 + 3 * start, top),
                (middle + 1 + 3 * end, bottom),
                (middle - 1 - 3 * end, bottom),
            ],
            (0.95, 0.90, 0.72),
        )
    if brush.light.is_dark:
        _pools(brush, ground, low)


def _pools(brush: Brush, ground: Ground, low: float) -> None:
    """Light of the windows on the wet street."""
    for colour in ((1.0, 0.80, 0.40), (0.95, 0.40, 0.60), (0.40, 0.75, 0.95)):
        x, y = (
            float(brush.rng.uniform(0.1, 0.9)) * ground.width,
            low + float(brush.rng.uniform(0.2, 0.8)) * (ground.height - low),
        )
        brush.glow((x, y), 0.22 * ground.width, colour, 0.28)


def _windows(brush: Brush, corner: Point, extent: Point, depth: float) -> None:
    lit: Rgb = (1.0, 0.84, 0.45) if brush.light.is_dark else lighter(brush.light.haze, 0.35)
    alpha = (0.9 if brush.light.is_dark else 0.55) * (1.1 - depth)
    path, chance = skia.Path(), 0.55 if brush.light.is_dark else 0.9
    rows, columns = int(extent[1] // 9), max(1, int(extent[0] // 8))
    shown = brush.rng.random((rows, columns)) < chance
    for row in range(rows):
        for column in range(columns):
            if shown[row, column]:
                x, y = corner[0] + 3 + 8 * column, corner[1] + 4 + 9 * row
                path.addRect(skia.Rect.MakeLTRB(x, y, min(x + 3.4, corner[0] + extent[0] - 1), y + 4.6))
    brush.flat(path, lit, alpha)


def paint_table(brush: Brush, ground: Ground) -> None:
    """A wooden table before a wall; the window shows the time of day."""
    rng, wide, tall = brush.rng, float(ground.width), float(ground.height)
    walls: list[Rgb] = [
        (0.86, 0.80, 0.70),
        (0.62, 0.72, 0.74),
        (0.78, 0.66, 0.62),
        (0.66, 0.70, 0.60),
        (0.50, 0.50, 0.60),
    ]
    wall, edge = walls[int(rng.integers(5))], ground.floor - float(rng.uniform(0.10, 0.20)) * tall
    brush.box((-9, -9), (wide + 9, tall + 9), wall)
    _window(brush, ground, edge)
    wood: Rgb = ((0.58, 0.37, 0.21), (0.72, 0.52, 0.32), (0.42, 0.27, 0.18))[int(rng.integers(3))]
    brush.box((-9, edge), (wide + 9, tall + 9), wood)
    for k in range(5):
        y = edge + (tall - edge) * ((k + 1) / 6) ** 1.3
        brush.line([(0, y), (wide, y)], darker(wood, 0.22), 0.8 + 0.3 * k)
    brush.wash(edge, edge + 0.05 * tall, (darker(wood, 0.5), darker(wood, 0.5)), (0.45, 0.0))
    if rng.random() < 0.4:
        cloth: Rgb = ((0.90, 0.88, 0.84), (0.70, 0.28, 0.26), (0.30, 0.42, 0.58))[int(rng.integers(3))]
        brush.shape(
            curve(
                (0.12 * wide, edge + 0.07 * tall),
                (0.88 * wide, edge + 0.07 * tall),
                (0.99 * wide, tall + 9),
                (0.01 * wide, tall + 9),
            ),
            cloth,
        )
    if brush.light.is_dark:
        brush.glow((0.5 * wide + brush.side * -0.3 * wide, 0.1 * tall), 0.8 * max(wide, tall), (1.0, 0.80, 0.48), 0.40)


def _window(brush: Brush, ground: Ground, edge: float) -> None:
    """A window at the side the light comes from, and the light it throws on the wall."""
    rng, light, (wide, tall) = brush.rng, brush.light, (float(ground.width), edge)
    across = 0.36 * min(wide, 1.3 * tall)
    x = 0.05 * wide if brush.side < 0 else 0.95 * wide - across
    top, bottom = 0.08 * tall, 0.70 * tall
    frame: Rgb = (0.20, 0.16, 0.30) if brush.hand.is_neon else (0.93, 0.91, 0.87)
    brush.box((x - 6, top - 6), (x + across + 6, bottom + 6), frame)
    pane = skia.Rect.MakeLTRB(x, top, x + across, bottom)
    brush.canvas.save()
    brush.canvas.clipRect(pane)
    brush.wash(top, bottom, light.sky, (1.0, 1.0, 1.0))
    spot = (x + 0.62 * across, top + (0.30 if light.is_dark else 0.62) * (bottom - top))
    brush.glow(spot, 0.5 * across, (0.97, 0.96, 0.88) if light.is_dark else lighter(light.sky[2], 0.5), 0.8)
    brush.flat(oval_path(spot, (0.10 * across, 0.10 * across)), (1.0, 0.96, 0.84))
    if light.is_dark:
        for sx, sy in zip(
            rng.uniform(0, across, 14).tolist(), rng.uniform(0, 0.8 * (bottom - top), 14).tolist(), strict=True
        ):
            brush.flat(oval_path((x + sx, top + sy), (0.9, 0.9)), (1.0, 1.0, 0.95))
    brush.oval(
        (x + 0.3 * across, bottom + 0.1 * tall), (0.6 * across, 0.22 * tall), hazed(brush, (0.26, 0.46, 0.28), 0.3)
    )
    brush.canvas.restore()
    brush.line([(x + across / 2, top), (x + across / 2, bottom)], frame, 3.0)
    brush.line([(x, (top + bottom) / 2), (x + across, (top + bottom) / 2)], frame, 3.0)
    if not light.is_dark and not brush.hand.is_ink:
        beam = curve(
            (x + across, top),
            (x + across - brush.side * 1.1 * wide, 1.25 * tall),
            (x - brush.side * 0.5 * wide, 1.3 * tall),
            (x, bottom),
        )
        brush.flat(beam, lighter(light.sky[2], 0.4), 0.14)


def paint_studio(brush: Brush, ground: Ground) -> None:
    """A seamless backdrop of one quiet colour with soft light in the middle."""
    backdrops: list[Rgb] = [
        (0.90, 0.90, 0.91),
        (0.84, 0.80, 0.75),
        (0.72, 0.80, 0.86),
        (0.90, 0.80, 0.80),
        (0.60, 0.63, 0.68),
        (0.80, 0.85, 0.76),
    ]
    colour = backdrops[int(brush.rng.integers(len(backdrops)))]
    colour = darker(colour, 0.72) if brush.hand.is_neon else colour
    back, floor = mixed(colour, (0.2, 0.2, 0.24), 0.22), lighter(colour, 0.28)
    brush.wash(0, ground.height, (back, colour, floor), (1.0, 1.0, 1.0))
    if not brush.hand.is_neon:
        middle, reach = (0.5 * ground.width, 0.45 * ground.height), 0.62 * max(ground.width, ground.height)
        brush.glow(middle, reach, unlit(brush, (1.0, 1.0, 1.0)), 0.55)

"""All subjects by name, each drawn in its own units: foot at (0, 0), head at (0, -1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.training.world import buildings, creatures, objects, plants, vehicles
from models.training.world.brush import Brush, Point
from models.training.world.palette import COLOUR_RGB, Rgb, jittered

PAINTERS: Final[dict[str, Callable[[Brush, Rgb], None]]] = {
    "lighthouse": buildings.lighthouse,
    "house": buildings.house,
    "castle": buildings.castle,
    "bridge": buildings.bridge,
    "tent": buildings.tent,
    "lamp": buildings.lamp,
    "boat": vehicles.boat,
    "car": vehicles.car,
    "train": vehicles.train,
    "balloon": vehicles.balloon,
    "rocket": vehicles.rocket,
    "kite": vehicles.kite,
    "robot": vehicles.robot,
    "cat": creatures.cat,
    "dog": creatures.dog,
    "bird": creatures.bird,
    "fish": creatures.fish,
    "horse": creatures.horse,
    "tree": plants.tree,
    "flower": plants.flower,
    "cactus": plants.cactus,
    "apple": plants.apple,
    "pear": plants.pear,
    "bowl": objects.bowl,
    "cup": objects.cup,
    "vase": objects.vase,
    "book": objects.book,
}
SHARES: Final[dict[str, float]] = {
    "car": 0.52, "tent": 0.62, "boat": 0.88, "house": 0.80, "castle": 0.84, "train": 0.42, "dog": 0.62, "bird": 0.60,
    "fish": 0.52, "horse": 0.86, "bridge": 0.50, "kite": 0.86, "apple": 0.72, "pear": 0.84, "bowl": 0.62, "cup": 0.68,
    "vase": 0.94, "book": 0.78,
}  # fmt: skip
"""Height of the wide subjects as a share of the size asked for, so that all cover a like area."""
HALF_WIDTHS: Final[dict[str, float]] = {
    "car": 1.0, "train": 1.5, "bridge": 1.1, "dog": 0.9, "bird": 0.9, "fish": 0.95, "tent": 0.85, "horse": 0.65,
    "house": 0.55, "castle": 0.6, "boat": 0.52, "bowl": 0.6, "cup": 0.55, "apple": 0.5, "lamp": 0.14, "rocket": 0.2,
    "lighthouse": 0.22, "flower": 0.2, "cactus": 0.3, "tree": 0.3, "vase": 0.3, "balloon": 0.3, "kite": 0.35,
    "robot": 0.34, "cat": 0.4, "pear": 0.4, "book": 0.6,
}  # fmt: skip
"""Half of the ground that each covers, in its own heights: for shadows and for room beside each other."""


def paint_subject(brush: Brush, kind: str, colour: str, foot: Point, height: float) -> None:
    """Draw one subject with its foot at a pixel, `height` pixels high, in the named colour."""
    tone = jittered(COLOUR_RGB[colour], brush.rng)
    brush.canvas.save()
    brush.canvas.translate(foot[0], foot[1])
    brush.canvas.scale(height, height)
    brush.unit, brush.is_subject = height, True
    PAINTERS[kind](brush, tone)
    brush.unit, brush.is_subject = 1.0, False
    brush.canvas.restore()

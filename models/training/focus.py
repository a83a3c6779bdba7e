"""Where in a scene its subjects are: the denoiser learns more from those places.

Subjects cover a fifth of a picture and are what people ask for. Each place's best answer is its own, whatever another place
weighs, so weights change how fast a place is learnt and not what is right there.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from models.training.world.scene import AFLOAT, FLYING, Scene, Thing
from models.training.world.subjects import HALF_WIDTHS, SHARES

MARGIN: Final = 0.02
"""Around a subject, as a share of the picture."""


def subject_places(scene: Scene, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) bool, the shape of its latents: positions that a subject may touch, by rule and not to the pixel."""
    return subject_numbers(scene, shape) > 0


def subject_numbers(scene: Scene, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) int: which subject a position shows, counted from 1, and 0 for none; the one in front where two meet."""
    numbers = np.zeros(shape, int)
    for index, thing in enumerate(scene.things):
        left, right = _across(scene, thing)
        top, bottom = (0.15, 0.85) if scene.style == "isometric" else _down(scene, index)
        numbers[_cells(top, bottom, shape[0]), _cells(left, right, shape[1])] = index + 1
    return numbers


def _height(scene: Scene, thing: Thing) -> float:
    """Height of a thing as a share of the picture's; `composition.stands` says the same in pixels."""
    height = thing.size * min(scene.width * 1.15, scene.height) * SHARES.get(thing.kind, 1.0)
    slot = scene.width * (0.92 / thing.count if len(scene.things) == 1 else 0.50)
    return min(height, slot / (2.0 * HALF_WIDTHS[thing.kind])) / scene.height


def _across(scene: Scene, thing: Thing) -> tuple[float, float]:
    if thing.count > 1:
        return 0.04, 0.96
    half = HALF_WIDTHS[thing.kind] * _height(scene, thing) * scene.height / scene.width
    middle = float(np.clip(thing.x, min(0.5, half), max(0.5, 1.0 - half)))
    return middle - half - MARGIN, middle + half + MARGIN


def _down(scene: Scene, index: int) -> tuple[float, float]:
    thing, height = scene.things[index], _height(scene, scene.things[index])
    if scene.relation == "above" and index == 0:
        foot = 0.85 - _height(scene, scene.things[1])
        return foot - height - MARGIN, foot + MARGIN
    if thing.kind in FLYING:
        return 0.06 - MARGIN, min(0.76, height + 0.20) + MARGIN
    if thing.kind in AFLOAT:
        return 0.72 - height, 0.82 + MARGIN
    return 0.80 - height, 0.92 + MARGIN


def _cells(first: float, last: float, count: int) -> slice:
    return slice(max(0, int(first * count)), min(count, int(np.ceil(last * count))))

"""The finish of each style: what turns the drawn scene into a watercolour, an oil, pixels, a photograph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from models.training.world import finish_lens, finish_paint, finish_print
from models.training.world.scene import Scene

Finish = Callable[[np.ndarray, np.random.Generator], np.ndarray]

BACKGROUND_BLUR: Final = {"photographic": 1.5, "cinematic": 1.8, "analog-film": 1.2, "3d-render": 0.8}
"""Depth of field: how far the land is out of focus, in pixels."""

_FINISHES: Final[dict[str, Finish]] = {
    "watercolor": finish_paint.watercolor,
    "oil-painting": finish_paint.oil,
    "fantasy-art": finish_paint.fantasy,
    "line-art": finish_print.line_art,
    "pixel-art": finish_print.pixel_art,
    "neon-punk": finish_print.neon,
    "comic-book": finish_print.comic,
    "anime": finish_lens.anime,
    "blueprint": finish_print.blueprint,
    "stained-glass": finish_print.stained_glass,
    "risograph": finish_print.risograph,
    "photographic": finish_lens.photographic,
    "cinematic": finish_lens.cinematic,
    "analog-film": finish_lens.analog_film,
    "product": finish_lens.product,
    "3d-render": finish_lens.clay,
}


def finished(pixels: np.ndarray, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Apply the style's finish.

    Args:
        pixels: (height, width, 3) uint8 as drawn.

    Returns:
        The same shape and type.
    """
    finish = _FINISHES.get(scene.style)
    return pixels if finish is None else finish(pixels, rng)

"""The finish of each style: what turns the drawn scene into a watercolour, an oil, pixels, a photograph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from models.training.world.scene import Scene


def finished(pixels: np.ndarray, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Apply the style's finish.

    Args:
        pixels: (height, width, 3) uint8 as drawn.

    Returns:
        The same shape and type.
    """
    finish = _FINISHES.get(scene.style)
    return pixels if finish is None else finish(pixels, rng)


def _noise(shape: tuple[int, int], cell: int, rng: np.random.Generator, cell_x: int | None = None) -> np.ndarray:
    """(height, width) float32 smooth noise, about -1 to 1, with features of `cell` pixels."""
    rows, columns = shape[0] // cell + 2, shape[1] // (cell_x or cell) + 2
    small = Image.fromarray(rng.normal(size=(rows, columns)).astype(np.float32) * 0.5)
    return np.asarray(small.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _blurred(pixels: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _warped(pixels: np.ndarray, strength: float, cell: int, rng: np.random.Generator) -> np.ndarray:
    """Move each pixel by smooth noise, nearest neighbour."""
    height, width = pixels.shape[:2]
    rows = np.arange(height)[:, None] + strength * _noise((height, width), cell, rng)
    columns = np.arange(width)[None, :] + strength * _noise((height, width), cell, rng)
    moved: np.ndarray = pixels[
        np.clip(rows.round(), 0, height - 1).astype(np.int32), np.clip(columns.round(), 0, width - 1).astype(np.int32)
    ]
    return moved


def _clipped(picture: np.ndarray) -> np.ndarray:
    pixels: np.ndarray = np.clip(picture, 0, 255).astype(np.uint8)
    return pixels


def _watercolor(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Wobbling edges that darken, pigment that pools, paper that shows, a white torn border."""
    height, width = pixels.shape[:2]
    soft = _blurred(_warped(pixels, 2.2, 12, rng), 0.8).astype(np.float32)
    wide = _blurred(soft.astype(np.uint8), 3.0).astype(np.float32)
    edges = np.abs(soft - wide).mean(axis=2, keepdims=True)
    pools = 1.0 + 0.12 * _noise((height, width), 22, rng)[..., None] + 0.05 * _noise((height, width), 5, rng)[..., None]
    paper = np.array([250, 246, 236], np.float32) * (
        1.0 + 0.022 * rng.normal(size=(height, width, 1)).astype(np.float32)
    )
    pigment = 1.0 - (1.0 - soft / 255.0) * 0.84 * pools
    picture = paper * np.clip(pigment, 0, 1) - 0.9 * edges
    border = _border(height, width, rng)
    return _clipped(picture * border + paper * (1.0 - border))


def _border(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    y = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    x = np.minimum(np.arange(width), np.arange(width)[::-1])[None, :]
    inside = np.minimum(y, x) + 5.0 * _noise((height, width), 14, rng)
    return np.clip((inside - 5.0) / 3.0, 0.0, 1.0)[..., None].astype(np.float32)


def _oil(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dabs of paint: flattened patches, thick strokes lit from the side, richer colour."""
    height, width = pixels.shape[:2]
    dabs = np.asarray(Image.fromarray(_warped(pixels, 2.6, 5, rng)).filter(ImageFilter.MedianFilter(5))).astype(
        np.float32
    )
    grey = dabs.mean(axis=2, keepdims=True)
    rich = grey + (dabs - grey) * 1.22
    strokes = _noise((height, width), 3, rng, cell_x=13) + 0.7 * _noise((height, width), 11, rng, cell_x=3)
    relief = np.roll(strokes, 1, axis=0) - strokes + np.roll(strokes, 1, axis=1) - strokes
    return _clipped(rich * (1.0 + 0.05 * strokes[..., None]) + 13.0 * relief[..., None])


def _line_art(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A hand that trembles a little."""
    return _warped(pixels, 1.3, 9, rng)


def _pixel_art(pixels: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Blocks of 4 x 4 pixels in 12 tones a channel."""
    height, width = pixels.shape[:2]
    small = Image.fromarray(pixels).resize((width // 4, height // 4), Image.Resampling.BOX)
    few = (np.asarray(small).astype(np.float32) / 255.0 * 11.0).round() / 11.0 * 255.0
    return np.repeat(np.repeat(_clipped(few), 4, axis=0), 4, axis=1)


def _neon(pixels: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Bright lines bloom into the dark."""
    bright = np.where(pixels.max(axis=2, keepdims=True) > 120, pixels, 0).astype(np.uint8)
    bloom = _blurred(bright, 5.0).astype(np.float32)
    return _clipped(pixels.astype(np.float32) * 0.95 + 0.65 * bloom)


def _photographic(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bloom, a soft contrast curve, vignette and grain."""
    height, width = pixels.shape[:2]
    picture = _blurred(pixels, 0.5).astype(np.float32)
    bloom = _blurred(pixels, 9.0).astype(np.float32)
    lit = 255.0 - (255.0 - picture) * (255.0 - 0.22 * bloom) / 255.0
    share = lit / 255.0
    curved = 255.0 * (share * share * (3.0 - 2.0 * share) * 0.5 + share * 0.5)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    vignette = (1.0 - 0.26 * np.clip(x * x + y * y - 0.3, 0, None))[..., None]
    grain = rng.normal(size=(height, width, 1)).astype(np.float32) * 5.0
    return _clipped(curved * vignette * np.array([1.0, 0.985, 0.95], np.float32) + grain)


_FINISHES: Final[dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]]] = {
    "watercolor": _watercolor,
    "oil-painting": _oil,
    "line-art": _line_art,
    "pixel-art": _pixel_art,
    "neon-punk": _neon,
    "photographic": _photographic,
}

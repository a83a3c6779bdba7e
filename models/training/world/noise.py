"""Smooth noise, blurs and warps for the finishes; each works on whole pictures."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

_SIDE: Final = 640
"""Side of the noise tiles in pixels; those of larger pictures are a multiple of it."""


@cache
def _tile(side: int, cell: int, cell_x: int) -> np.ndarray:
    rng = np.random.default_rng((cell, cell_x))
    small = rng.normal(size=(side // cell + 2, side // cell_x + 2)).astype(np.float32) * 0.5
    whole = Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(whole)


def noise(shape: tuple[int, int], cell: int, rng: np.random.Generator, cell_x: int | None = None) -> np.ndarray:
    """(height, width) float32 smooth noise, about -1 to 1, with features of `cell` pixels.

    A window of a tile that is made once: drawing fresh noise for each picture took a third of all time.
    """
    side = _SIDE * (1 + max(shape) // _SIDE)
    tile = _tile(side, cell, cell_x or cell)
    top, left = int(rng.integers(side - shape[0])), int(rng.integers(side - shape[1]))
    window = tile[top : top + shape[0], left : left + shape[1]]
    return window[:: int(rng.choice((-1, 1)))]


def blurred(pixels: np.ndarray, radius: float) -> np.ndarray:
    """A Gaussian blur of uint8 pixels."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def warped(pixels: np.ndarray, strength: float, cell: int, rng: np.random.Generator) -> np.ndarray:
    """Move each pixel by smooth noise, nearest neighbour."""
    height, width = pixels.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None] + strength * noise((height, width), cell, rng)
    columns = np.arange(width, dtype=np.float32)[None, :] + strength * noise((height, width), cell, rng)
    flat = np.clip(rows + 0.5, 0, height - 1).astype(np.int32) * width
    flat += np.clip(columns + 0.5, 0, width - 1).astype(np.int32)
    moved: np.ndarray = pixels.reshape(-1, 3).take(flat, axis=0)
    return moved


def clipped(picture: np.ndarray) -> np.ndarray:
    """Float pixels of 0 to 255 as uint8."""
    pixels: np.ndarray = np.clip(picture, 0, 255).astype(np.uint8)
    return pixels


def luma(picture: np.ndarray) -> np.ndarray:
    """(height, width, 1) brightness of float pixels, on the same scale."""
    bright: np.ndarray = (picture @ np.array([0.30, 0.59, 0.11], np.float32))[..., None]
    return bright


@cache
def distance_from_middle(height: int, width: int) -> np.ndarray:
    """(height, width, 1) squared distance from the middle: 1 in the middle of each side."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    squared: np.ndarray = (x * x + y * y)[..., None]
    return squared

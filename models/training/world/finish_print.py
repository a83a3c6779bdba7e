"""Finishes of print and screen: ink lines, pixels, neon tubes, comic print.

Hatching and halftone repeat every 8 pixels and are their own mirror image, so that they always lie alike on the 16 pixels
of a latent position: an autoencoder learns one pattern, not all of its shifts.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from PIL import Image

from models.training.world.noise import blurred, clipped, luma, noise, warped


@cache
def _hatch(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal pen lines in both directions, as masks."""
    y, x = np.mgrid[0:height, 0:width]
    return ((x + y + 1) % 8 < 1)[..., None], ((x - y) % 8 < 1)[..., None]


def line_art(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A hand that trembles, hatching where the drawing is dark, the tooth of paper."""
    shape = pixels.shape[:2]
    drawn = warped(pixels, 1.3, 9, rng).astype(np.float32)
    bright, (first, other) = luma(drawn) / 255.0, _hatch(*shape)
    is_night = bright.mean() < 0.45
    wobble = 0.06 * noise(shape, 8, rng)[..., None]
    ink = first & (bright + wobble < 0.80) & (bright > 0.25)
    ink |= other & (bright + wobble < 0.62) & (bright > 0.25)
    shown = np.where(ink, drawn * (0.80 if is_night else 0.62), drawn)
    return clipped(shown + 5.0 * noise(shape, 2, rng)[..., None])


def pixel_art(pixels: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Blocks of 4 x 4 pixels in a palette of 24 colours."""
    height, width = pixels.shape[:2]
    small = Image.fromarray(pixels).resize((width // 4, height // 4), Image.Resampling.BOX)
    few = small.quantize(24, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).convert("RGB")
    return np.repeat(np.repeat(np.asarray(few), 4, axis=0), 4, axis=1)


def neon(pixels: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Bright lines bloom into the dark."""
    bright = np.where(pixels.max(axis=2, keepdims=True) > 140, pixels, 0).astype(np.uint8)
    near, far = blurred(bright, 2.0).astype(np.float32), blurred(bright, 7.0).astype(np.float32)
    return clipped(pixels.astype(np.float32) * 0.92 + 0.35 * near + 0.55 * far)


@cache
def _dots(height: int, width: int) -> np.ndarray:
    """A halftone screen at 45 degrees: 0 in the middle of a dot, 1 between dots."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    screen = (np.cos((x + y) * np.pi / 4.0) * np.cos((x - y) * np.pi / 4.0) + 1.0) / 2.0
    return np.asarray(1.0 - screen, np.float32)[..., None]


def comic(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Few flat tones, halftone dots in the middle tones, cheap paper, a black frame on a white margin."""
    height, width = pixels.shape[:2]
    few = np.round(pixels.astype(np.float32) / 51.0) * 51.0
    few = 0.75 * few + 0.25 * pixels
    bright = luma(pixels.astype(np.float32)) / 255.0
    shade = np.clip(0.86 - bright, 0.0, 0.55) * (bright > 0.22)
    inked = np.where((_dots(height, width) < 0.95 * shade) & (shade > 0.10), few * 0.76, few + 8.0)
    paper = inked * np.array([1.0, 0.985, 0.93], np.float32) + 3.0 * noise((height, width), 2, rng)[..., None]
    paper[:6], paper[-6:], paper[:, :6], paper[:, -6:] = 246, 246, 246, 246
    for frame in (paper[5:7, 5:-5], paper[-7:-5, 5:-5], paper[5:-5, 5:7], paper[5:-5, -7:-5]):
        frame[...] = 18
    return clipped(paper)


def blueprint(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White lines on blue paper with a fine grid."""
    height, width = pixels.shape[:2]
    bright = luma(pixels.astype(np.float32)) / 255.0
    ink = np.clip(1.25 - 1.6 * bright, 0.0, 1.0)
    if bright.mean() < 0.45:
        ink = np.clip(1.8 * bright - 0.25, 0.0, 1.0)
    y, x = np.mgrid[0:height, 0:width]
    grid = (0.10 * ((x % 16 == 0) | (y % 16 == 0)))[..., None]
    paper = np.array([22, 62, 142], np.float32) * (1.0 + 0.05 * noise((height, width), 18, rng)[..., None])
    return clipped(paper + (np.maximum(ink, grid)) * (np.array([236, 244, 255], np.float32) - paper))


def stained_glass(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Glowing panes, richer colour, a dark frame."""
    picture = pixels.astype(np.float32)
    grey = luma(picture)
    rich = grey + (picture - grey) * 1.35
    panes = rich * (1.08 + 0.14 * noise(pixels.shape[:2], 20, rng)[..., None])
    glow = blurred(clipped(panes), 6.0).astype(np.float32)
    shown = panes * 0.85 + glow * 0.25
    shown[:8], shown[-8:], shown[:, :8], shown[:, -8:] = 22, 22, 22, 22
    return clipped(shown)


PAPER: Final = np.array([247, 240, 222], np.float32)
CORAL: Final = np.array([255, 104, 92], np.float32) / 255.0
INDIGO: Final = np.array([38, 58, 128], np.float32) / 255.0


def risograph(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two inks on warm paper: indigo where the drawing is dark, a screen of coral where it is warm or of middle tone."""
    shape, drawn = pixels.shape[:2], pixels.astype(np.float32) / 255.0
    bright = luma(drawn)
    warmth = drawn[..., :1] - drawn[..., 2:]
    dark = np.clip(1.25 - 1.75 * bright, 0.0, 1.0)
    warm = np.clip(0.25 + 1.3 * warmth + 0.5 * (0.6 - np.abs(bright - 0.5)), 0.0, 1.0)
    screened = np.clip((warm - _dots(*shape)) * 2.5 + warm, 0.0, 1.0)
    worn = 1.0 - 0.10 * np.abs(noise(shape, 2, rng)[..., None])
    printed = PAPER * (1.0 - worn * screened * (1.0 - CORAL)) * (1.0 - worn * dark * (1.0 - INDIGO))
    return clipped(printed)

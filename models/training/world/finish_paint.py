"""Finishes of the painter: watercolour, oil, fantasy art."""

from __future__ import annotations

import numpy as np
import skia  # type: ignore[import-not-found]
from PIL import Image

from models.training.world.noise import blurred, clipped, distance_from_middle, luma, noise, warped


def watercolor(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Wobbling edges that darken, pigment that pools and bleeds, paper that shows, an unpainted border."""
    shape = pixels.shape[:2]
    soft = blurred(warped(pixels, 1.9, 12, rng), 0.6)
    wide = blurred(soft, 3.2).astype(np.float32)
    soft = soft.astype(np.float32)
    edges = np.abs(soft - wide).mean(axis=2, keepdims=True)
    pools = 1.0 + 0.20 * noise(shape, 26, rng)[..., None] + 0.08 * noise(shape, 6, rng)[..., None]
    tooth = noise(shape, 2, rng)[..., None]
    paper = np.array([251, 247, 238], np.float32) * (1.0 + 0.020 * tooth)
    pigment = 1.0 - (1.0 - (0.85 * soft + 0.15 * wide) / 255.0) * (0.86 * pools + 0.05 * tooth)
    picture = paper * np.clip(pigment, 0, 1) - 0.85 * edges
    border = _border(shape, rng)
    return clipped(picture * border + paper * (1.0 - border))


def _border(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    height, width = shape
    y = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    x = np.minimum(np.arange(width), np.arange(width)[::-1])[None, :]
    inside = np.minimum(y, x) + 7.0 * noise(shape, 16, rng) + 2.0 * noise(shape, 4, rng)
    return np.clip((inside - 6.0) / 2.5, 0.0, 1.0)[..., None].astype(np.float32)


Pass = tuple[float, float, float]
"""Of strokes: their width in pixels, and least and most detail where they are laid."""


def _stroked(pixels: np.ndarray, rng: np.random.Generator, passes: tuple[Pass, ...]) -> np.ndarray:
    """Repaint with strokes along edges where there are some and along a smooth flow elsewhere."""
    height, width = pixels.shape[:2]
    surface = skia.Surface(width, height)
    form = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kUnpremul_AlphaType)
    opaque = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
    surface.writePixels(skia.Pixmap(form, opaque, width * 4))
    grey = luma(pixels.astype(np.float32))[..., 0]
    soft = blurred(grey.astype(np.uint8), 2.0).astype(np.float32)
    down, right = np.gradient(soft)
    detail = np.hypot(down, right) + 0.4 * np.abs(grey - soft)
    free = 1.7 * noise((height, width), 60, rng) + 0.5 * noise((height, width), 14, rng)
    flow = np.where(detail > 5.0, np.arctan2(right, -down), free)
    for thick, least, most in passes:
        _lay(surface.getCanvas(), pixels, flow, thick, rng.permutation(_spots(detail, thick, (least, most), rng)))
    return np.ascontiguousarray(surface.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3])


def _spots(detail: np.ndarray, thick: float, bounds: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """(count, 4) where strokes begin, as row and column, and chance for their length and tone."""
    (height, width), step = detail.shape, 0.85 * thick
    rows, columns = np.meshgrid(
        np.arange(step / 2, height, step), np.arange(step / 2, width, 1.5 * step), indexing="ij"
    )
    places = np.stack([rows.ravel(), columns.ravel()], 1) + rng.uniform(-0.5, 0.5, (rows.size, 2)) * step
    places = np.clip(places, 0, (height - 1, width - 1))
    seen = detail[places[:, 0].astype(int), places[:, 1].astype(int)]
    places = places[(seen >= bounds[0]) & (seen <= bounds[1])]
    return np.concatenate([places, rng.random((len(places), 2))], 1)


def _lay(canvas: skia.Canvas, pixels: np.ndarray, flow: np.ndarray, thick: float, spots: np.ndarray) -> None:
    paint = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=thick)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    rows, columns = spots[:, 0].astype(int), spots[:, 1].astype(int)
    angles, long = flow[rows, columns], thick * (0.4 + 0.5 * spots[:, 2])
    across = np.stack([np.cos(angles) * long, np.sin(angles) * long], 1)
    places = spots[:, 1::-1]
    tones = np.clip(pixels[rows, columns].astype(int) + (23 * spots[:, 3:] - 11).astype(int), 0, 255)
    packed = 0xFF000000 | tones[:, 0] << 16 | tones[:, 1] << 8 | tones[:, 2]
    ends = zip((places - across).tolist(), (places + across).tolist(), packed.tolist(), strict=True)
    for start, end, tone in ends:
        paint.setColor(tone)
        canvas.drawLine(*start, *end, paint)


def oil(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Visible strokes of thick paint, lit from the side, richer colour, the weave of canvas."""
    strokes = _stroked(pixels, rng, ((9.0, 0.0, 3.0), (4.6, 1.5, 14.0), (2.6, 8.0, 255.0))).astype(np.float32)
    grey = luma(strokes)
    rich = grey + (strokes - grey) * 1.18
    bristles = noise(pixels.shape[:2], 2, rng, cell_x=9)[..., None]
    relief = (grey - np.roll(grey, (1, 1), axis=(0, 1))) * 0.22
    return clipped(rich * (1.0 + 0.045 * bristles) + np.clip(relief, -14, 14))


def fantasy(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fine strokes, violet shadows and golden lights, a luminous haze and drifting sparks."""
    height, width = pixels.shape[:2]
    strokes = _stroked(pixels, rng, ((7.0, 0.0, 3.0), (3.4, 2.0, 16.0))).astype(np.float32)
    light = luma(strokes) / 255.0
    graded = (
        strokes * (0.86 + 0.2 * light)
        + (1.0 - light) * np.array([20, -6, 44], np.float32)
        + light * np.array([14, 6, -14], np.float32)
    )
    haze = blurred(clipped(graded), 10.0).astype(np.float32)
    lit = 255.0 - (255.0 - graded) * (255.0 - 0.34 * haze) / 255.0
    lit *= 1.0 - 0.24 * np.clip(distance_from_middle(height, width) - 0.35, 0, None)
    return _sparks(clipped(lit), rng)


def _sparks(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    glow = np.zeros((height, width, 3), np.float32)
    tone = np.array(((255, 225, 140), (170, 240, 255))[int(rng.integers(2))], np.float32)
    ys, xs = rng.integers(3, height - 3, 34), rng.integers(3, width - 3, 34)
    glow[ys, xs] = tone * rng.uniform(0.6, 1.0, (34, 1))
    soft = np.asarray(Image.fromarray(clipped(glow)).resize((width, height)))
    bloom = blurred(soft, 2.2).astype(np.float32) * 14.0
    return clipped(pixels + np.minimum(bloom, 190.0) + glow * 0.6)

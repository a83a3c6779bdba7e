"""Finishes of the lens: photograph, film still, old film, studio picture, clay figure, anime cel."""

from __future__ import annotations

import numpy as np

from models.training.world.noise import blurred, clipped, distance_from_middle, luma, noise


def _exposed(pixels: np.ndarray, sharpness: float, bloom: float, curve: float) -> np.ndarray:
    """Float pixels through a lens: a soft focus, light that spills, and a contrast curve."""
    picture = blurred(pixels, sharpness).astype(np.float32) if sharpness else pixels.astype(np.float32)
    spill = blurred(pixels, 9.0).astype(np.float32)
    share = 1.0 - (255.0 - picture) * (255.0 - bloom * spill) / 65025.0
    exposed: np.ndarray = 255.0 * (share * share * (3.0 - 2.0 * share) * curve + share * (1.0 - curve))
    return exposed


def _vignette(picture: np.ndarray, strength: float) -> np.ndarray:
    shaded: np.ndarray = picture * (
        1.0 - strength * np.clip(distance_from_middle(picture.shape[0], picture.shape[1]) - 0.3, 0, None)
    )
    return shaded


def _grain(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    speckle: np.ndarray = strength * 2.0 * noise((picture.shape[0], picture.shape[1]), 1, rng)[..., None]
    grainy: np.ndarray = picture + speckle
    return grainy


def photographic(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bloom, a soft contrast curve, mottled surfaces, vignette and fine grain."""
    exposed = _exposed(pixels, 0.45, 0.22, 0.55)
    mottled = exposed * (
        1.0 + 0.035 * noise(pixels.shape[:2], 5, rng)[..., None] + 0.02 * noise(pixels.shape[:2], 2, rng)[..., None]
    )
    return clipped(_grain(_vignette(mottled, 0.24) * np.array([1.0, 0.985, 0.95], np.float32), 3.0, rng))


def cinematic(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Teal shadows, amber lights, deep contrast, and the black bars of a wide frame."""
    exposed = _exposed(pixels, 0.45, 0.30, 0.95)
    light = luma(exposed) / 255.0
    graded = (
        exposed * 0.92 + (1.0 - light) * np.array([-20, 6, 22], np.float32) + light * np.array([16, 2, -20], np.float32)
    )
    shown = clipped(_grain(_vignette(graded, 0.42), 3.0, rng))
    bar = round(0.09 * pixels.shape[0])
    shown[:bar], shown[-bar:] = 0, 0
    return shown


def analog_film(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Faded blacks, warm tones, a leak of light at one side, coarse grain, a pale frame."""
    exposed = _exposed(pixels, 0.7, 0.20, 0.15)
    grey = luma(exposed)
    faded = (grey + (exposed - grey) * 0.74) * np.array([0.90, 0.82, 0.70], np.float32) + np.array(
        [36, 30, 28], np.float32
    )
    width = pixels.shape[1]
    leak = np.clip(1.0 - np.arange(width, dtype=np.float32) / (0.34 * width), 0, 1) ** 1.6
    leak = (leak if rng.random() < 0.5 else leak[::-1])[None, :, None] * np.array([120, 46, 8], np.float32)
    shown = clipped(_grain(_vignette(faded, 0.20) + leak * 0.7, 6.0, rng))
    shown[:7], shown[-7:], shown[:, :7], shown[:, -7:] = 238, 238, 238, 238
    return shown


def product(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Clean light, gentle contrast, hardly any grain."""
    return clipped(_grain(_vignette(_exposed(pixels, 0.0, 0.16, 0.35), 0.10), 1.0, rng))


def clay(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Soft studio light over surfaces with the dents of fingers."""
    dents = noise(pixels.shape[:2], 7, rng)[..., None]
    relief = np.roll(dents, (1, 1), axis=(0, 1)) - dents
    exposed = _exposed(pixels, 0.5, 0.16, 0.4)
    return clipped(_vignette(exposed * (1.0 + 0.15 * relief), 0.22))


def anime(pixels: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Clear colour with light that blooms from above."""
    bright = np.where(luma(pixels.astype(np.float32)) > 205, pixels, 0).astype(np.uint8)
    bloom = blurred(bright, 8.0).astype(np.float32)
    fall = np.linspace(1.06, 0.96, pixels.shape[0], dtype=np.float32)[:, None, None]
    return clipped(pixels.astype(np.float32) * fall + 0.20 * bloom)

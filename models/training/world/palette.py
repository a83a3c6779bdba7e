"""Colours and light: what each colour word means, and how each time of day changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

Rgb: TypeAlias = tuple[float, float, float]
"""Red, green, blue, each 0 to 1, as stored in the file (sRGB)."""

COLOUR_RGB: Final[dict[str, Rgb]] = {
    "red": (0.86, 0.13, 0.13),
    "orange": (0.97, 0.52, 0.07),
    "yellow": (0.98, 0.84, 0.15),
    "green": (0.18, 0.62, 0.24),
    "blue": (0.13, 0.37, 0.86),
    "purple": (0.50, 0.20, 0.70),
    "pink": (0.98, 0.48, 0.68),
    "white": (0.95, 0.95, 0.93),
    "black": (0.12, 0.12, 0.14),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The light of one time of day: sky from top to horizon, and what it does to a lit surface."""

    sky: tuple[Rgb, Rgb, Rgb]
    ambient: Rgb
    haze: Rgb
    water: Rgb
    is_dark: bool = False

    def on(self, colour: Rgb) -> Rgb:
        """The colour as it looks under this light."""
        return (
            colour[0] * self.ambient[0],
            colour[1] * self.ambient[1],
            colour[2] * self.ambient[2],
        )


LIGHTS: Final[dict[str, Light]] = {
    "day": Light(
        sky=((0.24, 0.53, 0.90), (0.50, 0.76, 0.96), (0.84, 0.94, 0.98)),
        ambient=(1.0, 1.0, 1.0),
        haze=(0.78, 0.89, 0.96),
        water=(0.12, 0.46, 0.66),
    ),
    "dawn": Light(
        sky=((0.56, 0.60, 0.84), (0.86, 0.72, 0.84), (1.0, 0.86, 0.78)),
        ambient=(0.98, 0.88, 0.90),
        haze=(0.93, 0.82, 0.86),
        water=(0.50, 0.52, 0.70),
    ),
    "sunset": Light(
        sky=((0.27, 0.17, 0.44), (0.83, 0.32, 0.36), (1.0, 0.70, 0.28)),
        ambient=(0.94, 0.72, 0.64),
        haze=(0.93, 0.56, 0.40),
        water=(0.36, 0.20, 0.38),
    ),
    "night": Light(
        sky=((0.02, 0.03, 0.11), (0.05, 0.08, 0.23), (0.12, 0.19, 0.40)),
        ambient=(0.62, 0.66, 0.82),
        haze=(0.13, 0.18, 0.36),
        water=(0.03, 0.07, 0.20),
        is_dark=True,
    ),
}


def mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    """`share` of the second colour in the first."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def lighter(colour: Rgb, share: float) -> Rgb:
    """Towards white."""
    return mixed(colour, (1.0, 1.0, 1.0), share)


def darker(colour: Rgb, share: float) -> Rgb:
    """Towards black."""
    return mixed(colour, (0.0, 0.0, 0.0), share)


def jittered(colour: Rgb, rng: np.random.Generator, spread: float = 0.025) -> Rgb:
    """The colour moved a little, so that no two things are painted from the same tin."""
    moved = np.clip(np.asarray(colour) + rng.normal(size=3) * spread, 0.0, 1.0)
    return (float(moved[0]), float(moved[1]), float(moved[2]))


def weathered(light: Light, weather: str) -> Light:
    """The light under fog, falling snow or a storm: the sky greys, the haze comes nearer."""
    if weather == "clear":
        return light
    dim = 0.30 if light.is_dark else 0.78
    greys: dict[str, tuple[Rgb, float]] = {
        "fog": ((dim, dim, dim * 1.02), 0.55),
        "snowfall": ((dim * 0.95, dim * 0.98, dim * 1.06), 0.50),
        "storm": ((dim * 0.36, dim * 0.39, dim * 0.46), 0.72),
    }
    grey, share = greys[weather]
    top, middle, low = (mixed(colour, grey, share) for colour in light.sky)
    return Light(
        sky=(top, middle, low),
        ambient=mixed(light.ambient, (0.72, 0.74, 0.8) if weather == "storm" else light.ambient, 0.5),
        haze=mixed(light.haze, grey, share),
        water=mixed(light.water, darker(grey, 0.3), share * 0.7),
        is_dark=light.is_dark,
    )

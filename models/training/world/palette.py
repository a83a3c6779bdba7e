"""Colours and light: what each colour word means, and how each time of day changes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

Rgb: TypeAlias = tuple[float, float, float]
"""Red, green, blue, each 0 to 1, as stored in the file (sRGB)."""

COLOUR_RGB: Final[dict[str, Rgb]] = {
    "red": (0.86, 0.12, 0.13),
    "orange": (0.98, 0.52, 0.06),
    "yellow": (0.99, 0.85, 0.14),
    "green": (0.16, 0.62, 0.24),
    "blue": (0.12, 0.36, 0.88),
    "purple": (0.50, 0.19, 0.72),
    "pink": (0.99, 0.48, 0.70),
    "white": (0.96, 0.96, 0.94),
    "black": (0.11, 0.11, 0.13),
    "brown": (0.47, 0.27, 0.13),
    "grey": (0.52, 0.55, 0.59),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The light of one time of day: sky from top to horizon, and what it does to a lit surface."""

    sky: tuple[Rgb, Rgb, Rgb]
    ambient: Rgb
    haze: Rgb
    water: Rgb
    cloud: Rgb
    shade: Rgb
    """Underside of a cloud, and what lies in shadow."""
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
        sky=((0.16, 0.46, 0.88), (0.44, 0.73, 0.96), (0.84, 0.94, 0.98)),
        ambient=(1.0, 1.0, 1.0),
        haze=(0.78, 0.89, 0.96),
        water=(0.08, 0.44, 0.66),
        cloud=(1.0, 1.0, 1.0),
        shade=(0.74, 0.82, 0.92),
    ),
    "dawn": Light(
        sky=((0.52, 0.58, 0.85), (0.87, 0.72, 0.85), (1.0, 0.87, 0.77)),
        ambient=(0.99, 0.89, 0.90),
        haze=(0.95, 0.83, 0.86),
        water=(0.50, 0.52, 0.72),
        cloud=(1.0, 0.93, 0.91),
        shade=(0.86, 0.68, 0.80),
    ),
    "sunset": Light(
        sky=((0.25, 0.15, 0.44), (0.85, 0.30, 0.36), (1.0, 0.72, 0.28)),
        ambient=(0.97, 0.74, 0.64),
        haze=(0.95, 0.56, 0.38),
        water=(0.36, 0.19, 0.38),
        cloud=(1.0, 0.66, 0.44),
        shade=(0.52, 0.22, 0.42),
    ),
    "night": Light(
        sky=((0.015, 0.025, 0.10), (0.04, 0.07, 0.24), (0.11, 0.20, 0.42)),
        ambient=(0.62, 0.66, 0.82),
        haze=(0.13, 0.18, 0.37),
        water=(0.03, 0.07, 0.20),
        cloud=(0.20, 0.24, 0.40),
        shade=(0.06, 0.08, 0.20),
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


def jittered(colour: Rgb, rng: np.random.Generator, spread: float = 0.02) -> Rgb:
    """The colour moved a little, so that no two things are painted from the same tin."""
    moved = np.clip(np.asarray(colour) + rng.normal(size=3) * spread, 0.0, 1.0)
    return (float(moved[0]), float(moved[1]), float(moved[2]))


def saturated(colour: Rgb, gain: float) -> Rgb:
    """The colour further from its own grey."""
    grey = (colour[0] + colour[1] + colour[2]) / 3
    red, green, blue = (min(1.0, max(0.0, grey + (part - grey) * gain)) for part in colour)
    return (red, green, blue)


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
    stormy = weather == "storm"
    return replace(
        light,
        sky=(top, middle, low),
        ambient=mixed(light.ambient, (0.72, 0.74, 0.8) if stormy else light.ambient, 0.5),
        haze=mixed(light.haze, grey, share),
        water=mixed(light.water, darker(grey, 0.3), share * 0.7),
        cloud=mixed(light.cloud, (0.34, 0.36, 0.43) if stormy else grey, 0.75 if stormy else 0.4),
        shade=mixed(light.shade, (0.12, 0.13, 0.18) if stormy else grey, 0.7 if stormy else 0.4),
    )

"""What a scene is: the words of the world and how one scene is drawn from chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

SUBJECTS: Final = (
    "lighthouse", "boat", "house", "castle", "tree", "balloon",
    "car", "robot", "cat", "flower", "rocket", "tent",
)  # fmt: skip
COLOURS: Final = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")
LANDS: Final = ("sea", "lake", "mountains", "meadow", "desert", "forest", "city", "beach", "snow")
TIMES: Final = ("day", "dawn", "sunset", "night")
WEATHERS: Final = ("clear", "fog", "snowfall", "storm")
STYLES: Final = (
    "digital-art", "watercolor", "oil-painting", "line-art", "pixel-art", "neon-punk", "photographic",
)  # fmt: skip
SIZES: Final = ((256, 256), (320, 192), (192, 320))
"""Width and height in pixels; each has 240 or 256 latent positions at a factor of 16."""

WATER: Final = frozenset({"sea", "lake", "beach"})
FLYING: Final = frozenset({"balloon", "rocket"})

_STYLE_ODDS: Final = (0.24, 0.14, 0.13, 0.12, 0.12, 0.12, 0.13)
_TIME_ODDS: Final = (0.32, 0.17, 0.26, 0.25)
_WEATHER_ODDS: Final = (0.79, 0.07, 0.07, 0.07)
_COUNT_ODDS: Final = (0.09, 0.76, 0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One coloured subject. `x` is its centre and `size` its height, as shares of the picture."""

    kind: str
    colour: str
    x: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a picture and its captions are made from; equal scenes give equal pixels."""

    things: tuple[Thing, ...]
    land: str
    time: str
    weather: str
    style: str
    width: int
    height: int
    seed: int


def drawn_scene(rng: np.random.Generator, size: tuple[int, int] = (256, 256)) -> Scene:
    """Draw one scene; the number of things, their kinds, colours and places are chance."""
    count = int(rng.choice(3, p=_COUNT_ODDS))
    kinds = [str(kind) for kind in rng.choice(SUBJECTS, size=count, replace=False)]
    land = _land_for(kinds, rng)
    return Scene(
        things=_placed(kinds, rng),
        land=land,
        time=str(rng.choice(TIMES, p=_TIME_ODDS)),
        weather=str(rng.choice(WEATHERS, p=_WEATHER_ODDS)),
        style=str(rng.choice(STYLES, p=_STYLE_ODDS)),
        width=size[0],
        height=size[1],
        seed=int(rng.integers(2**31)),
    )


def _land_for(kinds: list[str], rng: np.random.Generator) -> str:
    if "boat" in kinds:
        return str(rng.choice(("sea", "lake", "beach"), p=(0.42, 0.42, 0.16)))
    if "lighthouse" in kinds and rng.random() < 0.6:
        return str(rng.choice(("sea", "beach"), p=(0.75, 0.25)))
    return str(rng.choice(LANDS))


def _placed(kinds: list[str], rng: np.random.Generator) -> tuple[Thing, ...]:
    """One thing stands big near the middle; two stand side by side, the first one on the left."""
    if len(kinds) == 1:
        x, size = 0.5 + rng.normal() * 0.09, rng.uniform(0.46, 0.66)
        return (_thing(kinds[0], float(np.clip(x, 0.28, 0.72)), size, rng),)
    places = (rng.uniform(0.24, 0.30), rng.uniform(0.70, 0.76))
    return tuple(_thing(kind, x, rng.uniform(0.38, 0.48), rng) for kind, x in zip(kinds, places, strict=False))


def _thing(kind: str, x: float, size: float, rng: np.random.Generator) -> Thing:
    return Thing(kind=kind, colour=str(rng.choice(COLOURS)), x=float(x), size=float(size))

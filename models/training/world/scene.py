"""What a scene is: the words of the world and how one scene is drawn from chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

SUBJECTS: Final = (
    "lighthouse", "boat", "house", "castle", "tree", "balloon", "car", "robot", "cat", "flower", "rocket", "tent",
    "train", "dog", "bird", "fish", "horse", "cactus", "bridge", "kite", "lamp",
    "apple", "pear", "bowl", "cup", "vase", "book",
)  # fmt: skip
COLOURS: Final = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "brown", "grey",
)  # fmt: skip
LANDS: Final = (
    "sea", "lake", "mountains", "hills", "meadow", "desert", "forest", "city", "beach", "snow", "table", "studio",
)  # fmt: skip
TIMES: Final = ("day", "dawn", "sunset", "night")
WEATHERS: Final = ("clear", "fog", "snowfall", "storm")
RELATIONS: Final = ("none", "left", "behind", "above")
STYLES: Final = (
    "digital-art", "watercolor", "oil-painting", "line-art", "pixel-art", "neon-punk", "photographic", "anime",
    "comic-book", "low-poly", "isometric", "3d-render", "cinematic", "analog-film", "product", "fantasy-art",
)  # fmt: skip
ADAPTER_STYLES: Final = ("blueprint", "stained-glass", "risograph")
"""Styles that no scene is drawn in by chance: small adapters teach them to the finished model."""
SIZES: Final = ((256, 256), (320, 192), (192, 320), (288, 224), (224, 288), (352, 176), (176, 352))
"""Width and height in pixels: about 65,536 pixels at ratios from 1:2 to 2:1, sides multiples of 16."""

WATER: Final = frozenset({"sea", "lake", "beach"})
INDOORS: Final = frozenset({"table", "studio"})
FLYING: Final = frozenset({"balloon", "rocket", "bird", "kite"})
AFLOAT: Final = frozenset({"boat", "fish"})
STILL_LIFE: Final = frozenset({"apple", "pear", "bowl", "cup", "vase", "book"})
SMALL: Final = 0.40
"""Things below this share of the picture's height may be called small."""
BIG: Final = 0.66

_OUTDOORS: Final = tuple(land for land in LANDS if land not in INDOORS)
_STYLE_ODDS: Final = (0.13, *(0.06,) * 13, 0.03, 0.06)
_TIME_ODDS: Final = (0.34, 0.17, 0.25, 0.24)
_WEATHER_ODDS: Final = (0.79, 0.07, 0.07, 0.07)
_COUNT_ODDS: Final = (0.08, 0.66, 0.26)
_HERD_ODDS: Final = (0.84, 0.08, 0.05, 0.03)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One coloured subject, or `count` equal ones. `x` is its centre and `size` its height, as shares of the picture."""

    kind: str
    colour: str
    x: float
    size: float
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a picture and its captions are made from; equal scenes give equal pixels.

    `relation` reads from the first thing to the second: left of it, behind it or above it.
    """

    things: tuple[Thing, ...]
    land: str
    time: str
    weather: str
    style: str
    width: int
    height: int
    seed: int
    relation: str = "none"


def drawn_scene(rng: np.random.Generator, size: tuple[int, int] = (256, 256)) -> Scene:
    """Draw one scene; the number of things, their kinds, colours and places are chance."""
    count = int(rng.choice(3, p=_COUNT_ODDS))
    relation = str(rng.choice(RELATIONS[1:], p=(0.6, 0.2, 0.2))) if count == 2 else "none"
    style = str(rng.choice(STYLES, p=_STYLE_ODDS))
    kinds = _kinds(count, relation, style, rng)
    land = "studio" if style == "product" else _land_for(kinds, rng)
    weather = str(rng.choice(WEATHERS, p=_WEATHER_ODDS))
    return Scene(
        things=_centred(_placed(kinds, relation, rng)) if style == "product" else _placed(kinds, relation, rng),
        land=land,
        time="day" if land == "studio" else str(rng.choice(TIMES, p=_TIME_ODDS)),
        weather="clear" if land in INDOORS or style == "isometric" else weather,
        style=style,
        width=size[0],
        height=size[1],
        seed=int(rng.integers(2**31)),
        relation=relation,
    )


def mirrored(scene: Scene) -> Scene:
    """The scene as its mirror picture shows it: what stood left now stands right, so the pair is told the other way."""
    things = tuple(replace(thing, x=1.0 - thing.x) for thing in scene.things)
    return replace(scene, things=things[::-1] if scene.relation == "left" else things)


def _kinds(count: int, relation: str, style: str, rng: np.random.Generator) -> list[str]:
    """Kinds that can stand together: what is above flies, what stands behind is large, nothing indoors meets the sea."""
    if relation == "above":
        above = str(rng.choice(sorted(FLYING)))
        return [above, str(rng.choice([kind for kind in SUBJECTS if kind not in FLYING | STILL_LIFE | {"fish"}]))]
    if relation == "behind":
        behind = str(rng.choice(("castle", "house", "tree", "lighthouse", "bridge", "train", "tent", "rocket")))
        before = [kind for kind in SUBJECTS if kind not in FLYING | STILL_LIFE | AFLOAT | {behind, "bridge"}]
        return [behind, str(rng.choice(before))]
    if style == "product" and count == 0:
        count = 1
    outdoors = [kind for kind in SUBJECTS if kind not in STILL_LIFE]
    pool = sorted(STILL_LIFE) if count == 2 and rng.random() < 0.2 else outdoors if count == 2 else SUBJECTS
    return [str(kind) for kind in rng.choice(pool, size=count, replace=False)]


def _land_for(kinds: list[str], rng: np.random.Generator) -> str:
    if not kinds:
        return str(rng.choice(_OUTDOORS))
    if set(kinds) <= STILL_LIFE and rng.random() < 0.85:
        return str(rng.choice(("table", "studio"), p=(0.85, 0.15)))
    if set(kinds) & AFLOAT:
        return str(rng.choice(("sea", "lake", "beach"), p=(0.42, 0.42, 0.16)))
    if "lighthouse" in kinds and rng.random() < 0.6:
        return str(rng.choice(("sea", "beach"), p=(0.75, 0.25)))
    if kinds[0] in {"robot", "cat", "flower", "book", "lamp"} and len(kinds) == 1 and rng.random() < 0.15:
        return str(rng.choice(("table", "studio")))
    return str(rng.choice(_OUTDOORS))


def _placed(kinds: list[str], relation: str, rng: np.random.Generator) -> tuple[Thing, ...]:
    """One thing stands near the middle; of two the first stands left of, behind or above the second."""
    if not kinds:
        return ()
    if len(kinds) == 1:
        return (_alone(kinds[0], rng),)
    if relation == "left":
        places = (rng.uniform(0.22, 0.30), rng.uniform(0.70, 0.78))
        sizes = (rng.uniform(0.36, 0.48), rng.uniform(0.36, 0.48))
    elif relation == "behind":
        side = float(rng.choice((-1.0, 1.0)))
        places = (0.5 - side * rng.uniform(0.08, 0.14), 0.5 + side * rng.uniform(0.08, 0.14))
        sizes = (rng.uniform(0.56, 0.68), rng.uniform(0.30, 0.38))
    else:
        places = (rng.uniform(0.40, 0.60), rng.uniform(0.40, 0.60))
        sizes = (rng.uniform(0.28, 0.34), rng.uniform(0.34, 0.42))
    return tuple(_thing(kind, x, size, rng) for kind, x, size in zip(kinds, places, sizes, strict=True))


def _centred(things: tuple[Thing, ...]) -> tuple[Thing, ...]:
    """What a shop would show: one thing in the middle and not small."""
    return (
        (replace(things[0], x=0.5, size=max(0.5, things[0].size)),)
        if len(things) == 1 and things[0].count == 1
        else things
    )


def _alone(kind: str, rng: np.random.Generator) -> Thing:
    count, chance = 1 + int(rng.choice(4, p=_HERD_ODDS)), rng.random()
    if count > 1:
        return replace(_thing(kind, 0.5, rng.uniform(0.30, 0.40), rng), count=count)
    x = 0.5 + rng.normal() * 0.05
    if chance < 0.2:
        x = rng.uniform(0.25, 0.33) if chance < 0.1 else rng.uniform(0.67, 0.75)
    low, high = (0.44, 0.64)
    if rng.random() < 0.3:
        low, high = ((0.30, SMALL), (BIG, 0.80))[int(rng.integers(2))]
    return _thing(kind, float(np.clip(x, 0.25, 0.75)), rng.uniform(low, high), rng)


def _thing(kind: str, x: float, size: float, rng: np.random.Generator) -> Thing:
    return Thing(kind=kind, colour=str(rng.choice(COLOURS)), x=float(x), size=float(size))

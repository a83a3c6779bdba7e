"""Captions: many ways to say one scene, and which parts of the scene each of them says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.training.world.scene import COLOURS, FLYING, LANDS, STYLES, SUBJECTS, TIMES, WEATHERS, Scene, Thing
from models.training.world.wording import (
    ADJECTIVES,
    AFLOAT,
    ALOFT,
    COLOUR_WORDS,
    FAULTS,
    OPENINGS,
    PLACES,
    QUALITIES,
    STYLE_FRAMES,
    SUBJECT_WORDS,
    TIME_WORDS,
    VIEWS,
    WEATHER_WORDS,
)

UNSAID: Final = "unsaid"
ABSENT: Final = "absent"
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "kind_0": (*SUBJECTS, ABSENT),
    "colour_0": (*COLOURS, UNSAID, ABSENT),
    "kind_1": (*SUBJECTS, ABSENT),
    "colour_1": (*COLOURS, UNSAID, ABSENT),
    "land": (*LANDS, UNSAID),
    "time": (*TIMES, UNSAID),
    "weather": (*WEATHERS, UNSAID),
    "style": (*STYLES, UNSAID),
}
"""What can be read out of a caption: each field with its possible values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A text and what it says: one value of FIELDS for each field. Thing 0 stands left of thing 1."""

    text: str
    said: dict[str, str]


def captioned(scene: Scene, rng: np.random.Generator) -> Caption:
    """Say the scene in one of many wordings; now and then a part stays unsaid."""
    said = _choose(scene, rng)
    parts = [_subject_part(scene, said, rng), _place_part(scene, said, rng)]
    whens = [_pick(TIME_WORDS[scene.time], rng)] if said["time"] != UNSAID else []
    if said["weather"] != UNSAID:
        whens.append(_pick(WEATHER_WORDS[scene.weather], rng))
        rng.shuffle(whens)
    text = _joined([part for part in parts if part], whens, rng)
    text = _framed(text, scene, said, rng)
    return Caption(text=_roughened(text, rng), said=said)


def negative(rng: np.random.Generator) -> str:
    """A list of faults as people put into negative prompts; it names nothing of the world."""
    return ", ".join(str(word) for word in rng.choice(FAULTS, size=int(rng.integers(1, 7)), replace=False))


def known_words() -> list[str]:
    """Every word the grammar can say, sorted."""
    tables = (SUBJECT_WORDS, COLOUR_WORDS, PLACES, AFLOAT, ALOFT, VIEWS, TIME_WORDS, WEATHER_WORDS, STYLE_FRAMES)
    phrases = [phrase for table in tables for phrases in table.values() for phrase in phrases]
    phrases += [*ADJECTIVES, *OPENINGS, *QUALITIES, *FAULTS]
    phrases += ["a an the and with next to left right of on side by standing beside behind"]
    cleaned = (word.strip(",.{}") for phrase in phrases for word in phrase.replace("-", " ").split())
    return sorted({word for word in cleaned if word})


def _choose(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    said = {"kind_0": ABSENT, "colour_0": ABSENT, "kind_1": ABSENT, "colour_1": ABSENT}
    for index, thing in enumerate(scene.things):
        said[f"kind_{index}"] = thing.kind
        said[f"colour_{index}"] = thing.colour if rng.random() > 0.10 else UNSAID
    keeps_land = not scene.things or rng.random() > 0.08
    said["land"] = scene.land if keeps_land else UNSAID
    said["time"] = scene.time if rng.random() > (0.5 if scene.time == "day" else 0.05) else UNSAID
    said["weather"] = scene.weather if rng.random() < (0.08 if scene.weather == "clear" else 0.97) else UNSAID
    said["style"] = scene.style if scene.style != "digital-art" or rng.random() < 0.5 else UNSAID
    return said


def _subject_part(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    names = [_named(thing, said[f"colour_{index}"], rng) for index, thing in enumerate(scene.things)]
    if len(names) < 2:
        return names[0] if names else ""
    frames = (
        "{0} and {1}", "{0} and {1}", "{0} next to {1}", "{0} with {1}", "{0} beside {1}",
        "{0} to the left of {1}", "{0} left of {1}", "{1} to the right of {0}", "{1} right of {0}",
        "{0} on the left and {1} on the right", "{0}, {1}",
    )  # fmt: skip
    return _pick(frames, rng).format(*names)


def _named(thing: Thing, colour: str, rng: np.random.Generator) -> str:
    words = [_pick(SUBJECT_WORDS[thing.kind], rng)]
    if colour != UNSAID:
        words.insert(0, _pick(COLOUR_WORDS[colour], rng))
    if rng.random() < 0.15:
        words.insert(0, _pick(ADJECTIVES, rng))
    if rng.random() < 0.85:
        words.insert(0, "an" if words[0][0] in "aeiou" else "a" if rng.random() < 0.85 else "the")
    return " ".join(words)


def _place_part(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    if said["land"] == UNSAID:
        return ""
    if not scene.things:
        return _pick(VIEWS[scene.land], rng)
    if rng.random() < 0.08:
        return ", " + _pick(VIEWS[scene.land], rng)
    kinds = {thing.kind for thing in scene.things}
    if kinds <= FLYING and rng.random() < 0.75:
        return _pick(ALOFT[scene.land], rng)
    return _pick(AFLOAT[scene.land] if kinds == {"boat"} else PLACES[scene.land], rng)


def _joined(parts: list[str], whens: list[str], rng: np.random.Generator) -> str:
    order, chance = [*parts, *whens], rng.random()
    if chance < 0.12 and whens:
        order = [whens[0] + ",", *parts, *whens[1:]]
    elif chance < 0.18 and len(parts) == 2:
        order = [parts[1].lstrip(", ") + ",", parts[0], *whens]
    separator = ", " if rng.random() < 0.25 else " "
    return separator.join(order).replace(" ,", ",").replace(",,", ",")


def _framed(text: str, scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    if said["style"] != UNSAID:
        return _pick(STYLE_FRAMES[scene.style], rng).format(text)
    return _pick(OPENINGS, rng).format(text) if rng.random() < 0.2 else text


def _roughened(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.20:
        count = int(rng.integers(1, 4))
        text = ", ".join([text, *(str(word) for word in rng.choice(QUALITIES, size=count, replace=False))])
    if rng.random() < 0.05:
        letters = rng.choice(list("etaoinshrdlucmfwypvbgk"), size=int(rng.integers(3, 9)))
        words = text.split()
        words.insert(int(rng.integers(len(words) + 1)), "".join(letters))
        text = " ".join(words)
    return text


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]

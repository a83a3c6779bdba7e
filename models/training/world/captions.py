"""Captions: many ways to say one scene, and which parts of the scene each of them says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.training.world import scene as world
from models.training.world import settings, wording
from models.training.world.scene import Scene, Thing

UNSAID: Final = "unsaid"
ABSENT: Final = "absent"
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "kind_0": (*world.SUBJECTS, ABSENT),
    "colour_0": (*world.COLOURS, UNSAID, ABSENT),
    "kind_1": (*world.SUBJECTS, ABSENT),
    "colour_1": (*world.COLOURS, UNSAID, ABSENT),
    "relation": world.RELATIONS,
    "count": ("1", "2", "3", "4", ABSENT),
    "size": (*wording.SIZE_WORDS, UNSAID),
    "place": (*wording.PLACE_WORDS, UNSAID),
    "land": (*world.LANDS, UNSAID),
    "time": (*world.TIMES, UNSAID),
    "weather": (*world.WEATHERS, UNSAID),
    "style": (*world.STYLES, UNSAID),
}
"""What can be read out of a caption: each field with its possible values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A text and what it says: one value of FIELDS for each field. Thing 0 is left of, behind or above thing 1."""

    text: str
    said: dict[str, str]


def captioned(scene: Scene, rng: np.random.Generator) -> Caption:
    """Say the scene in one of many wordings; now and then a part stays unsaid."""
    said = _chosen(scene, rng)
    parts = [_subject_part(scene, said, rng), _place_part(scene, said, rng)]
    if not scene.things and said["time"] != UNSAID and rng.random() < 0.35:
        text = f"{_pick(settings.TIME_NOUNS[scene.time], rng)} {_pick(('over', 'in', 'at', 'with'), rng)} {parts[1]}"
        text += f", {_pick(settings.WEATHER_WORDS[scene.weather], rng)}" if said["weather"] != UNSAID else ""
        return Caption(text=_roughened(_framed(text, scene, said, rng), rng), said=said)
    whens = [_pick(settings.TIME_WORDS[scene.time], rng)] if said["time"] != UNSAID else []
    if said["weather"] != UNSAID:
        whens.append(_pick(settings.WEATHER_WORDS[scene.weather], rng))
        rng.shuffle(whens)
    text = _framed(_joined([part for part in parts if part], whens, rng), scene, said, rng)
    return Caption(text=_roughened(text, rng), said=said)


def negative(rng: np.random.Generator) -> str:
    """A list of faults as people put into negative prompts; it names nothing of the world."""
    return ", ".join(str(word) for word in rng.choice(wording.FAULTS, size=int(rng.integers(1, 7)), replace=False))


def known_words() -> list[str]:
    """Every word the grammar can say, sorted."""
    tables = (
        wording.SUBJECT_WORDS, wording.COLOUR_WORDS, wording.SIZE_WORDS, wording.COUNT_WORDS, wording.PLACE_WORDS,
        wording.RELATION_FRAMES, settings.PLACES, settings.AFLOAT, settings.ALOFT, settings.VIEWS, settings.TIME_WORDS,
        settings.TIME_NOUNS, settings.WEATHER_WORDS, settings.STYLE_FRAMES,
    )  # fmt: skip
    phrases = [phrase for table in tables for phrases in table.values() for phrase in phrases]
    phrases += [wording.plural(name) for names in wording.SUBJECT_WORDS.values() for name in names]
    phrases += [*wording.ADJECTIVES, *settings.OPENINGS, *wording.QUALITIES, *wording.FAULTS]
    phrases += ["a an the and over in of with"]
    return sorted(set().union(*(words_of(phrase.replace("{0}", "").replace("{1}", "")) for phrase in phrases)))


def words_of(text: str) -> set[str]:
    """The words of a text as the vocabulary lists them."""
    cleaned = (word.strip(",.{}") for word in text.replace("-", " ").split())
    return {word for word in cleaned if word}


def size_of(thing: Thing) -> str:
    """The size word class that is true of a thing, or UNSAID for what is neither small nor big."""
    if thing.count > 1 or world.SMALL <= thing.size <= world.BIG:
        return UNSAID
    return "small" if thing.size < world.SMALL else "big"


def place_of(thing: Thing) -> str:
    """Whether a thing stands clearly at one side."""
    if thing.count > 1 or 0.36 <= thing.x <= 0.64:
        return UNSAID
    return "left" if thing.x < 0.36 else "right"


def _chosen(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    said = {"kind_0": ABSENT, "colour_0": ABSENT, "kind_1": ABSENT, "colour_1": ABSENT, "count": ABSENT}
    said |= {"size": UNSAID, "place": UNSAID, "relation": scene.relation}
    for index, thing in enumerate(scene.things):
        said[f"kind_{index}"] = thing.kind
        said[f"colour_{index}"] = thing.colour if rng.random() > 0.10 else UNSAID
    if len(scene.things) == 1:
        thing = scene.things[0]
        said["count"] = str(thing.count)
        said["size"] = size_of(thing) if rng.random() < 0.7 else UNSAID
        said["place"] = place_of(thing) if rng.random() < 0.6 else UNSAID
    if scene.things and rng.random() < 0.05:
        return said | {"land": UNSAID, "time": UNSAID, "weather": UNSAID, "style": UNSAID}
    said["land"] = scene.land if not scene.things or rng.random() > 0.08 else UNSAID
    said["time"] = scene.time if rng.random() > (0.5 if scene.time == "day" else 0.05) else UNSAID
    said["time"] = UNSAID if scene.land == "studio" else said["time"]
    said["weather"] = scene.weather if rng.random() < (0.08 if scene.weather == "clear" else 0.97) else UNSAID
    said["weather"] = UNSAID if scene.land in world.INDOORS else said["weather"]
    said["style"] = scene.style if scene.style != "digital-art" or rng.random() < 0.5 else UNSAID
    return said


def _subject_part(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    names = [_named(thing, said[f"colour_{index}"], said["size"], rng) for index, thing in enumerate(scene.things)]
    if not names:
        return ""
    if len(names) == 2:
        return _pick(wording.RELATION_FRAMES[scene.relation], rng).format(*names)
    return names[0] + (" " + _pick(wording.PLACE_WORDS[said["place"]], rng) if said["place"] != UNSAID else "")


def _named(thing: Thing, colour: str, size: str, rng: np.random.Generator) -> str:
    name = _pick(wording.SUBJECT_WORDS[thing.kind], rng)
    words = [wording.plural(name) if thing.count > 1 else name]
    if colour != UNSAID:
        words.insert(0, _pick(wording.COLOUR_WORDS[colour], rng))
    if rng.random() < 0.12:
        words.insert(0, _pick(wording.ADJECTIVES, rng))
    if thing.count > 1:
        return " ".join([_pick(wording.COUNT_WORDS[str(thing.count)], rng), *words])
    if size != UNSAID:
        words.insert(0, _pick(wording.SIZE_WORDS[size], rng))
    if words[0].endswith(" a"):
        return " ".join(["a", *words])
    if rng.random() < 0.85:
        words.insert(0, "an" if words[0][0] in "aeiou" else "a" if rng.random() < 0.85 else "the")
    return " ".join(words)


def _place_part(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    if said["land"] == UNSAID:
        return ""
    if not scene.things:
        return _pick(settings.VIEWS[scene.land], rng)
    if rng.random() < 0.10:
        return ", " + _pick(settings.VIEWS[scene.land], rng)
    kinds = {thing.kind for thing in scene.things}
    if kinds <= world.FLYING and scene.land in settings.ALOFT and rng.random() < 0.75:
        return _pick(settings.ALOFT[scene.land], rng)
    is_afloat = kinds <= world.AFLOAT and scene.land in settings.AFLOAT
    return _pick((settings.AFLOAT if is_afloat else settings.PLACES)[scene.land], rng)


def _joined(parts: list[str], whens: list[str], rng: np.random.Generator) -> str:
    """The parts in one of the orders people use: a sentence, the time or the place first, or a list of tags."""
    order, chance, separator = [*parts, *whens], rng.random(), " "
    if chance < 0.12 and whens:
        order = [whens[0] + ",", *parts, *whens[1:]]
    elif chance < 0.18 and len(parts) == 2:
        order = [parts[1].lstrip(", ") + ",", parts[0], *whens]
    elif chance < 0.30:
        order, separator = [_tag(part) for part in order], ", "
        order = [order[k] for k in rng.permutation(len(order))] if rng.random() < 0.5 else order
    elif chance < 0.50:
        separator = ", "
    return separator.join(order).replace(" ,", ",").replace(",,", ",")


def _tag(part: str) -> str:
    """A part as it stands in a list: without its article or preposition."""
    words = part.lstrip(", ").split()
    while len(words) > 1 and words[0] in {"a", "an", "the", "in", "at", "on", "by", "under", "with", "near", "during"}:
        words.pop(0)
    return " ".join(words)


def _framed(text: str, scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    if said["style"] != UNSAID:
        frame = _pick(settings.STYLE_FRAMES[scene.style], rng)
        is_adjective = not frame.startswith("{}") and not frame.partition("{}")[0].endswith(" of ")
        return frame.format(text.removeprefix("a ") if is_adjective else text)
    return _pick(settings.OPENINGS, rng).format(text) if rng.random() < 0.2 else text


def _roughened(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.20:
        count = int(rng.integers(1, 4))
        text = ", ".join([text, *(str(word) for word in rng.choice(wording.QUALITIES, size=count, replace=False))])
    if rng.random() < 0.05:
        letters = rng.choice(list("etaoinshrdlucmfwypvbgk"), size=int(rng.integers(3, 9)))
        words = text.split()
        words.insert(int(rng.integers(len(words) + 1)), "".join(letters))
        text = " ".join(words)
    return text


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]

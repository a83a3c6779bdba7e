"""Captions say what is in the picture, and the tokenizer can spell anything."""

import numpy as np
import pytest

pytest.importorskip("skia")

from models.training.world.captions import ABSENT, FIELDS, UNSAID, captioned, known_words, negative
from models.training.world.scene import Scene, drawn_scene
from models.training.world.settings import TIME_NOUNS, TIME_WORDS
from models.training.world.wording import COLOUR_WORDS, SUBJECT_WORDS, plural


def scenes(count: int, seed: int = 0) -> list[Scene]:
    rng = np.random.default_rng(seed)
    return [drawn_scene(rng) for _ in range(count)]


def test_a_caption_names_every_thing_that_was_drawn() -> None:
    rng = np.random.default_rng(1)
    for scene in scenes(300):
        text = captioned(scene, rng).text
        for thing in scene.things:
            names = SUBJECT_WORDS[thing.kind]
            assert any(word in text for name in names for word in (name, plural(name))), (thing.kind, text)


def test_what_a_caption_claims_to_say_stands_in_its_text() -> None:
    rng = np.random.default_rng(2)
    for scene in scenes(300):
        caption = captioned(scene, rng)
        if caption.said["colour_0"] not in (UNSAID, ABSENT):
            assert any(word in caption.text for word in COLOUR_WORDS[scene.things[0].colour])
        if caption.said["time"] != UNSAID:
            words = set(caption.text.replace(",", "").split())
            said = (*TIME_WORDS[scene.time], *TIME_NOUNS[scene.time])
            small = {"a", "an", "the", "in", "at", "on", "by", "under", "during"}
            assert any(set(phrase.split()) - small <= words for phrase in said), caption.text


def test_what_is_said_is_always_one_of_the_known_values() -> None:
    rng = np.random.default_rng(3)
    for scene in scenes(200):
        said = captioned(scene, rng).said
        assert set(said) == set(FIELDS)
        assert all(said[name] in FIELDS[name] for name in FIELDS)


def test_one_scene_is_said_in_many_ways() -> None:
    rng, scene = np.random.default_rng(4), scenes(1, seed=8)[0]
    assert len({captioned(scene, rng).text for _ in range(50)}) > 40


def test_the_same_chance_gives_the_same_caption() -> None:
    scene = scenes(1)[0]
    first, second = (captioned(scene, np.random.default_rng(5)).text for _ in range(2))
    assert first == second


def test_a_negative_prompt_names_nothing_of_the_world() -> None:
    rng = np.random.default_rng(6)
    said = {word for _ in range(200) for word in negative(rng).replace(",", "").split()}
    assert not said & {*COLOUR_WORDS, *SUBJECT_WORDS}


def test_the_word_list_holds_what_captions_are_made_of() -> None:
    words = set(known_words())
    assert {"lighthouse", "sunset", "watercolour", "red", "lake", "night"} <= words
    assert all(word == word.lower() and " " not in word for word in words)

"""The procedural world: the same seed paints the same picture, and every word of the world can be painted."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("skia")

from models.training.world.composition import painted
from models.training.world.finish_print import _dots, _hatch
from models.training.world.scene import (
    COLOURS,
    LANDS,
    SIZES,
    STYLES,
    SUBJECTS,
    TIMES,
    WEATHERS,
    Scene,
    Thing,
    drawn_scene,
)

CALM = Scene(things=(), land="meadow", time="day", weather="clear", style="digital-art", width=256, height=256, seed=5)


def of(kind: str, colour: str = "red") -> Scene:
    return replace(CALM, things=(Thing(kind=kind, colour=colour, x=0.5, size=0.55),))


def difference(first: Scene, second: Scene) -> float:
    return float(np.abs(painted(first).astype(float) - painted(second).astype(float)).mean())


def test_the_same_scene_is_painted_to_the_same_pixels() -> None:
    scene = drawn_scene(np.random.default_rng(3))
    assert np.array_equal(painted(scene), painted(scene))


def test_another_seed_of_a_scene_is_another_picture() -> None:
    assert difference(CALM, replace(CALM, seed=6)) > 2.0


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_has_the_size_of_its_scene(size: tuple[int, int]) -> None:
    picture = painted(drawn_scene(np.random.default_rng(1), size))
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_subject_is_seen_in_its_land(kind: str) -> None:
    assert difference(CALM, of(kind)) > 4.0


@pytest.mark.parametrize("land", LANDS)
@pytest.mark.parametrize("time", TIMES)
def test_every_land_is_painted_at_every_time(land: str, time: str) -> None:
    assert painted(replace(CALM, land=land, time=time)).std() > 8.0


@pytest.mark.parametrize("style", [style for style in STYLES if style != CALM.style])
def test_every_style_changes_the_picture(style: str) -> None:
    assert difference(CALM, replace(CALM, style=style)) > 1.5


@pytest.mark.parametrize("weather", [weather for weather in WEATHERS if weather != "clear"])
def test_every_weather_changes_the_picture(weather: str) -> None:
    assert difference(CALM, replace(CALM, weather=weather)) > 3.0


def test_night_is_darker_than_day() -> None:
    assert painted(replace(CALM, time="night")).mean() < 0.6 * painted(CALM).mean()


@pytest.mark.parametrize(("colour", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_a_coloured_subject_shows_its_colour(colour: str, channel: int) -> None:
    middle = painted(of("castle", colour))[150:205, 90:166].reshape(-1, 3).astype(float).mean(axis=0)
    assert int(middle.argmax()) == channel


def test_no_two_colours_look_alike() -> None:
    pictures = [painted(of("balloon", colour)).astype(float) for colour in COLOURS]
    gaps = [np.abs(a - b).mean() for k, a in enumerate(pictures) for b in pictures[:k]]
    assert min(gaps) > 1.0


def test_drawn_scenes_cover_the_whole_world() -> None:
    rng = np.random.default_rng(0)
    scenes = [drawn_scene(rng) for _ in range(600)]
    assert {scene.land for scene in scenes} == set(LANDS)
    assert {scene.style for scene in scenes} == set(STYLES)
    assert {thing.kind for scene in scenes for thing in scene.things} == set(SUBJECTS)


def test_a_boat_is_always_drawn_on_water() -> None:
    rng = np.random.default_rng(2)
    lands = {scene.land for scene in (drawn_scene(rng) for _ in range(600)) for t in scene.things if t.kind == "boat"}
    assert lands <= {"sea", "lake", "beach"}


def test_print_patterns_lie_alike_on_every_latent_position_and_in_the_mirror() -> None:
    for pattern in (_dots(64, 96), *_hatch(64, 96)):
        assert np.allclose(pattern[:48], pattern[16:], atol=1e-4)
        assert np.allclose(pattern[:, :80], pattern[:, 16:], atol=1e-4)
    assert np.allclose(_dots(64, 96)[:, ::-1], _dots(64, 96), atol=1e-4)
    first, other = _hatch(64, 96)
    assert np.array_equal(first[:, ::-1], other)

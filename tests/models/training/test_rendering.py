"""Shards of the world: the same order gives the same pixels, and what is there is not painted again."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skia")

from models.training import rendering
from models.training.rendering import painted_small, read_scenes, rendered
from models.training.world.composition import painted
from models.training.world.scene import ADAPTER_STYLES, STYLES, drawn_scene, mirrored


def test_a_shard_holds_the_pictures_of_its_scenes(tmp_path: Path) -> None:
    options = ["--count", "4", "--shard", "2", "--processes", "1", "--out"]
    rendering.main([*options, str(tmp_path)])
    pictures, scenes = np.load(tmp_path / "0001.npy"), read_scenes(tmp_path / "0001.json")
    assert pictures.dtype == np.uint8
    assert np.array_equal(pictures[1], painted(scenes[1]))


def test_a_shard_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "0000.json").write_text("[]")
    rendering.main(["--count", "2", "--shard", "2", "--processes", "1", "--out", str(tmp_path)])
    assert not (tmp_path / "0000.npy").exists()


def test_no_shard_is_begun_after_the_minutes(tmp_path: Path) -> None:
    rendering.main(["--count", "2", "--shard", "2", "--processes", "1", "--minutes", "-1", "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())


def test_many_processes_paint_what_one_paints() -> None:
    rng = np.random.default_rng(1)
    scenes = [drawn_scene(rng) for _ in range(64)]
    assert np.array_equal(rendered(scenes, 2, painted_small)[::21], rendered(scenes[::21], 1, painted_small))


def test_a_mirrored_pair_is_told_from_the_other_side() -> None:
    rng = np.random.default_rng(2)
    while (scene := drawn_scene(rng)).relation != "left":
        pass
    turned = mirrored(scene)
    assert [thing.kind for thing in turned.things] == [thing.kind for thing in reversed(scene.things)]
    assert turned.things[0].x < turned.things[1].x
    assert mirrored(turned) == scene or mirrored(turned).things[0].x == pytest.approx(scene.things[0].x)


@pytest.mark.parametrize("style", ADAPTER_STYLES)
def test_the_styles_of_adapters_are_never_drawn_by_chance(style: str) -> None:
    assert style not in STYLES

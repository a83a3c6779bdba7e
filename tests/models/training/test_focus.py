"""Where the denoiser looks harder: the rule of thumb holds the subjects that are really painted there."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("skia")

from models.training.focus import subject_places
from models.training.world.composition import painted
from models.training.world.scene import AFLOAT, SUBJECTS, Scene, Thing

SIDE, GRID = 256, 8
PAIRS = {"left": (0.26, 0.74), "behind": (0.4, 0.6), "above": (0.5, 0.5)}


def scene_of(*things: Thing, relation: str = "none", style: str = "digital-art") -> Scene:
    return Scene(
        things=things,
        land="lake" if things and things[0].kind in AFLOAT else "meadow",
        time="day",
        weather="clear",
        style=style,
        width=SIDE,
        height=SIDE,
        seed=5,
        relation=relation,
    )


def share_within(scene: Scene) -> float:
    """Of the pixels that change with the subjects' colours, how many lie where subjects are said to be."""
    other = replace(scene, things=tuple(replace(thing, colour="purple") for thing in scene.things))
    changes = np.abs(painted(scene).astype(int) - painted(other)).sum(axis=2) > 30
    places = np.kron(subject_places(scene, (SIDE // GRID, SIDE // GRID)), np.ones((GRID, GRID))) > 0
    assert changes.sum() > 100
    return float((changes & places).sum() / changes.sum())


@pytest.mark.parametrize("kind", SUBJECTS)
def test_one_thing_lies_in_its_places(kind: str) -> None:
    least = 0.5 if kind == "boat" else 0.9  # its reflection is outside
    assert share_within(scene_of(Thing(kind=kind, colour="yellow", x=0.4, size=0.5))) > least


@pytest.mark.parametrize("relation", PAIRS)
def test_two_things_lie_in_theirs(relation: str) -> None:
    kinds = ("bird", "dog") if relation == "above" else ("house", "cat")
    left, right = PAIRS[relation]
    things = (
        Thing(kind=kinds[0], colour="yellow", x=left, size=0.5 if relation == "behind" else 0.34),
        Thing(kind=kinds[1], colour="red", x=right, size=0.34),
    )
    assert share_within(scene_of(*things, relation=relation)) > 0.9


def test_most_of_the_picture_is_left_alone() -> None:
    scene = scene_of(Thing(kind="lighthouse", colour="red", x=0.5, size=0.5))
    assert subject_places(scene, (32, 32)).mean() < 0.25
    assert not subject_places(scene_of(), (32, 32)).any()

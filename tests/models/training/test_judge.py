"""The judge is taught what a scene shows, and no mirror makes it learn a lie."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("skia")

import torch

from models.training.judge import GRID, JUDGED, LOCAL, Judge, half_mirrored, judge_loss, own_accuracy, truths
from models.training.rendering import JUDGED_SIDE
from models.training.world.captions import ABSENT, FIELDS
from models.training.world.scene import SUBJECTS, drawn_scene

RNG = np.random.default_rng(4)
SCENES = [drawn_scene(RNG) for _ in range(40)]


def test_what_is_true_of_a_scene_is_said_by_name() -> None:
    found = truths(SCENES)
    for k, scene in enumerate(SCENES):
        kinds = [thing.kind for thing in scene.things] + [ABSENT, ABSENT]
        assert [FIELDS[f"kind_{index}"][found[f"kind_{index}"][k]] for index in (0, 1)] == kinds[:2]
        assert {SUBJECTS[column] for column in found["shows"][k].nonzero().flatten()} == set(kinds) - {ABSENT}
        assert FIELDS["style"][found["style"][k]] == scene.style


def test_what_stands_where_is_said_by_name() -> None:
    found = truths(SCENES)
    for k, scene in enumerate(SCENES):
        kinds = {FIELDS["kind_0"][value] for value in found["kind_at"][k].unique()}
        assert kinds - {ABSENT} == {thing.kind for thing in scene.things}
        alone = len(scene.things) == 1 and scene.things[0].count == 1
        if alone:
            column = int(scene.things[0].x * GRID)
            assert scene.things[0].kind in {FIELDS["kind_0"][value] for value in found["kind_at"][k][:, column]}


def test_what_stands_left_is_never_mirrored() -> None:
    ramp = torch.linspace(-1, 1, JUDGED_SIDE).expand(40, 3, JUDGED_SIDE, JUDGED_SIDE).contiguous()
    found = truths(SCENES)
    turned, shown = half_mirrored(ramp, found, torch.Generator().manual_seed(1))
    is_turned = turned[:, 0, 0, 0] > 0.0
    assert 8 < int(is_turned.sum()) < 32
    assert {SCENES[k].relation for k in is_turned.nonzero().flatten()} <= {"none", "behind", "above"}
    for name in LOCAL:
        assert torch.equal(shown[name][is_turned], found[name][is_turned].flip(2))
        assert torch.equal(shown[name][~is_turned], found[name][~is_turned])


def test_the_loss_falls_when_the_answers_are_right() -> None:
    found = truths(SCENES[:4])
    right = {name: 9.0 * torch.nn.functional.one_hot(found[name], len(FIELDS[name])).float() for name in JUDGED}
    right["shows"] = 9.0 * (2.0 * found["shows"] - 1.0)
    for name, field in LOCAL.items():
        values = torch.nn.functional.one_hot(found[name], len(FIELDS[field]))
        right[name] = 9.0 * values.float().permute(0, 3, 1, 2)
    wrong = {name: -scores for name, scores in right.items()}
    assert float(judge_loss(right, found)) < 0.1 < float(judge_loss(wrong, found))


def test_an_untrained_judge_knows_little() -> None:
    accuracy = own_accuracy(Judge().eval(), seed=3, count=12, processes=1)
    assert set(accuracy) == {*JUDGED, "shows"}
    assert accuracy["kind_0"] < 0.9

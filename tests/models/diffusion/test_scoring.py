"""Does a picture show what a prompt says, as a scorer sees it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from plugins.tiny_scorers import FORM, build_scorer, new_scorer

from models.errors import WeightsRejected
from models.scoring import CONFIG, WEIGHTS, Score, best_of, read_scorer

LATENTS = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
SAID, OTHER = torch.randn(2, FORM.width, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("likelihoods", "best"), [([-3, -1, -2], 1), ([-1, -1], 0), ([-9], 0)])
def test_the_likeliest_is_best_and_the_earlier_of_equals(likelihoods: list[float], best: int) -> None:
    assert best_of([Score(log_likelihood=likelihood, shows_all=False) for likelihood in likelihoods]) == best


def test_a_picture_that_shows_what_is_said_is_likelier_than_one_that_does_not() -> None:
    right, wrong = (new_scorer(seen=seen, said=1).score(LATENTS, SAID) for seen in (1, 0))

    assert right.shows_all
    assert right.log_likelihood == pytest.approx(0.0, abs=1e-3)
    assert not wrong.shows_all
    assert wrong.log_likelihood < -50.0


def test_what_is_left_unsaid_may_be_anything() -> None:
    """Answer 2 of `land` means that the prompt says nothing; of `kind` it is an answer like the others."""
    scorer = new_scorer(seen=2, said=2)
    scorer.looker.heads["land"].bias.data[0] += 200.0
    seen = scorer.score(LATENTS, SAID)

    assert seen.shows_all
    assert seen.log_likelihood == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(("shown", "is_kept"), [(9.0, False), (-9.0, True)])
def test_a_subject_that_the_negative_prompt_names_is_not_to_be_seen(shown: float, is_kept: bool) -> None:
    scorer = new_scorer(seen=1, said=1)
    scorer.looker.shows.bias.data[1] += 10 * shown
    without = scorer.score(LATENTS, SAID)
    seen = scorer.score(LATENTS, SAID, OTHER)

    assert without.shows_all
    assert seen.shows_all is is_kept
    assert (seen.log_likelihood > without.log_likelihood - 1.0) is is_kept


def test_a_negative_prompt_that_names_no_subject_forbids_none() -> None:
    scorer = new_scorer(seen=2, said=2)
    scorer.looker.shows.bias.data += 90.0

    assert scorer.score(LATENTS, SAID, OTHER) == scorer.score(LATENTS, SAID)


@pytest.mark.parametrize("sides", [(8, 16), (16, 8), (24, 24)])
def test_pictures_of_every_shape_are_looked_at(sides: tuple[int, int]) -> None:
    assert torch.isfinite(torch.tensor(new_scorer().score(torch.randn(1, 4, *sides), SAID).log_likelihood))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    scorer = new_scorer()
    read = read_scorer(build_scorer(tmp_path / "scorer", scorer))

    assert read.form == FORM
    assert read.score(LATENTS, SAID, OTHER) == scorer.score(LATENTS, SAID, OTHER)


@pytest.mark.parametrize(
    ("file", "content"), [(CONFIG, None), (WEIGHTS, None), (CONFIG, b"{}"), (WEIGHTS, b"none"), (CONFIG, b"null")]
)
def test_a_damaged_scorer_is_refused_by_name(tmp_path: Path, file: str, content: bytes | None) -> None:
    folder = build_scorer(tmp_path / "scorer", new_scorer())
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)

    with pytest.raises(WeightsRejected, match="scorer in scorer"):
        read_scorer(folder)


def test_weights_of_another_form_are_refused(tmp_path: Path) -> None:
    folder = build_scorer(tmp_path / "scorer", new_scorer())
    (folder / CONFIG).write_bytes((folder / CONFIG).read_bytes().replace(b'"width":32', b'"width":33'))

    with pytest.raises(WeightsRejected, match="size mismatch"):
        read_scorer(folder)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"side": 16}, "strides"),
        ({"subject": "nothing"}, "subject"),
        ({"unsaid": {"land": 3}}, "unsaid"),
        ({"unsaid": {"weather": 0}}, "unsaid"),
    ],
)
def test_a_form_whose_members_do_not_fit_is_refused(changes: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        replace(FORM, **changes)

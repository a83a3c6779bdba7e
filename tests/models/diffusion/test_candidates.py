"""A picture is begun with the first of several noises whose draft shows what was asked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from plugins.at_once import at_once
from plugins.driven_loop import DrivenLoop, driven_loop
from plugins.tiny_scorers import FORM, build_scorer, new_scorer
from plugins.tiny_specs import card_of, new_spec, plain_size

from models import GenerationSpec, ModelCard, ModelUnavailable, WeightsRejected
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.run import begin, pass_wanted
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.steps.passes import run_pass
from models.diffusion.weights.folders import inspect
from models.diffusion.weights.hashing import Hashes
from models.engine import Phase
from models.process import protocol as wire
from models.process.protocol import Beat, Paint
from models.scoring import Score, Scorer, best_of
from models.spec import DRAFT_STEPS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

SPEC = new_spec(num_inference_steps=8, candidates=4)
With = Callable[[Scorer | None], ModelCard]


@pytest.fixture
def card_with(sd1: Path, tmp_path: Path) -> With:
    def card(scorer: Scorer | None) -> ModelCard:
        folder = None if scorer is None else build_scorer(tmp_path / "scorer", scorer)
        return replace(card_of(sd1), scorer=folder)

    return card


@pytest.fixture
def loop(device: Device, tmp_path: Path) -> Callable[[ModelCard], DrivenLoop]:
    return lambda card: driven_loop({"tiny": card}, device, tmp_path)


def painted(loop: DrivenLoop, *specs: GenerationSpec) -> list[wire.Painted | wire.Broken | wire.Stopped]:
    numbers = [loop.ask(spec) for spec in specs]
    loop.run()
    return [loop.ended()[number] for number in numbers]


def recipes(loop: DrivenLoop, *specs: GenerationSpec) -> list[tuple[int, str]]:
    """The candidate that was chosen, and the pixels."""
    found = [end.painting.recipe for end in painted(loop, *specs)]
    assert all(recipe.spec.candidates == 1 for recipe in found)
    return [(recipe.spec.candidate, recipe.pixel_sha256) for recipe in found]


def noise(pipeline: Pipeline, candidate: int, device: Device) -> torch.Tensor:
    return begin(Paint(number=1, spec=SPEC, workspace=Path()), pipeline, device, candidate=candidate).canvas.noise


def likeliest(pipeline: Pipeline, spec: GenerationSpec, device: Device) -> int:
    """Draft all and look, by hand."""
    drafted, scores = replace(spec, num_inference_steps=DRAFT_STEPS), []
    order = Paint(number=1, spec=drafted, workspace=Path())
    for candidate in range(spec.candidates):
        draft = begin(order, pipeline, device, candidate=candidate)
        while not draft.is_finished:
            beat = Beat(number=1, phase=Phase.DENOISING)
            draft.advance(run_pass([pass_wanted(drafted, pipeline, draft, beat)], 1)[0])
        unwanted, said = draft.conditioning.embeddings[:, FORM.place]
        scores.append(pipeline.scorer.score(draft.latents(), said, unwanted))
    return best_of(scores)


def test_noises_are_drawn_one_after_the_other_from_the_seed(card_with: With, device: Device) -> None:
    pipeline = at_once(Residency({"tiny": card_with(None)}, device).pipeline("tiny"))
    drawn = torch.randn((4, *noise(pipeline, 0, device).shape[1:]), generator=torch.Generator().manual_seed(SPEC.seed))

    assert torch.equal(torch.cat([noise(pipeline, candidate, device) for candidate in range(4)]), drawn)


def test_a_first_draft_that_shows_all_is_painted_as_if_there_were_no_other(card_with: With, loop) -> None:
    """And the drafts leave no trace in what comes after."""
    open_ = loop(card_with(new_scorer(seen=1, said=1)))
    (chosen, pixels), (_, alone) = recipes(open_, SPEC, replace(SPEC, candidates=1))

    assert chosen == 0
    assert pixels == alone


def test_the_likeliest_is_painted_where_none_shows_all(card_with: With, loop, device: Device) -> None:
    card = card_with(new_scorer(seen=0, said=1))
    pipeline = at_once(Residency({"tiny": card}, device).pipeline("tiny"))
    specs = [replace(SPEC, seed=seed) for seed in range(6)]
    expected = [likeliest(pipeline, spec, device) for spec in specs]

    assert [candidate for candidate, _ in recipes(loop(card), *specs)] == expected
    assert len(set(expected)) > 1


def test_among_others_the_same_is_chosen_and_painted_as_alone(card_with: With, loop) -> None:
    card = card_with(new_scorer(seen=0, said=1))
    specs = [replace(SPEC, seed=seed, size=plain_size(width)) for seed, width in ((1, 32), (2, 48), (3, 32), (4, 32))]
    alone = [recipes(loop(card), spec)[0] for spec in specs]

    assert recipes(loop(card), *specs, replace(SPEC, candidates=1))[:4] == alone


def test_what_a_recipe_names_is_painted_again_without_a_choice_or_a_scorer(card_with: With, loop) -> None:
    card = card_with(new_scorer(seen=0, said=1))
    specs = [replace(SPEC, seed=seed) for seed in range(6)]
    followed = [end.painting.recipe for end in painted(loop(card), *specs)]
    again = painted(loop(replace(card, scorer=None)), *(recipe.spec for recipe in followed))

    assert any(recipe.spec.candidate for recipe in followed)
    assert [end.painting.recipe.pixel_sha256 for end in again] == [recipe.pixel_sha256 for recipe in followed]
    assert [end.painting.recipe.spec for end in again] == [recipe.spec for recipe in followed]


def test_of_long_texts_the_beginnings_are_read(card_with: With, loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt beside a longer negative prompt is not taken for an empty one."""
    read: list[torch.Tensor] = []
    monkeypatch.setattr(
        Scorer, "score", lambda _, __, said, ___: read.append(said) or Score(log_likelihood=0, shows_all=True)
    )
    faults = ", ".join(["blurry, low quality, deformed"] * 20)
    card = card_with(new_scorer())
    recipes(loop(card), SPEC, replace(SPEC, negative_prompt=faults), replace(SPEC, prompt=f"{SPEC.prompt} {faults}"))

    assert torch.equal(read[0], read[1])
    assert not torch.equal(read[0], read[2])


def test_what_reads_a_mask_has_one_beginning(sd1_inpainting: Path, card_with: With, loop) -> None:
    card = replace(card_with(None), path=sd1_inpainting)
    (chosen, pixels), (_, plain) = recipes(loop(card), SPEC, replace(SPEC, candidates=1))

    assert (chosen, pixels) == (0, plain)


def test_a_scorer_of_other_latents_is_refused_when_the_model_is_loaded(card_with: With, device: Device) -> None:
    other = Scorer(replace(FORM, looker=replace(FORM.looker, channels=6)))

    with pytest.raises(WeightsRejected, match="made for latents"):
        at_once(Residency({"tiny": card_with(other)}, device).pipeline("tiny"))


def test_while_drafts_are_made_no_step_is_done(card_with: With, loop) -> None:
    open_ = loop(card_with(new_scorer(seen=0, said=1)))
    number = open_.ask(SPEC)
    open_.run()
    steps = open_.steps(number)

    assert steps[: 4 * DRAFT_STEPS] == [0] * 4 * DRAFT_STEPS
    assert steps[4 * DRAFT_STEPS :] == list(range(9))


def test_a_painting_is_canceled_between_two_drafts(card_with: With, loop) -> None:
    open_ = loop(card_with(new_scorer(seen=0, said=1)))
    number = open_.ask(SPEC)
    while len(open_.steps(number)) < DRAFT_STEPS + 2:
        open_.tick()
    open_.canceled.add(number)
    open_.run()

    assert isinstance(open_.ended()[number], wire.Stopped)


def test_a_model_without_a_scorer_says_that_it_cannot_choose(card_with: With, loop) -> None:
    open_ = loop(card_with(None))
    refused, fine = painted(open_, SPEC, replace(SPEC, candidates=1))

    assert isinstance(refused, wire.Broken)
    assert refused.kind == ModelUnavailable.__name__
    assert "scorer" in refused.message
    assert isinstance(fine, wire.Painted)


def test_the_scorer_counts_in_the_models_hash(card_with: With) -> None:
    card, hashes = card_with(new_scorer()), Hashes()
    weights = inspect(card.path)

    assert hashes.of_model(weights, card) != hashes.of_model(weights, replace(card, scorer=None))

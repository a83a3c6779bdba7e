"""Which of several noises a picture begins with: each is drafted in a few steps, and the model's scorer looks at the draft.

The first draft that shows all that the prompt says is gone on with, so a picture that comes out right at once costs one
draft more. Source: search over noises, arXiv:2501.09732.
"""

from collections.abc import Callable, Generator
from dataclasses import replace

import torch

from models.diffusion.denoising import Denoising
from models.diffusion.passes import PassWanted
from models.errors import PaintingBroken
from models.scoring import Score, Scorer, best_of
from models.spec import DRAFT_STEPS, GenerationSpec


def draft_of(spec: GenerationSpec) -> GenerationSpec:
    """The same picture in a few steps. They come as near to where many lead as the scorer needs."""
    return replace(spec, num_inference_steps=min(spec.num_inference_steps, DRAFT_STEPS))


def choosing(
    count: int,
    scorer: Scorer | None,
    draft: Callable[[int], Denoising],
    pass_of: Callable[[Denoising], PassWanted],
) -> Generator[PassWanted, torch.Tensor | None, int]:
    """Draft one candidate after the other. Returns the number of the one to paint, from 0.

    Raises:
        PaintingBroken: the model has no scorer.
    """
    if scorer is None:
        raise PaintingBroken("This model has no scorer, so it cannot choose between candidates.")
    scores: list[Score] = []
    while len(scores) < count and not (scores and scores[-1].shows_all):
        drafted = draft(len(scores))
        while not drafted.is_finished:
            prediction = yield pass_of(drafted)
            if prediction is None:
                raise PaintingBroken("The engine resumed a draft without the prediction it waits for.")
            drafted.advance(prediction)
        scores.append(_scored(scorer, drafted))
    return best_of(scores)


def _scored(scorer: Scorer, drafted: Denoising) -> Score:
    """By the states of the last tokens, which have read all that is before them; on the processor, in float32."""
    states = drafted.conditioning.embeddings[:, -1].cpu()
    unwanted = states[0] if len(states) == 2 else None
    return scorer.score(drafted.latents().cpu(), states[-1], unwanted)

"""Which of several initial noises a picture starts from: each is drafted in a few steps, and the
model's scorer looks at the draft.

The first draft that shows all that the prompt says is gone on with, so a picture that comes out
right at once costs one draft more. Source: search over noises, arXiv:2501.09732.
"""

from collections.abc import Callable, Generator
from dataclasses import replace

import torch

from models.diffusion.steps.denoising import Denoising
from models.diffusion.steps.passes import PassWanted, predicted
from models.errors import ModelUnavailable
from models.scoring import Score, Scorer, best_of
from models.spec import DRAFT_STEPS, GenerationSpec


def is_chosen(spec: GenerationSpec, *, reads_mask: bool) -> bool:
    """Whether there is a choice: what starts from a picture, or beside one, has one start."""
    return spec.candidates > 1 and spec.init_image is None and not reads_mask


def draft_of(spec: GenerationSpec) -> GenerationSpec:
    """The same picture in a few steps. They come as near to where many lead as the scorer needs."""
    return replace(spec, num_inference_steps=min(spec.num_inference_steps, DRAFT_STEPS))


def choosing(
    spec: GenerationSpec,
    scorer: Scorer | None,
    draft: Callable[[int], Denoising],
    pass_of: Callable[[Denoising], PassWanted],
) -> Generator[PassWanted, torch.Tensor | None, int]:
    """Draft one candidate after the other. Returns the number of the one to paint.

    Raises:
        ModelUnavailable: the model has no scorer.
    """
    if scorer is None:
        raise ModelUnavailable(f"The model {spec.model!r} has no scorer, so it cannot choose between candidates.")
    scores: list[Score] = []
    for number in range(spec.candidate, spec.candidate + spec.candidates):
        drafted = draft(number)
        while not drafted.is_finished:
            drafted.advance((yield from predicted(pass_of(drafted))))
        scores.append(_scored(scorer, drafted))
        if scores[-1].shows_all:
            return number
    return spec.candidate + best_of(scores)


def _scored(scorer: Scorer, drafted: Denoising) -> Score:
    """Of a long prompt its first chunk is read, as with pooled texts. On the processor, in
    float32."""
    states = drafted.conditioning.embeddings[:, scorer.form.place].cpu()
    unwanted = states[0] if len(states) == 2 else None
    return scorer.score(drafted.latents().cpu(), states[-1], unwanted)

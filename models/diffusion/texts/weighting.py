"""Weighs tokens as `models.prompts` reads them out of a prompt."""

import torch


def weighted(embeddings: torch.Tensor, empty: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Move each token away from what the empty prompt has in its place, or towards it.

    Args:
        embeddings: (1, tokens, width), of the prompt.
        empty: the same of the empty prompt.
        weights: (tokens,).

    Returns:
        (1, tokens, width): empty + weight * (embeddings - empty); tokens of weight 1 keep their bits.

    Source: ComfyUI, `ClipTokenWeightEncoder`. Scaling the embeddings themselves and then restoring
    their mean (the web UI's way) changes tokens that nobody weighed, and its users switch the
    restoring off for SDXL.
    """
    factors = weights.to(embeddings).view(1, -1, 1)
    return torch.where(factors == 1, embeddings, empty + factors * (embeddings - empty))

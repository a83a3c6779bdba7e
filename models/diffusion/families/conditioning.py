"""What the network is told about one picture, beside latents and time."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """One row without guidance; two with it, the negative prompt first.

    `embeddings` is (rows, tokens, width). SDXL adds `pooled` (rows, width) and `time_ids` (rows, 6).
    """

    embeddings: torch.Tensor
    pooled: torch.Tensor | None = None
    time_ids: torch.Tensor | None = None

    @property
    def rows(self) -> int:
        return self.embeddings.shape[0]

"""What the network reads of one picture beside latents and time."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """One row without guidance; two with it, the negative prompt first.

    `embeddings` is (rows, tokens, width). SDXL adds `pooled` (rows, width) and `time_ids` (rows,
    6), SD3 `pooled`, Flux `pooled` and, where it takes the guidance scale as an input, `guidance`
    (rows,).
    """

    embeddings: torch.Tensor
    pooled: torch.Tensor | None = None
    time_ids: torch.Tensor | None = None
    guidance: torch.Tensor | None = None

    @property
    def rows(self) -> int:
        return self.embeddings.shape[0]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Pictures share a pass only where these are equal; an absent tensor has the shape ()."""
        tensors = (getattr(self, field.name) for field in fields(self))
        return tuple(() if tensor is None else tuple(tensor.shape) for tensor in tensors)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The rows of several pictures of equal shapes, one picture after the other."""
        stacked: dict[str, Any] = {
            field.name: _stacked([getattr(part, field.name) for part in parts]) for field in fields(cls)
        }
        return cls(**stacked)


def _stacked(column: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
    present = [tensor for tensor in column if tensor is not None]
    return torch.cat(present) if present else None

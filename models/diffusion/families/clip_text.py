"""CLIP reads 77 tokens at a time; long prompts are read in chunks, so that their last word counts too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

UNLIMITED = 10_000  # a tokenizer without a limit of its own claims an astronomic one


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """(1, tokens, width), and (1, width) of the first chunk where the encoder has a projection."""

    embeddings: torch.Tensor
    pooled: torch.Tensor | None


class ClipText:
    """A tokenizer and its encoder. `layer` -1 takes the normed output, -2 the layer before it (SDXL)."""

    def __init__(self, tokenizer: Any, encoder: Any, *, layer: int) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._layer = layer
        self.window = min(tokenizer.model_max_length, encoder.config.max_position_embeddings, UNLIMITED)

    def chunks(self, text: str) -> list[list[int]]:
        """Token ids in pieces that leave room for the two marks; an empty text is one empty piece."""
        ids = self._tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        step = self.window - 2
        return [ids[start : start + step] for start in range(0, len(ids), step)] or [[]]

    def encode(self, chunks: Sequence[Sequence[int]]) -> Encoded:
        """Each chunk alone, side by side in the result: no picture's bits depend on how long another text is."""
        read = [self._read(chunk) for chunk in chunks]
        return Encoded(embeddings=torch.cat([one.embeddings for one in read], dim=1), pooled=read[0].pooled)

    def _read(self, chunk: Sequence[int]) -> Encoded:
        marks = self._tokenizer
        padding = [marks.pad_token_id] * (self.window - 2 - len(chunk))
        ids = torch.tensor([[marks.bos_token_id, *chunk, marks.eos_token_id, *padding]], device=self._encoder.device)
        output = self._encoder(ids, output_hidden_states=self._layer != -1)
        embeddings = output[0] if self._layer == -1 else output.hidden_states[self._layer]
        return Encoded(embeddings=embeddings, pooled=output[0] if output[0].ndim == 2 else None)


def even(*texts: list[list[int]]) -> tuple[list[list[int]], ...]:
    """The same number of chunks for each; what is missing is empty."""
    count = max(map(len, texts))
    return tuple([*text, *([[]] * (count - len(text)))] for text in texts)

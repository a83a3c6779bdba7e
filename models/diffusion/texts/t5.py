"""T5 reads a long text in one go, padded to a fixed number of tokens."""

from typing import Any

import torch

from models.prompts import read_weights


class T5Text:
    """A tokenizer and its encoder. It knows no weights: `(word:1.3)` is read as the word."""

    def __init__(self, tokenizer: Any, encoder: Any) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder

    def tokens(self, text: str) -> int:
        """How many it is read as, the mark at its end included."""
        return len(self._tokenizer(read_weights(text).text, truncation=False, verbose=False)["input_ids"])

    def encode(self, text: str, *, length: int) -> torch.Tensor:
        """(1, length, width). What is longer is cut; the padding is read too, as these models were
        trained."""
        read = self._tokenizer(
            read_weights(text).text, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        embeddings: torch.Tensor = self._encoder(read.input_ids.to(self._encoder.device))[0]
        return embeddings

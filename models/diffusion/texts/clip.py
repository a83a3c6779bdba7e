"""CLIP reads 77 tokens at a time; long prompts are read in chunks, so that their last word counts
too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from models.diffusion.texts.inversions import Inversions
from models.diffusion.texts.weighting import weighted
from models.errors import PaintingBroken
from models.prompts import WeightedText, read_weights
from models.request import Adapter

UNLIMITED = 10_000  # a tokenizer without a limit of its own claims an astronomic one
REMEMBERED = 128  # chunks; of SDXL's larger encoder that is 50 MB


@dataclass(frozen=True, slots=True)
class Token:
    """An id of the tokenizer, or a negative one of `Inversions`, and how much it counts."""

    id: int
    weight: float = 1.0


Chunk = tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """(1, tokens, width), and (1, width) of the first chunk, projected where the encoder has a
    projection."""

    embeddings: torch.Tensor
    pooled: torch.Tensor


class ClipText:
    """A tokenizer and its encoder. `layer` -1 takes the normed output, -2 the layer before it
    (SDXL).

    Chunks that were read lately are remembered; what is returned must not be changed in place.
    """

    def __init__(self, tokenizer: Any, encoder: Any, *, layer: int, inversions: Inversions | None = None) -> None:
        self._tokenizer = tokenizer
        self._inversions = inversions or Inversions()
        self.window = min(tokenizer.model_max_length, encoder.config.max_position_embeddings, UNLIMITED)
        reader = Reader(tokenizer, encoder, layer=layer, window=self.window, inversions=self._inversions)
        self.read = lru_cache(maxsize=REMEMBERED)(reader.read)

    def chunks(self, text: str) -> list[Chunk]:
        """Tokens in pieces that leave room for the two marks; an empty text is one empty piece."""
        return packed(self._words(read_weights(text)), self.window - 2)

    def encode(self, chunks: Sequence[Chunk], *, skip: int = 0, adapters: tuple[Adapter, ...] = ()) -> Encoded:
        """Each chunk alone, side by side in the result: no picture's bits depend on how long
        another text is.

        `skip` layers more than the family's own are left out at the end. `adapters` are those that
        act now.

        Raises:
            PaintingBroken: the encoder has not so many layers.
        """
        read = [self._weighed(chunk, skip, adapters) for chunk in chunks]
        return Encoded(embeddings=torch.cat([one.embeddings for one in read], dim=1), pooled=read[0].pooled)

    def _weighed(self, chunk: Chunk, skip: int, adapters: tuple[Adapter, ...]) -> Encoded:
        """The pooled text knows no weights."""
        plain = self.read(tuple(token.id for token in chunk), skip, adapters)
        if all(token.weight == 1 for token in chunk):
            return plain
        rest = [1.0] * (self.window - 1 - len(chunk))
        weights = torch.tensor([1.0, *(token.weight for token in chunk), *rest])
        empty = self.read((), skip, adapters).embeddings
        return Encoded(embeddings=weighted(plain.embeddings, empty, weights), pooled=plain.pooled)

    def _words(self, text: WeightedText) -> list[list[Token]]:
        """The tokens of each word; words stand apart by white space."""
        words: list[list[Token]] = []
        end = -1
        for id, start, stop in self._tokens(text.text):
            if start > end:
                words.append([])
            words[-1].append(Token(id, text.weight_at(start)))
            end = stop
        return words

    def _tokens(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Id, first character and the one behind the last, of each token."""
        done = 0
        for start, stop, word in self._inversions.places_in(text):
            yield from self._plain_tokens(text[done:start], done)
            yield from ((id, start, stop) for id in self._inversions.ids_of(word))
            done = stop
        yield from self._plain_tokens(text[done:], done)

    def _plain_tokens(self, text: str, position: int) -> Iterator[tuple[int, int, int]]:
        read = self._tokenizer(
            text, add_special_tokens=False, truncation=False, verbose=False, return_offsets_mapping=True
        )
        for id, (start, stop) in zip(read["input_ids"], read["offset_mapping"], strict=True):
            yield id, position + start, position + stop


class Reader:
    """Runs the encoder over the tokens of one chunk."""

    def __init__(self, tokenizer: Any, encoder: Any, *, layer: int, window: int, inversions: Inversions) -> None:
        self._marks = tokenizer
        self._encoder = encoder
        self._layer = layer
        self._window = window
        self._inversions = inversions

    def read(self, ids: tuple[int, ...], skip: int, adapters: tuple[Adapter, ...]) -> Encoded:  # noqa: ARG002
        """`adapters` are what distinguishes two readings of one text; whoever calls has activated
        them."""
        marks = self._marks
        padding = [marks.pad_token_id] * (self._window - 2 - len(ids))
        row = [marks.bos_token_id, *ids, marks.eos_token_id, *padding]
        known = torch.tensor([[max(id, 0) for id in row]], device=self._encoder.device)
        is_last = self._layer - skip == -1
        with self._inversions.standing_in(self._encoder.get_input_embeddings(), row):
            output = self._encoder(known, output_hidden_states=not is_last)
        embeddings = output[0] if is_last else self._layer_of(output.hidden_states, skip)
        return Encoded(embeddings=embeddings, pooled=output[0] if output[0].ndim == 2 else output.pooler_output)

    def _layer_of(self, layers: Sequence[torch.Tensor], skip: int) -> torch.Tensor:
        """The output of a layer before the last, normed where the family norms; `layers` begins
        with the input.

        Source: diffusers' `clip_skip`, whose counting this follows.
        """
        if len(layers) + self._layer - skip < 1:
            possible = len(layers) + self._layer - 1
            raise PaintingBroken(f"`clip_skip` {skip} leaves no layer of the text encoder; at most {possible} may go.")
        embeddings = layers[self._layer - skip]
        if self._layer != -1:
            return embeddings
        normed: torch.Tensor = getattr(self._encoder, "text_model", self._encoder).final_layer_norm(embeddings)
        return normed


def packed(words: Sequence[Sequence[Token]], room: int) -> list[Chunk]:
    """Words in chunks of at most `room` tokens; only a word longer than a chunk is torn."""
    chunks: list[list[Token]] = [[]]
    for word in words:
        if len(chunks[-1]) + len(word) > room >= len(word):
            chunks.append([])
        for token in word:
            if len(chunks[-1]) == room:
                chunks.append([])
            chunks[-1].append(token)
    return [tuple(chunk) for chunk in chunks]


def even(*texts: list[Chunk]) -> tuple[list[Chunk], ...]:
    """The same number of chunks for each; what is missing is empty."""
    count = max(map(len, texts))
    return tuple([*text, *([()] * (count - len(text)))] for text in texts)

"""Textual inversions: words that stand for vectors learnt for one text encoder.

Source: Gal et al. 2022, arXiv:2208.01618.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from models.errors import WeightsRejected

# The names that files for two encoders use, in the encoders' order.
OF_TWO = ("clip_l", "clip_g")
MAX_VECTORS = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversions:
    """Vectors by the word, in lower case, that calls them: (count, width) each.

    Token ids stay as they are: in a text read by us, id -1 is the first vector of all, -2 the
    second and so on.
    """

    vectors: Mapping[str, torch.Tensor] = field(default_factory=dict[str, torch.Tensor])

    def ids_of(self, word: str) -> range:
        """The ids of a word's vectors, in their order."""
        before = 0
        for known, vectors in self.vectors.items():
            if known == word:
                return range(-1 - before, -1 - before - len(vectors), -1)
            before += len(vectors)
        raise KeyError(word)

    def places_in(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where one of the words stands on its own: start, end, word. Case does not count, as in
        CLIP."""
        if not self.vectors:
            return
        longest_first = sorted(map(re.escape, self.vectors), key=len, reverse=True)
        for found in re.finditer(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", text, re.IGNORECASE):
            yield found.start(), found.end(), found[0].lower()

    @contextmanager
    def standing_in(self, layer: torch.nn.Module, ids: Sequence[int]) -> Iterator[None]:
        """Inside, the token embedding `layer` gives the vectors for the negative ones of `ids`."""
        places = [place for place, id in enumerate(ids) if id < 0]
        if not places:
            yield
            return
        rows = torch.cat(list(self.vectors.values()))[[-1 - ids[place] for place in places]]

        def put_in(_layer: torch.nn.Module, _given: object, embedded: torch.Tensor) -> torch.Tensor:
            return embedded.index_copy(1, torch.tensor(places, device=embedded.device), rows.to(embedded)[None])

        hook = layer.register_forward_hook(put_in)
        try:
            yield
        finally:
            hook.remove()


def inversions_of(files: Mapping[str, Path], widths: Mapping[str, int]) -> dict[str, Inversions]:
    """The operator's inversions, by the word that calls them, for each of a model's text encoders.

    A file for one encoder holds one tensor (`emb_params`, or called like the word); a file for two
    holds `clip_l` and `clip_g`. `widths` says, in the encoders' order, how wide the vectors of each
    are.

    Raises:
        WeightsRejected: a file is damaged, of another form, or made for other encoders.
    """
    read = {word.strip().lower(): _vectors(word, file, tuple(widths.values())) for word, file in files.items()}
    return {
        name: Inversions(vectors={word: vectors[place] for word, vectors in read.items()})
        for place, name in enumerate(widths)
    }


def _vectors(word: str, file: Path, widths: Sequence[int]) -> tuple[torch.Tensor, ...]:
    if not word.strip():
        raise WeightsRejected(f"The embedding {file.name} needs a word that calls it.")
    try:
        tensors = load_file(file)
    except (OSError, SafetensorError) as wrong:
        raise WeightsRejected(f"The embedding {file.name} cannot be read: {wrong}.") from None
    names = OF_TWO if set(OF_TWO) <= tensors.keys() else tuple(tensors)
    made_for = 2 if names == OF_TWO else 1
    if len(names) != made_for:
        raise WeightsRejected(f"The embedding {file.name} holds {', '.join(sorted(names))}; that form is not known.")
    if made_for != len(widths):
        raise WeightsRejected(
            f"The embedding {file.name} is made for {made_for} text encoder(s); the model has {len(widths)}."
        )
    return tuple(_checked(tensors[name], file, width) for name, width in zip(names, widths, strict=True))


def _checked(tensor: torch.Tensor, file: Path, width: int) -> torch.Tensor:
    """(count, width), from a single vector too."""
    rows = tensor[None] if tensor.ndim == 1 else tensor
    if rows.ndim != 2 or rows.shape[1] != width or not 1 <= len(rows) <= MAX_VECTORS:
        raise WeightsRejected(
            f"The embedding {file.name} is {tuple(tensor.shape)}; the model's vectors are {width} wide."
        )
    if not rows.is_floating_point() or not bool(torch.isfinite(rows).all()):
        raise WeightsRejected(f"The embedding {file.name} holds something that is no number.")
    return rows

"""The words a model was taught, where it says so."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from models.errors import WeightsRejected
from models.prompts import read_weights

WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """None: the model does not say."""

    words: frozenset[str] | None

    @classmethod
    def read(cls, file: Path | None, *, also: Iterable[str] = ()) -> Self:
        """A JSON list of words, or an object whose member `words` is one; and those taught `also`,
        later.

        Raises:
            WeightsRejected: the file is there and is neither.
        """
        if file is None or not file.exists():
            return cls(words=None)
        try:
            listed: object = json.loads(file.read_bytes())
        except ValueError as wrong:
            raise WeightsRejected(f"{file.name} cannot be read: {wrong}.") from None
        if isinstance(listed, dict):
            listed = cast("dict[str, object]", listed).get("words")
        taught = cast("list[object]", listed) if isinstance(listed, list) else [None]
        words = [word for word in taught if isinstance(word, str)]
        if len(words) < len(taught):
            raise WeightsRejected(f"{file.name} must hold a list of words.")
        return cls(words=frozenset(part for word in (*words, *also) for part in words_of(word)))

    def unknown(self, prompt: str) -> tuple[str, ...]:
        """The prompt's words that were never taught, each once, in the prompt's order; weights are
        no words."""
        if self.words is None:
            return ()
        return tuple(word for word in dict.fromkeys(words_of(read_weights(prompt).text)) if word not in self.words)


def words_of(text: str) -> list[str]:
    """Lower-case words; hyphenated ones are read as their parts."""
    return [part for word in WORD.findall(text.lower()) for part in word.split("-")]

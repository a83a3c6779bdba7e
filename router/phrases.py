"""Phrases in a prompt, compared word by word: case, punctuation and hyphens never matter."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of `text`, case folded, in order; hyphens and underscores separate."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def places_of(phrase: Sequence[str], words: Sequence[str]) -> Iterator[int]:
    """Every index at which `phrase` begins in `words`."""
    length = len(phrase)
    for start in range(len(words) - length + 1):
        if words[start] == phrase[0] and list(words[start : start + length]) == list(phrase):
            yield start


def contains_phrase(phrase: str, words: Sequence[str]) -> bool:
    """Whether the whole phrase stands in `words`; an empty one never does."""
    wanted = words_of(phrase)
    return bool(wanted) and next(places_of(wanted, words), None) is not None

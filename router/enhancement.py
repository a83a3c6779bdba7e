"""Prompt enhancement: a few vetted words of the style behind the text, never a change to what was written."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator

from router.phrases import contains_phrase, words_of
from router.styles import Enhancement

_BLOCK_TOKENS = 75
"""CLIP reads 75 tokens at a time; additions never open another block."""
_LONG_PROMPT_TOKENS = 50
_PIECE = re.compile(r"[^\W_]+|[^\w\s]|_")
_QUOTED = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|\u00ab[^\u00bb]*\u00bb")


def enhance(text: str, *, prompt: str, enhancement: Enhancement, seed_text: str, is_asked: bool | None) -> str:
    """`text` (the style's template around `prompt`) with words of the style appended.

    Which words, depends on (`prompt`, `seed_text`) alone. Nothing is appended where the request or the style says no,
    where the prompt is written in another script or is nothing but quoted lettering, or (unless asked for) where it is
    long already.

    Args:
        seed_text: style, its revision and the picture's seed in one text.
        is_asked: `enhance_prompt` of the request; None means the style's default.
    """
    if not (enhancement.default if is_asked is None else is_asked) or not is_plain_latin(prompt):
        return text
    if is_asked is None and estimated_tokens(prompt) > _LONG_PROMPT_TOKENS:
        return text
    ordered = _shuffled(enhancement.words, prompt=prompt, seed_text=seed_text)
    additions = _fitting(ordered, text=text, most_words=enhancement.max_added_words)
    return ", ".join((text, *additions))


def estimated_tokens(text: str) -> int:
    """About how many tokens CLIP makes of `text`, rather too many than too few."""
    return sum(math.ceil(len(piece.encode()) / 6) for piece in _PIECE.findall(text))


def _shuffled(words: Iterable[str], *, prompt: str, seed_text: str) -> list[str]:
    def rank(word: str) -> bytes:
        return hashlib.sha256("\0".join((seed_text, prompt, word)).encode()).digest()

    return sorted(words, key=rank)


def _fitting(ordered: Iterable[str], *, text: str, most_words: int) -> Iterator[str]:
    """Those not said already, while words and the room in the last block suffice."""
    said = words_of(text)
    room = -estimated_tokens(text) % _BLOCK_TOKENS
    for addition in ordered:
        count, cost = len(words_of(addition)), estimated_tokens(addition) + 1
        if count <= most_words and cost <= room and not contains_phrase(addition, said):
            yield addition
            most_words, room = most_words - count, room - cost
            said = [*said, *words_of(addition)]


def is_plain_latin(prompt: str) -> bool:
    """Most letters outside quotation marks are Latin; the additions are English and would clash with others."""
    letters = [letter for letter in _QUOTED.sub(" ", prompt) if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return latin * 2 > len(letters)

"""`auto`: the style a prompt asks for in so many words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

from router.phrases import places_of, words_of
from router.styles import AutoPhrases, Style

_CLAUSE_END = re.compile(r"[,;:.!?\n]+")
_NEGATIONS = frozenset({"no", "not", "non", "without", "never", "avoid", "isn't", "isn\u2019t", "don't", "don\u2019t"})
_CANCELLING_PAIRS = frozenset({("instead", "of"), ("rather", "than"), ("anything", "but")})
_REACH = 4
"""How many words a negation reaches forward within its clause: "not a very dark watercolour"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleChoice:
    """The id of the style that was found, and why it."""

    style: str
    reason: Literal["phrase", "default"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Mention:
    """Sorts by what counts: the earliest first, of several there the longest."""

    clause: int
    start: int
    minus_length: int
    style: str


def choose_style(prompt: str, styles: Iterable[Style], *, default: str) -> StyleChoice:
    """The style that `prompt` names first without denying it; `default` where it names none.

    Depends on the words alone: case and a full stop at the end change nothing.
    """
    clauses = [words_of(clause) for clause in _CLAUSE_END.split(prompt)]
    mentions = [mention for style in styles for mention in _mentions(style, clauses)]
    if not mentions:
        return StyleChoice(style=default, reason="default")
    return StyleChoice(style=min(mentions).style, reason="phrase")


def _mentions(style: Style, clauses: Sequence[Sequence[str]]) -> Iterable[_Mention]:
    phrases, exceptions = _wordings(style.auto)
    for number, words in enumerate(clauses):
        excepted = {
            start + i for wanted in exceptions for start in places_of(wanted, words) for i in range(len(wanted))
        }
        for phrase in phrases:
            for start in places_of(phrase, words):
                if start not in excepted and not _is_denied(words[max(0, start - _REACH) : start]):
                    yield _Mention(clause=number, start=start, minus_length=-len(phrase), style=style.id)


@cache
def _wordings(auto: AutoPhrases) -> tuple[list[list[str]], list[list[str]]]:
    """Phrases and exceptions in words; there are as many as styles, and every prompt is compared with them."""
    return [words_of(phrase) for phrase in auto.phrases], [words_of(phrase) for phrase in auto.unless]


def _is_denied(before: Sequence[str]) -> bool:
    return any(word in _NEGATIONS for word in before) or any(pair in _CANCELLING_PAIRS for pair in pairwise(before))

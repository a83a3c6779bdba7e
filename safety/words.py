"""A text as words: what rules are matched against."""

import re
from dataclasses import dataclass

_PIECE = re.compile(
    r"(?P<stop>[,;.!?\n\u3001\u3002\uff0c])"
    r"|(?P<word>[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]|[0-9]+|[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)"
)
"""Letters and digits are words apart ("16yo" is two), unspaced scripts give a word a character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Case-folded words in order; `clauses` numbers the clause that each word stands in."""

    words: tuple[str, ...]
    clauses: tuple[int, ...]


def split_words(text: str) -> Words:
    """The words of `text`; linear in its length."""
    words: list[str] = []
    clauses: list[int] = []
    clause = 0
    for piece in _PIECE.finditer(text.casefold()):
        if piece.lastgroup == "stop":
            clause += 1
        else:
            words.append(piece[0])
            clauses.append(clause)
    return Words(words=tuple(words), clauses=tuple(clauses))

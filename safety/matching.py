"""Phrases found in words, in one pass over the words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from safety.lexicon import Group, Lexicon
from safety.words import Words, split_words

MINOR_NUMBER = "#minor"
_OLDEST_MINOR = 17

Hits: TypeAlias = Mapping[str, tuple["Span", ...]]
"""Where each group was found; a group without a hit is absent."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Words `start` up to and without `end`."""

    start: int
    end: int

    def distance(self, other: "Span") -> int:
        """Words between the two; 0 where they touch or overlap."""
        return max(0, other.start - self.end, self.start - other.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A phrase of `group` whose first word is already matched."""

    group: str
    is_exception: bool
    rest: tuple[str, ...]

    def may_go_on(self, following: str) -> bool:
        """A cheap look at the next word before all are compared."""
        return not self.rest or self.rest[0] == following or self.rest[0][-1] == "*" or self.rest[0] == MINOR_NUMBER


class PhraseIndex:
    """Every phrase of a lexicon by its first word."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._minor_numbers = lexicon.minor_numbers
        self._whole: defaultdict[str, list[Entry]] = defaultdict(list)
        self._prefixes: defaultdict[str, list[Entry]] = defaultdict(list)
        for name, group in lexicon.groups.items():
            for phrase, is_exception in _phrases(group):
                self._add(phrase, name, is_exception=is_exception)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._prefixes})

    def find(self, words: Words, *, known: dict[str, tuple["Entry", ...]]) -> Hits:
        """Every group's matches that no exception of the group covers.

        `known` remembers what begins with a word: the views of one text share nearly all their words.
        """
        found: defaultdict[str, list[Span]] = defaultdict(list)
        excepted: defaultdict[str, list[Span]] = defaultdict(list)
        for start, word in enumerate(words.words):
            entries = known.get(word)
            if entries is None:
                entries = known[word] = tuple(self._entries(word))
            following = words.words[start + 1] if start + 1 < len(words.words) else ""
            for entry in entries:
                if entry.may_go_on(following) and self._follows(entry.rest, words.words, start + 1):
                    span = Span(start=start, end=start + 1 + len(entry.rest))
                    (excepted if entry.is_exception else found)[entry.group].append(span)
        return {group: kept for group, spans in found.items() if (kept := _uncovered(spans, excepted.get(group, [])))}

    def _add(self, phrase: str, group: str, *, is_exception: bool) -> None:
        first, *rest = _phrase_words(phrase)
        entry = Entry(group=group, is_exception=is_exception, rest=tuple(rest))
        if first.endswith("*"):
            self._prefixes[first[:-1]].append(entry)
        else:
            self._whole[first].append(entry)

    def _entries(self, word: str) -> Iterator[Entry]:
        yield from self._whole.get(word, ())
        if self._is_minor_number(word):
            yield from self._whole.get(MINOR_NUMBER, ())
        for length in self._prefix_lengths:
            if length > len(word):
                return
            yield from self._prefixes.get(word[:length], ())

    def _follows(self, rest: tuple[str, ...], words: tuple[str, ...], start: int) -> bool:
        if start + len(rest) > len(words):
            return False
        for i, wanted in enumerate(rest, start):
            if words[i] != wanted and not self._matches_sign(wanted, words[i]):
                return False
        return True

    def _matches_sign(self, wanted: str, word: str) -> bool:
        if wanted == MINOR_NUMBER:
            return self._is_minor_number(word)
        return wanted[-1] == "*" and word.startswith(wanted[:-1])

    def _is_minor_number(self, word: str) -> bool:
        if word in self._minor_numbers:
            return True
        return len(word) <= 2 and word.isdecimal() and 1 <= int(word) <= _OLDEST_MINOR


def _phrases(group: Group) -> Iterator[tuple[str, bool]]:
    yield from ((phrase, False) for phrase in group.phrases)
    yield from ((phrase, True) for phrase in group.exceptions)


def _phrase_words(phrase: str) -> list[str]:
    """As `split_words` sees a text, with the two signs of a phrase kept."""
    return [word for piece in phrase.split() for word in ([MINOR_NUMBER] if piece == MINOR_NUMBER else _starred(piece))]


def _starred(piece: str) -> list[str]:
    words = list(split_words(piece).words)
    return [*words[:-1], f"{words[-1]}*"] if piece.endswith("*") else words


def _uncovered(spans: Iterable[Span], excepted: Iterable[Span]) -> tuple[Span, ...]:
    covered_to: dict[int, int] = {}
    for exception in excepted:
        for place in range(exception.start, exception.end):
            covered_to[place] = max(covered_to.get(place, 0), exception.end)
    return tuple(span for span in spans if covered_to.get(span.start, 0) < span.end)

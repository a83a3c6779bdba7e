"""Phrases found in words, in one pass over the words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from safety.lexicon import Group, Lexicon
from safety.views import without_marks
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

    @property
    def second(self) -> str | None:
        """The word that must follow; None: none needs to, or any of several."""
        return None if not self.rest or self.rest[0][-1] == "*" or self.rest[0] == MINOR_NUMBER else self.rest[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a word may begin: `any_next` whatever follows it, the others by the word that must follow."""

    any_next: tuple[Entry, ...]
    by_next: Mapping[str, tuple[Entry, ...]]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Begun":
        by_next: defaultdict[str | None, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_next[entry.second].append(entry)
        any_next = tuple(by_next.pop(None, ()))
        return cls(any_next=any_next, by_next={str(word): tuple(begun) for word, begun in by_next.items()})

    def going_on(self, following: str) -> tuple[Entry, ...]:
        """Those that the next word allows."""
        return (*self.any_next, *self.by_next[following]) if following in self.by_next else self.any_next


_NOTHING = Begun(any_next=(), by_next={})


class PhraseIndex:
    """Every phrase of a lexicon by its first word."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._minor_numbers = lexicon.minor_numbers
        self._whole: defaultdict[str, list[Entry]] = defaultdict(list)
        self._prefixes: defaultdict[str, list[Entry]] = defaultdict(list)
        for name, group in lexicon.groups.items():
            for phrase, is_exception in _phrases(group):
                self._add(phrase, name, is_exception=is_exception)
        self._plain = {word: Begun.of(entries) for word, entries in self._whole.items()}
        self._prefix_lengths = sorted({len(prefix) for prefix in self._prefixes})

    def find(self, words: Words, *, known: dict[str, Begun]) -> Hits:
        """Every group's matches that no exception of the group covers.

        `known` remembers what begins with a word: the views of one text share nearly all their words.
        """
        found: defaultdict[str, list[Span]] = defaultdict(list)
        excepted: defaultdict[str, list[Span]] = defaultdict(list)
        for start, word in enumerate(words.words):
            begun = known.get(word)
            if begun is None:
                begun = known[word] = self._begun(word)
            following = words.words[start + 1] if start + 1 < len(words.words) else ""
            for entry in begun.going_on(following):
                if self._follows(entry.rest, words.words, start + 1):
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

    def _begun(self, word: str) -> Begun:
        """Cheap for the words that begin nothing but whole phrases, which are nearly all."""
        has_prefix = any(word[:length] in self._prefixes for length in self._prefix_lengths if length <= len(word))
        if not has_prefix and not self._is_minor_number(word):
            return self._plain.get(word, _NOTHING)
        return Begun.of(self._entries(word))

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
    """Exceptions also without accents: they must hold in the views that have none."""
    yield from ((phrase, False) for written in group.phrases for phrase in _choices(written))
    exceptions = (phrase for written in group.exceptions for phrase in _choices(written))
    yield from ((form, True) for phrase in exceptions for form in dict.fromkeys((phrase, without_marks(phrase))))


def _choices(written: str) -> Iterator[str]:
    """Every phrase that "put|dress her|the_man in" stands for."""
    places = [piece.split("|") for piece in written.split()]
    return (" ".join(chosen).replace("_", " ") for chosen in product(*places))


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

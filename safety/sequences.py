"""Phrases of two parts with something between: "remove" ... "dress". Found in the hits of one text, in one pass."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator

from safety.lexicon import Sequence
from safety.matching import Hits, Span
from safety.words import Words

_MOST_TRIED = 32
"""Of the second parts behind a first one, how many are tried: all that can stand within a window."""


def with_sequences(
    hits: Hits, words: Words, sequences: Iterable[Sequence], *, fillers: frozenset[str], is_spelled: bool
) -> Hits:
    """`hits`, and in each sequence's group the places where it stands.

    `is_spelled` where every word that single letters may spell stands in the text: then nothing is said by how many
    words are between two.
    """
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for sequence in sequences:
        if sequence.first in hits and sequence.then in hits:
            found[sequence.group].extend(_places(sequence, hits, words, fillers, is_spelled=is_spelled))
    added = {group: tuple(sorted({*hits.get(group, ()), *spans})) for group, spans in found.items() if spans}
    return {**hits, **added}


def _places(
    sequence: Sequence, hits: Hits, words: Words, fillers: frozenset[str], *, is_spelled: bool
) -> Iterator[Span]:
    """The first part with the nearest second one that belongs to it."""
    seconds = hits[sequence.then]
    starts = [span.start for span in seconds]
    window = len(words.words) if is_spelled else sequence.window
    breaks = [] if is_spelled else _starts_of(sequence.breaks, hits)
    excuses = {span.start for group in sequence.unless_next for span in hits.get(group, ())}
    for first in hits[sequence.first]:
        begin = bisect_left(starts, first.end)
        for then in seconds[begin : begin + _MOST_TRIED]:
            if then.start - first.end > window or _is_parted(first, then, breaks):
                break
            if then.end not in excuses and (is_spelled or _is_one_clause(first, then, words, fillers)):
                yield Span(start=first.start, end=then.end)
                break


def _starts_of(groups: Iterable[str], hits: Hits) -> list[int]:
    return sorted(span.start for group in groups for span in hits.get(group, ()))


def _is_parted(first: Span, then: Span, breaks: list[int]) -> bool:
    """In "remove the stain on her dress" nothing is asked of the dress."""
    following = bisect_left(breaks, first.end)
    return following < len(breaks) and breaks[following] < then.start


def _is_one_clause(first: Span, then: Span, words: Words, fillers: frozenset[str]) -> bool:
    """Stops between words that say nothing, or behind every single word, part nothing: "remove, her, red, dress"."""
    stops = words.clauses[then.start] - words.clauses[first.end - 1]
    saying = sum(word not in fillers for word in words.words[first.end : then.start])
    return stops == 0 or stops > saying

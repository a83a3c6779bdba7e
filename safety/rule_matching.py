"""Where a rule holds in one reading of a text: which spans belong together, and what excuses them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from safety.lexicon import Rule
from safety.matching import Hits, Span
from safety.verdict import Stage
from safety.words import Words

_NEGATION_REACH = 3
_MOST_HITS = 32
"""Of each group but the first, how many hits one rule combines; a text with more is no clearer."""
_MOST_TOGETHER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One view of one text and what stands in it."""

    stage: Stage
    view: str
    words: Words
    hits: Hits


def first_match(rule: Rule, reading: Reading, negations: frozenset[str]) -> Span | None:
    """The first place where `rule` holds and nothing excuses it."""
    if not all(group in reading.hits for group in rule.all):
        return None
    for together in _combinations(rule, reading):
        if not _is_excused(rule, reading, together, negations):
            return Span(start=min(span.start for span in together), end=max(span.end for span in together))
    return None


def _combinations(rule: Rule, reading: Reading) -> Iterator[tuple[Span, ...]]:
    """One span of each group, all within `window` words of the first group's (0: anywhere)."""
    first, *others = (reading.hits[group] for group in rule.all)
    for anchor in first:
        near = [
            [span for span in other[:_MOST_HITS] if not rule.window or anchor.distance(span) <= rule.window]
            for other in others
        ]
        for rest in product(*(group[:_MOST_TOGETHER] for group in near)):
            yield (anchor, *rest)


def _is_excused(rule: Rule, reading: Reading, together: tuple[Span, ...], negations: frozenset[str]) -> bool:
    if rule.negatable and any(_is_negated(reading.words, span, negations) for span in together):
        return True
    excuses = (excuse for group in rule.unless for excuse in reading.hits.get(group, ())[:_MOST_HITS])
    return any(excuse.distance(span) <= rule.unless_window for excuse in excuses for span in together)


def _is_negated(words: Words, span: Span, negations: frozenset[str]) -> bool:
    before = range(max(0, span.start - _NEGATION_REACH), span.start)
    return any(words.words[i] in negations and words.clauses[i] == words.clauses[span.start] for i in before)

"""The one syntax of a prompt: `(word:1.3)` makes words count 1.3 times as much. All else is plain
text."""

import re
from bisect import bisect_right
from dataclasses import dataclass

MAX_WEIGHT = 2.0

# Parentheses, a text without parentheses, a colon, a plain decimal. Whatever differs from this is
# read as it stands: a backslash before it, a space around the number, a sign, a second pair of
# parentheses around it.
_WEIGHTED = re.compile(r"(?<!\\)\(([^()]+):([0-9]+(?:\.[0-9]+)?)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedText:
    """What the encoder reads, and from which character on which weight counts; before the first one
    it is 1."""

    text: str
    starts: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def is_weighted(self) -> bool:
        return any(weight != 1 for weight in self.weights)

    def weight_at(self, position: int) -> float:
        place = bisect_right(self.starts, position)
        return self.weights[place - 1] if place else 1.0


def too_heavy(prompt: str) -> tuple[str, ...]:
    """What has the form of a weight and is plain text all the same, because it is above
    `MAX_WEIGHT`."""
    return tuple(found[0] for found in _WEIGHTED.finditer(prompt) if float(found[2]) > MAX_WEIGHT)


def read_weights(prompt: str) -> WeightedText:
    """Take the syntax out of a prompt. A weight is 0 to 2; with nothing to weigh or beyond that it
    is plain text.

    Weights do not nest: in `((a:1.2):1.5)` only `(a:1.2)` is of the form.
    """
    text, starts, weights, end = "", [0], [1.0], 0
    for found in _WEIGHTED.finditer(prompt):
        words, weight = found[1], float(found[2])
        if not words.strip() or weight > MAX_WEIGHT:
            continue
        text += prompt[end : found.start()]
        starts += [len(text), len(text) + len(words)]
        weights += [weight, 1.0]
        text += words
        end = found.end()
    return WeightedText(text=text + prompt[end:], starts=tuple(starts), weights=tuple(weights))

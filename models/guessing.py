"""What somebody may have meant by a word that is not known: for messages, never to act upon."""

from collections.abc import Iterable
from difflib import get_close_matches

CLOSE_ENOUGH = 0.7


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelt most like it, whatever the case; None where none is close."""
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(word[:100].casefold(), by_folded, n=1, cutoff=CLOSE_ENOUGH)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence to add to a refusal, with a space before it; empty where nothing is close."""
    found = nearest(word, known)
    return "" if found is None else f" Did you mean {found!r}?"

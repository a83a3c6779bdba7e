"""The ways one text can be read once its disguises are taken off. Total: no text makes it raise."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import product

from safety.confusables import Confusables
from safety.decoding import decoded_texts

VERSION = 2
"""Part of every verdict: raised whenever a view reads anything differently."""

SPELLED = "spelled"
"""The view that holds every word that single letters may spell."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Format characters (category Cf), variation selectors, tags and fillers: all that is drawn as nothing."""
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_WEIGHT = re.compile(r":\s*-?\d+(?:\.\d+)?(?=\s*[)\]>}])")
_BRACKETS = re.compile(r"[()\[\]{}<>\\]+")
_TORN = re.compile(r"(?<![^\W_])[^\W_]++(?:(?:[^\w\s,;!?|]++|_++)[^\W_]++)+")
_SEPARATORS = re.compile(r"[\W_]+")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"\w+")
_MIXED = re.compile(r"[^\s,;:()\[\]{}<>\"]+")
_FRAGMENTS = re.compile(r"(?<![^\W_])(?:[^\W_]{1,2}[\W_]+){1,}[^\W_]{1,2}(?![^\W_])")
_LETTER_RUN = re.compile(r"(?<![^\W_])(?:[^\W_][\W_]+){2,}[^\W_](?![^\W_])")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_][^\W_])+(?![^\W_])")
_LEET_SIGN = re.compile(r"[013457@$!|+89]")
_LEET_I = str.maketrans("013457@$!|+89", "oieastasiitbg")
_LEET_L = str.maketrans("013457@$!|+89", "oleastaslltbg")
_SPELLED_SHORTEST, _SPELLED_LONGEST, _SPELLED_RUN = 3, 14, 48
_STRETCHES = 3


def views_of(text: str, confusables: Confusables) -> Iterator[tuple[str, str]]:
    """Name and text of every view of `text` that differs from those before it, the plain ones first."""
    seen: set[str] = set()
    for name, view in _all_views(text, confusables):
        if view not in seen:
            seen.add(view)
            yield name, view


def _all_views(text: str, confusables: Confusables) -> Iterator[tuple[str, str]]:
    yield "raw", text
    yield "nfc", unicodedata.normalize("NFC", text)
    visible = without_format(unicodedata.normalize("NFKC", without_format(text)))
    yield "nfkc", visible
    folded = confusables.folded(without_marks(visible))
    plain = _STRETCHED.sub(r"\1\1", folded)
    yield "folded", plain
    yield "unstretched", _unstretched(folded)
    yield "unstretched once", _STRETCHED.sub(r"\1", folded)
    yield from _rejoined(plain)
    for name, decoded in decoded_texts(visible):
        yield name, _STRETCHED.sub(r"\1", confusables.folded(without_marks(without_format(decoded))))


def _rejoined(plain: str) -> Iterator[tuple[str, str]]:
    """Readings of the folded text that put torn words together again."""
    flat = _BRACKETS.sub("", _WEIGHT.sub("", plain)).replace("|", " ")
    yield "flat", flat
    readable = _unleeted(plain)
    with_torn = _with_joined(readable)
    yield "leet", with_torn
    yield "joined", _joined(readable)
    yield SPELLED, _LETTER_RUN.sub(lambda run: f"{run[0]} {' '.join(_inner_words(run[0]))}", with_torn)


def without_format(text: str) -> str:
    """`text` without characters that are drawn as nothing."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def without_marks(text: str) -> str:
    """`text` without accents and other combining marks."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


def _unstretched(text: str) -> str:
    """Each word with letters drawn out, as it reads with one and with two of each."""

    def read(found: re.Match[str]) -> str:
        runs = len(_STRETCHED.findall(found[0]))
        few = product((1, 2), repeat=min(runs, _STRETCHES))
        return " ".join(_shortened(found[0], counts) for counts in few)

    return _WORD.sub(read, text) if _STRETCHED.search(text) else text


def _shortened(word: str, counts: tuple[int, ...]) -> str:
    left = iter(counts)
    return _STRETCHED.sub(lambda run: run[1] * next(left, 1), word)


def _unleeted(text: str) -> str:
    """Digits and signs read as letters, in words that mix them with letters; "1" may be an i or an l."""
    return _MIXED.sub(_read_leet, text) if _LEET_SIGN.search(text) else text


def _read_leet(found: re.Match[str]) -> str:
    token = found[0].rstrip("!?.")
    if not _LEET_SIGN.search(token) or not any(sign.isalpha() for sign in token):
        return found[0]
    with_i, with_l = token.translate(_LEET_I), token.translate(_LEET_L)
    return with_i if with_i == with_l else f"{with_i} {with_l}"


def _with_joined(text: str) -> str:
    """`text` with what a torn word reads as in one piece put right behind it, so that distances stay."""
    sealed = _TORN.sub(lambda torn: f"{torn[0]} {_SEPARATORS.sub('', torn[0])}", text)
    return _FRAGMENTS.sub(lambda run: f"{run[0]} {_SEPARATORS.sub('', run[0])}", sealed)


def _joined(text: str) -> str:
    """`text` with torn words in one piece, and letters with one sign between: phrases of several words are whole again."""
    sealed = _TORN.sub(lambda torn: _SEPARATORS.sub("", torn[0]), text)
    return _SPACED.sub(lambda spaced: _SEPARATORS.sub("", spaced[0]), sealed)


def _inner_words(run: str) -> Iterator[str]:
    """Every word that single letters may spell, since where it begins and ends cannot be seen."""
    letters = _SEPARATORS.sub("", run)[:_SPELLED_RUN]
    for start in range(len(letters)):
        for end in range(start + _SPELLED_SHORTEST, min(len(letters), start + _SPELLED_LONGEST) + 1):
            yield letters[start:end]

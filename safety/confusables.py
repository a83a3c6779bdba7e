"""Letters that look like Latin ones, folded to them."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import msgspec

from models import SettingInvalid

_NAMED = re.compile(
    r"(?:LATIN (?:[A-Z-]+ )*LETTER|LATIN CAPITAL LETTER|INDICATOR SYMBOL LETTER)(?: SMALL CAPITAL)? ([A-Z])(?: WITH .+)?"
)
"""The names of stroked, hooked, small-capital, circled, squared and flag letters say which letter they are."""
_TOKEN = re.compile(r"\S+")


class Confusables:
    """A table of lookalikes. Folding leaves a word of one other script alone unless all of it looks Latin."""

    def __init__(self, letters: Mapping[str, str]) -> None:
        """`letters` maps one character to the lower-case Latin letter that it resembles."""
        self._letters = dict(letters)

    def folded(self, text: str) -> str:
        """`text` with disguised words rewritten in Latin letters; other words are kept as they are."""
        if text.isascii():
            return text
        return _TOKEN.sub(lambda found: self._folded_token(found[0]), text)

    def _folded_token(self, token: str) -> str:
        if token.isascii():
            return token
        folded = [self._letter(character) for character in token]
        rest = [new for new in folded if new.isalpha() and not new.isascii()]
        has_latin = any(character.isascii() and character.isalpha() for character in token)
        return "".join(folded) if has_latin or not rest else token

    def _letter(self, character: str) -> str:
        if character.isascii():
            return character
        if character in self._letters:
            return self._letters[character]
        named = _NAMED.search(unicodedata.name(character, ""))
        return named[1].lower() if named else character


def load_confusables(file: Path) -> Confusables:
    """Raises SettingInvalid: the file is missing, not TOML, or not tables of text by letter."""
    try:
        tables = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, dict[str, str]])
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise SettingInvalid(f"{file.name}: {wrong}") from None
    return Confusables({looks: letter for table in tables.values() for letter, many in table.items() for looks in many})

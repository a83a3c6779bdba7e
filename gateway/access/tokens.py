"""API keys as text: `px_live_` or `px_test_`, then 12 characters of public id, 30 of secret and 6 of checksum.

Only the SHA-256 of the whole text is kept: it carries 178 random bits, so a slow hash would add nothing. The
checksum refuses typing errors and scanner noise before any look-up. Form after GitHub's tokens (2021).
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from gateway.identity import BASE62
from models import Refused

ID_CHARACTERS = 12
SECRET_CHARACTERS = 30
CHECKSUM_CHARACTERS = 6
_FORM = re.compile(
    rf"px_(live|test)_([0-9A-Za-z]{{{ID_CHARACTERS}}})[0-9A-Za-z]{{{SECRET_CHARACTERS}}}([0-9A-Za-z]{{6}})"
)


class KeyMissing(Refused):
    """The request carries no key."""

    code: ClassVar[str] = "missing_api_key"


class KeyRejected(Refused):
    """The key is malformed, unknown, revoked or expired; which of these is not told."""

    code: ClassVar[str] = "invalid_api_key"


class Mode(StrEnum):
    LIVE = "live"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A key as its owner holds it; `id` is its public part."""

    id: str
    mode: Mode
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def matches(self, sha256: str) -> bool:
        """In a time that does not depend on where the difference is."""
        return hmac.compare_digest(self.sha256, sha256)


def make_token(mode: Mode, random_base62: Callable[[int], str]) -> Token:
    id = random_base62(ID_CHARACTERS)
    body = f"px_{mode}_{id}{random_base62(SECRET_CHARACTERS)}"
    return Token(id=f"key_{id}", mode=mode, text=body + checksum(body))


def parse_token(text: str) -> Token:
    """Raises KeyRejected: the form or the checksum is wrong."""
    found = _FORM.fullmatch(text)
    if found is None or checksum(text[:-CHECKSUM_CHARACTERS]) != found.group(3):
        raise KeyRejected("The API key is not valid.")
    return Token(id=f"key_{found.group(2)}", mode=Mode(found.group(1)), text=text)


def checksum(body: str) -> str:
    """CRC-32 in base62, padded to 6 characters."""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits.rjust(CHECKSUM_CHARACTERS, "0")

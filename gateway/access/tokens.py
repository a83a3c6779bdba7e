"""API keys as text: `px_live_` or `px_test_`, then 12 characters of public id, 30 of secret and 6 of checksum.

Only a hash of the whole text is kept: it carries 178 random bits, so a slow hash would add nothing. With a pepper it is
keyed, so that a stolen database alone tells nobody whether a guess is right. The checksum refuses typing errors and
scanner noise before any look-up. Form after GitHub's tokens (2021).
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from gateway.identity import BASE62
from models import Refused, RequestInvalid

ID_CHARACTERS = 12
SECRET_CHARACTERS = 30
CHECKSUM_CHARACTERS = 6
PEPPERED = "hmac:"
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


def parse_mode(name: str) -> Mode:
    """Raises RequestInvalid."""
    if name not in set(Mode):
        raise RequestInvalid(f"`mode` is live or test, not {name!r}.", field="mode")
    return Mode(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A key as its owner holds it; `id` is its public part."""

    id: str
    mode: Mode
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHashes:
    """How tokens are hashed: SHA-256, or HMAC-SHA256 under the server's `pepper`.

    A hash says which it is, so keys made before there was a pepper stay good. Those made with it end with it.
    """

    pepper: bytes | None = None

    def of(self, token: Token) -> str:
        return _plain(token) if self.pepper is None else _peppered(token, self.pepper)

    def match(self, token: Token, known: Sequence[str]) -> bool:
        """Whether it is one of `known`, in a time that does not depend on which, nor on where the difference is."""
        plain = _plain(token)
        peppered = _peppered(token, self.pepper or b"")
        is_found = False
        for kept in known:
            ours = peppered if self.pepper is not None and kept.startswith(PEPPERED) else plain
            is_found |= hmac.compare_digest(ours, kept)
        return is_found


def make_token(mode: Mode, random_base62: Callable[[int], str], *, id: str | None = None) -> Token:
    """A new secret, under a new public id or under that of the key `id`."""
    public = random_base62(ID_CHARACTERS) if id is None else id.removeprefix("key_")
    body = f"px_{mode}_{public}{random_base62(SECRET_CHARACTERS)}"
    return Token(id=f"key_{public}", mode=mode, text=body + checksum(body))


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


def _plain(token: Token) -> str:
    return hashlib.sha256(token.text.encode()).hexdigest()


def _peppered(token: Token, pepper: bytes) -> str:
    return PEPPERED + hmac.new(pepper, token.text.encode(), hashlib.sha256).hexdigest()

"""Texts hidden in an encoding: tried where the form or a cue word gives a reason."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,:]?){4,}")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_ROT13_CUE = re.compile(r"rot[\s_-]?13|caesar|c[ae]sar cipher", re.IGNORECASE)
_REVERSED_CUE = re.compile(r"revers|backward|mirrored text|right to left|\u202e", re.IGNORECASE)
_MOST_TOKENS = 16
"""How many candidates of one encoding are tried; the rest of a text that is nothing else is not worth reading."""


def decoded_texts(text: str) -> Iterator[tuple[str, str]]:
    """Name of the encoding and the clean text it gives; nothing where no candidate decodes cleanly."""
    if _PERCENT.search(text):
        yield "percent", unquote(text, errors="replace")
    for name, pattern, decode in (("base64", _BASE64, _from_base64), ("hex", _HEX, _from_hex)):
        candidates = [found[0] for found, _ in zip(pattern.finditer(text), range(_MOST_TOKENS), strict=False)]
        decoded = [clean for candidate in candidates if (clean := _clean(decode(candidate)))]
        if decoded:
            yield name, " ".join((*decoded, text))
    if _ROT13_CUE.search(text):
        yield "rot13", codecs.encode(text, "rot13")
    if _REVERSED_CUE.search(text):
        yield "reversed", text[::-1]


def _from_base64(token: str) -> bytes:
    bare = token.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return b""


def _from_hex(token: str) -> bytes:
    digits = re.sub(r"0x|\\x|[\s,:]", "", token)
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _clean(content: bytes) -> str:
    """The text, if it is one: UTF-8, nearly all letters and spaces."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return ""
    letters = sum(character.isalpha() or character == " " for character in text)
    return text if len(text) >= 3 and letters >= 0.85 * len(text) else ""

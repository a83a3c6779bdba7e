"""A picture as callers name it in a text: base64, a data URL, or a generation's id."""

import base64
import binascii
import re

from gateway.generations.inputs.source_images import GenerationId, Source
from gateway.image_decoder import ImageInvalid

GENERATION = re.compile(r"gen_[0-9A-Za-z]{1,32}")
BEFORE_BASE64 = re.compile(r"data:[\w.+-]*/?[\w.+-]*(;[\w=.+-]+)*;base64,", re.IGNORECASE)


def source_of(text: str, *, field: str) -> Source:
    """Raises ImageInvalid: it is none of the three."""
    if GENERATION.fullmatch(text):
        return GenerationId(text)
    return content_of(text, field=field)


def content_of(text: str, *, field: str) -> bytes:
    """The bytes behind base64, with or without `data:image/...;base64,` before it.

    Raises:
        ImageInvalid: it is not base64, or there is nothing in it.
    """
    head = BEFORE_BASE64.match(text)
    encoded = "".join(text[head.end() if head else 0 :].split())
    try:
        content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise ImageInvalid(f"`{field}` must be a picture as base64, a data URL or a generation's id.", field=field)
    return content

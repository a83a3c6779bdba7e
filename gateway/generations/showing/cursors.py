"""Cursors of pages: a number that callers need not understand."""

import base64
import binascii
import re
from contextlib import suppress
from typing import ClassVar

from models import RequestInvalid

_CURSOR = re.compile(r"g([1-9][0-9]{0,17})")  # any such number fits into the databases' 64 bits


class CursorInvalid(RequestInvalid):
    """The cursor is not one of ours."""

    code: ClassVar[str] = "invalid_cursor"


def cursor_of(number: int) -> str:
    """`number` is above 0."""
    return base64.urlsafe_b64encode(f"g{number}".encode()).decode().rstrip("=")


def number_of(cursor: str) -> int:
    """Raises CursorInvalid."""
    found = None
    with suppress(binascii.Error, ValueError):
        found = _CURSOR.fullmatch(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
    if found is None:
        raise CursorInvalid("`cursor` is not one that this service gave out.", field="cursor")
    return int(found.group(1))

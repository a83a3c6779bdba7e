"""Byte ranges (RFC 9110, section 14): one at a time, for pictures alone. Forgetting a range is always allowed."""

import re

from starlette.types import Scope

from gateway.http.refusals import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")


def check_range(scope: Scope, size: int) -> None:
    """Leave one well-formed range where it is and forget anything else: the whole picture is the answer then.

    Raises:
        RangeNotSatisfiable: it begins behind the last byte, or asks for the last 0 bytes.
    """
    found = _RANGE.fullmatch(_asked(scope))
    first, last, suffix = found.groups(default="") if found else ("", "", "")
    if found is None or (first and last and int(last) < int(first)):
        forget_range(scope)
    elif int(first) >= size if first else int(suffix) == 0:
        raise RangeNotSatisfiable(f"The picture has {size} bytes.", size=size)


def forget_range(scope: Scope) -> None:
    """Answer with the whole file. Starlette would refuse a range it does not like in words of its own."""
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]


def _asked(scope: Scope) -> str:
    return ", ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"range")

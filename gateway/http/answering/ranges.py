"""Byte ranges (RFC 9110, section 14): one at a time, for pictures alone. Forgetting a range is always allowed."""

import re

from starlette.types import Scope

from gateway.http.edge.refusals import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")


def check_range(scope: Scope, size: int, *, etag: str) -> None:
    """Leave one well-formed range where it is and forget anything else: the whole picture is the answer then.

    So it is where `If-Range` names another tag than `etag`, or a date, which says less than our tags do.

    Raises:
        RangeNotSatisfiable: it begins behind the last byte, or asks for the last 0 bytes.
    """
    found = _RANGE.fullmatch(_sent(scope, b"range"))
    first, last, suffix = found.groups(default="") if found else ("", "", "")
    is_of_another = _sent(scope, b"if-range").strip() not in {"", etag}
    if found is None or is_of_another or (first and last and int(last) < int(first)):
        forget_range(scope)
    elif int(first) >= size if first else int(suffix) == 0:
        raise RangeNotSatisfiable(f"The picture has {size} bytes.", size=size)


def asked_range(scope: Scope, size: int) -> range | None:
    """The bytes that a checked range asks for; None: all of them."""
    found = _RANGE.fullmatch(_sent(scope, b"range"))
    if found is None:
        return None
    first, last, suffix = found.groups(default="")
    if suffix:
        return range(max(0, size - int(suffix)), size)
    return range(int(first), min(size, int(last) + 1) if last else size)


def forget_range(scope: Scope) -> None:
    """Answer with the whole file. Starlette would refuse a range it does not like in words of its own."""
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]


def _sent(scope: Scope, header: bytes) -> str:
    return ", ".join(value.decode("latin-1") for name, value in scope["headers"] if name == header)

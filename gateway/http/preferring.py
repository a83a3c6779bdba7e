"""The `Prefer` header (RFC 7240): `respond-async` and `wait=n`."""

import re
from dataclasses import dataclass

_WAIT = re.compile(r"wait=\"?(\d{1,6})\"?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """`wait_s` is None where the caller named no number of seconds."""

    is_async: bool = False
    wait_s: int | None = None


def read_preference(header: str) -> Preference:
    """What we do not know in it is ignored, as the standard asks."""
    wishes = [wish.partition(";")[0].strip().lower() for wish in header.split(",")]
    waits = [int(found.group(1)) for wish in wishes if (found := _WAIT.fullmatch(wish))]
    return Preference(is_async="respond-async" in wishes, wait_s=waits[0] if waits else None)

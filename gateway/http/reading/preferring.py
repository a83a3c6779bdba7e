"""The `Prefer` header (RFC 7240): `respond-async` and `wait=n`."""

import re
from dataclasses import dataclass

_WAIT = re.compile(r"wait=\"?(\d{1,6})\"?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """`wait_s` is None where the caller named no number of seconds."""

    is_async: bool = False
    wait_s: int | None = None

    def wait_within(self, longest_s: float) -> float:
        """How long the call is held open; 0 means it answers 202 at once."""
        if self.is_async:
            return 0
        return longest_s if self.wait_s is None else min(self.wait_s, longest_s)


def read_preference(header: str) -> Preference:
    """What we do not know in it is ignored, as the standard asks."""
    wishes = [wish.partition(";")[0].strip().lower() for wish in header.split(",")]
    waits = [int(found.group(1)) for wish in wishes if (found := _WAIT.fullmatch(wish))]
    return Preference(is_async="respond-async" in wishes, wait_s=waits[0] if waits else None)

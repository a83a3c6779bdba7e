"""What a key may do."""

from collections.abc import Iterable
from typing import ClassVar

from models import Refused, RequestInvalid
from models.guessing import did_you_mean

SCOPES = frozenset(
    {
        "generate",
        "read",
        "delete",
        "templates:read",
        "templates:write",
        "renders:write",
        "webhooks:write",
        "keys:write",
        "admin",
    }
)
DEFAULT_SCOPES = frozenset({"generate", "read", "delete"})
# `read`, the other word of PicStream, is a scope itself. `write` paints and deletes.
ALIASES = {"write": frozenset({"generate", "delete"})}


class ScopeMissing(Refused):
    """The key is good but may not do this."""

    code: ClassVar[str] = "insufficient_scope"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def parse_scopes(names: Iterable[str]) -> frozenset[str]:
    """Spell out aliases.

    Raises:
        RequestInvalid: a name is no scope, or there is none at all.
    """
    scopes: set[str] = set()
    for name in names:
        scopes |= ALIASES.get(name, {name})
    unknown = sorted(scopes - SCOPES)
    if unknown or not scopes:
        hints = "".join(did_you_mean(name, {*SCOPES, *ALIASES}) for name in unknown)
        raise RequestInvalid(f"Unknown scopes: {', '.join(unknown) or 'none given'}.{hints}", field="scopes")
    return frozenset(scopes)

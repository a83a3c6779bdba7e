"""What a key is made with, and what cannot be meant."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from gateway.access import DEFAULT_SCOPES, Mode
from models import RequestInvalid
from storage import ApiKey

MOST_CREDITS = 10**12
MOST_REQUESTS = 2**31 - 1
MOST_NAMES = 100
MOST_CHARACTERS = 100
DEFAULT_OVERLAP_S = 24 * 3600
MOST_OVERLAP_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """A key to be made; None leaves a bound to the plan, or open. They mean what `storage.ApiKey` says.

    Raises:
        RequestInvalid: a value that cannot be meant; `field` names it.
    """

    name: str = ""
    mode: Mode = Mode.LIVE
    scopes: frozenset[str] = field(default=DEFAULT_SCOPES)
    expires_at: datetime | None = None
    rpm: int | None = None
    rpd: int | None = None
    max_open: int | None = None
    spend_cap: int | None = None
    models: frozenset[str] | None = None
    styles: frozenset[str] | None = None
    networks: frozenset[str] | None = None

    def __post_init__(self) -> None:
        check_text(self.name, field="name", least=0)
        for name in ("rpm", "rpd", "max_open"):
            check_number(getattr(self, name), least=1, most=MOST_REQUESTS, field=name)
        check_number(self.spend_cap, least=0, most=MOST_CREDITS, field="spend_cap")
        for name in ("models", "styles", "networks"):
            _check_names(getattr(self, name), field=name)
        for network in self.networks or ():
            _check_network(network)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What changes of a key: the members of `terms` that are among `names`. None lifts a bound."""

    terms: KeyTerms
    names: frozenset[str]

    def applied(self, key: ApiKey) -> ApiKey:
        values: dict[str, Any] = {name: getattr(self.terms, name) for name in self.names}
        return replace(key, **values)


def check_number(number: int | None, *, least: int, most: int, field: str) -> None:
    """Raises RequestInvalid."""
    if number is not None and not least <= number <= most:
        raise RequestInvalid(f"`{field}` must be between {least} and {most}.", field=field)


def check_text(text: str, *, field: str, least: int) -> None:
    """Raises RequestInvalid."""
    if not least <= len(text) <= MOST_CHARACTERS or not text.isprintable() or text != text.strip():
        raise RequestInvalid(
            f"`{field}` must have {least} to {MOST_CHARACTERS} printable characters, none of them blank at the ends.",
            field=field,
        )


def _check_names(names: Iterable[str] | None, *, field: str) -> None:
    """They are kept with blanks between, so none may hold one."""
    listed = None if names is None else list(names)
    if listed is None:
        return
    if not 1 <= len(listed) <= MOST_NAMES:
        raise RequestInvalid(f"`{field}` must name 1 to {MOST_NAMES}.", field=field)
    for name in listed:
        if not 1 <= len(name) <= MOST_CHARACTERS or not name.isprintable() or " " in name:
            raise RequestInvalid(f"`{field}`: {name!r} cannot be an entry.", field=field)


def _check_network(network: str) -> None:
    try:
        ip_network(network)
    except ValueError:
        raise RequestInvalid(f"`networks`: {network!r} is no network such as 192.0.2.0/24.", field="networks") from None

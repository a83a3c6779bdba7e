"""Where webhooks may go: the rules, judged once when a URL is given and again for each address it resolves to.

    https://host:port/path -> check_url (the text) -> name resolved -> refusal (each address) -> socket

The text is held against one narrow pattern, so there is nothing that two URL parsers could read differently.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import ClassVar
from urllib.parse import urlsplit

from gateway.webhooks.addresses import LOOPBACK, METADATA, Address, Network, behind_nat64, is_public, is_within
from models import RequestInvalid

MAX_URL_CHARACTERS = 2048
DEFAULT_PORTS = frozenset({80, 443})
NETWORKS_SETTING = "PINXIT_WEBHOOK_ALLOWED_NETWORKS"

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)(?::(?P<port>[0-9]{1,5}))?(?:[/?#].*)?",
    re.IGNORECASE | re.ASCII,
)
_BEGIN = re.compile(r"(?P<scheme>https?://)(?P<host>[^/?#:@\[\]]+)", re.IGNORECASE)
_OTHER_DOTS = "\u3002\uff0e\uff61"
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE | re.ASCII)


class WebhookUrlInvalid(RequestInvalid):
    """A webhook may not be sent to that address."""

    code: ClassVar[str] = "invalid_webhook_url"

    def __init__(self, message: str, *, field: str | None = "webhook_url") -> None:
        super().__init__(message, field=field)


@dataclass(slots=True, kw_only=True)
class Destinations:
    """What the operator permits beyond public https.

    `allow_loopback` is local mode: plain http, and 127.0.0.0/8 and ::1 on any port. `allowed_networks` are private
    networks that may be reached as well, also by plain http; clouds' metadata addresses stay closed.
    """

    allow_loopback: bool = False
    allowed_networks: tuple[Network, ...] = ()
    allowed_ports: frozenset[int] = DEFAULT_PORTS

    def close_loopback(self) -> None:
        """From now on this machine is no destination, as if it were not in local mode."""
        self.allow_loopback = False

    def check_url(self, url: str, *, field: str = "webhook_url") -> None:
        """Judge what the text alone can tell; names are judged when they are resolved, at each delivery.

        `field` is the member of the request that holds it.

        Raises:
            WebhookUrlInvalid: with the reason in the caller's words.
        """
        try:
            self._judge_text(url)
        except ValueError as refused:
            raise WebhookUrlInvalid(f"`{field}` {refused}.", field=field) from None

    def _judge_text(self, url: str) -> None:
        """Raises ValueError: what follows the name of the member in the sentence that refuses it."""
        scheme, host, port = _parts(url)
        is_plain = scheme != "https"
        if is_plain and not self.allow_loopback and not self.allowed_networks:
            raise ValueError("must begin with https://")
        if (literal := _literal(host)) is not None:
            reason = self.refusal(literal, port, is_plain=is_plain)
        elif self.allow_loopback:
            reason = None  # the port depends on where the name leads
        elif host == "localhost" or host.endswith(".localhost"):
            reason = f"{host} is this machine"
        else:
            reason = self._port_refusal(port)
        if reason is not None:
            raise ValueError(f"is refused: {reason}")

    def refusal(self, address: Address, port: int, *, is_plain: bool = False) -> str | None:
        """Why nothing may be sent to this address and port, without TLS where `is_plain`, or None."""
        if self.allow_loopback and is_within(address, LOOPBACK):
            return None
        if is_within(address, METADATA):
            return f"{address} serves a cloud's credentials"
        if not is_public(address) and not is_within(address, self.allowed_networks):
            return f"{address} is not a public address (the operator may allow its network in {NETWORKS_SETTING})"
        if is_plain and not self.allow_loopback and not is_within(address, self.allowed_networks):
            return f"plain http goes only to networks that the operator has opened in {NETWORKS_SETTING}"
        return self._port_refusal(port)

    def may_quote(self, address: Address) -> bool:
        """What answers there may be shown to callers: not what the operator's own networks say to a POST."""
        return is_public(behind_nat64(address)) or (self.allow_loopback and is_within(address, LOOPBACK))

    def _port_refusal(self, port: int) -> str | None:
        if port in self.allowed_ports:
            return None
        return f"port {port} is not one of {', '.join(map(str, sorted(self.allowed_ports)))}"


def host_of(url: str) -> str:
    """Whom a delivery to `url` burdens: host, its name in ASCII, and port."""
    return urlsplit(_in_ascii(url)).netloc.lower()


def _in_ascii(url: str) -> str:
    """With a name outside ASCII in its xn-- form, by the same code that the sender uses. ValueError: it has none."""
    begun = _BEGIN.match(url)
    if begun is None or begun["host"].isascii():
        return url
    from httpx2 import URL, InvalidURL  # noqa: PLC0415 - takes a tenth of a second, and most names are ASCII

    if any(dot in begun["host"] for dot in _OTHER_DOTS):
        raise ValueError("must have plain dots in its name")
    try:
        name = URL(f"https://{begun['host']}/").raw_host.decode("ascii")
    except (InvalidURL, UnicodeError):
        raise ValueError("has a name that no domain can have") from None
    return f"{begun['scheme']}{name}{url[begun.end() :]}"


def _parts(url: str) -> tuple[str, str, int]:
    """Scheme, host without brackets and without the root's dot, and port; ValueError as `_judge_text`."""
    if len(url) > MAX_URL_CHARACTERS:
        raise ValueError(f"has more than {MAX_URL_CHARACTERS} characters")
    if "\\" in url or " " in url or not url.isprintable():
        raise ValueError("must not contain spaces, backslashes or control characters")
    found = _URL.fullmatch(_in_ascii(url))
    if found is None:
        raise ValueError("must look like https://host/path, without a user name")
    scheme = found["scheme"].lower()
    port = int(found["port"]) if found["port"] else {"https": 443, "http": 80}[scheme]
    if not 1 <= port <= 65535:
        raise ValueError(f"has no port {port}")
    return scheme, found["host"].lower().removesuffix("."), port


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` spells, None for a name.

    A host that ends in a number is an address to every resolver (as 2130706433, 0x7f.1 or 0177.0.0.1), so it must be
    one in the usual notation.
    """
    if not host.startswith("[") and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except ValueError:
        raise ValueError("holds an address in an unusual notation") from None

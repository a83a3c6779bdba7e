"""By which address a call reached us, so that the addresses in its answer lead back the same way."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

import structlog
from starlette.requests import HTTPConnection

AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?")

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class OwnAddress:
    """`root` is the address that settings name; with `is_fixed` no call changes it.

    Else a call's own `Host` counts where it is an IP literal, localhost, or one of `allowed` (names in small letters).
    Any other name may be an attacker's: it is never repeated, and the operator is warned once.
    """

    root: str
    is_fixed: bool
    allowed: frozenset[str]
    warning: str | None = None

    def root_of(self, call: HTTPConnection) -> str:
        """Where the answer's addresses begin. Without exactly one `Host` that counts: `root`."""
        hosts = call.headers.getlist("host")
        if self.is_fixed or len(hosts) != 1:
            return self.root
        found = AUTHORITY.fullmatch(hosts[0])
        if found and (_is_literal(found[1]) or found[1].lower() in self.allowed):
            return f"{call.url.scheme}://{hosts[0].lower()}"
        if found and self.warning is None:
            self.warning = (
                f"Calls come by a name that is not allowed, and are answered with addresses at {self.root}:"
                " set PINXIT_PUBLIC_URL, or PINXIT_ALLOWED_HOSTS."
            )
            log.warning("a name that is not allowed", host=found[1], answered_with=self.root)
        return self.root


def _is_literal(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return bool(ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return False

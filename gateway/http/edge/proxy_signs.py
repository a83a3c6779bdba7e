"""A proxy's headers on a server that believes that only its own machine can reach it.

Such a server opens `/metrics` and webhooks to itself. Behind a proxy on the same machine that would be open to the
world, though the address it listens on says otherwise.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

SIGNS = (b"forwarded", b"x-real-ip", b"x-forwarded-")


@dataclass(slots=True, kw_only=True)
class ProxySigns:
    """`is_local` is what settings say; `on_first` is called once, at the first request with such a header."""

    is_local: bool
    on_first: Callable[[], None]
    warning: str | None = None

    def show(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether this request came through a proxy that nobody has told us of."""
        if not self.is_local:
            return False
        found = next((name for name, _ in headers if name.startswith(SIGNS)), None)
        if found is None:
            return False
        if self.warning is None:
            self._begin(found.decode("latin-1"))
        return True

    def _begin(self, header: str) -> None:
        self.warning = (
            f"A request carried the header {header}, so a proxy stands before this server: set PINXIT_PUBLIC_URL."
            " Until then such requests do not see /metrics, and webhooks to this machine are off until the next start."
        )
        log.warning("behind a proxy without PINXIT_PUBLIC_URL", header=header, consequence=self.warning)
        self.on_first()

"""Public addresses of what we keep."""

from dataclasses import dataclass

from gateway.clock import Clock
from storage.links import ORIGINAL, THUMBNAIL, Signer, Variant

MOST_ROUNDED_S = 300
ROUNDED_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrls:
    """`root` is how callers reach us, such as `http://127.0.0.1:8000`, without a slash at its end.

    With `lifetime_s` pictures are private: every address of one is signed and ends after that time or a little sooner,
    never later: ends are rounded down to whole quarters of the time, or to five minutes where that is less, so that who
    looks again soon is given the same address and may keep what it led to. None: the name of a
    picture, which nobody can guess, is all it takes, for ever.
    """

    root: str
    signer: Signer
    clock: Clock
    lifetime_s: int | None = None

    def image(self, name: str) -> str:
        return f"{self.root}/img/{name}" if self.lifetime_s is None else self.variant(name, ORIGINAL)

    def thumbnail(self, name: str) -> str:
        return self.variant(name, THUMBNAIL)

    def variant(self, name: str, variant: Variant) -> str:
        """Signed, since making one is work for us."""
        return f"{self.root}/img/{name}?{self.signer.query(name, variant, expires_at=self.expires_at())}"

    def expires_at(self) -> int | None:
        """Until when an address that is made now is good, in seconds since the epoch; None: for ever."""
        if self.lifetime_s is None:
            return None
        rounded_to_s = max(1, min(MOST_ROUNDED_S, self.lifetime_s // ROUNDED_PARTS))
        return (int(self.clock().timestamp()) + self.lifetime_s) // rounded_to_s * rounded_to_s

    def check(self, name: str, variant: Variant, *, expires_at: int | None, signature: str) -> None:
        """Whether this address may be followed.

        Raises:
            SignatureInvalid, UrlExpired.
        """
        if self.lifetime_s is None and variant == ORIGINAL:
            return
        now = int(self.clock().timestamp())
        self.signer.check(name, variant, expires_at=expires_at, signature=signature, now=now)

    def generation(self, generation_id: str) -> str:
        return f"{self.root}/v1/generations/{generation_id}"

    def batch(self, batch_id: str) -> str:
        return f"{self.root}/v1/batches/{batch_id}"

    @property
    def errors(self) -> str:
        """Under it every error code has a page."""
        return f"{self.root}/errors"

"""Public names of pictures, and addresses that only we can make. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from models import ImageFormat, Refused

NAME_CHARACTERS = 32  # of hexadecimal, 128 bits
SIGNATURE_BYTES = 24
ENDINGS: Mapping[ImageFormat, str] = {
    ImageFormat.PNG: "png",
    ImageFormat.JPEG: "jpg",
    ImageFormat.WEBP: "webp",
    ImageFormat.AVIF: "avif",
}


class SignatureInvalid(Refused):
    """This address of a picture was not made by us, or not for what it asks for."""

    code: ClassVar[str] = "invalid_signature"


class UrlExpired(Refused):
    """This address of a picture was good for a time that is over; ask for a new one."""

    code: ClassVar[str] = "url_expired"


def image_name(generation_id: str, position: int, file_sha256: str, format: ImageFormat) -> str:
    """Such as `9f86d081884c7d659a2feaa0c55ad015.png`.

    The bytes under a name never change, for the name depends on them. Nobody who has not seen the generation's id can
    guess it, even who painted the same picture.
    """
    seal = hashlib.sha256(f"{generation_id}/{position}/{file_sha256}".encode()).hexdigest()
    return f"{seal[:NAME_CHARACTERS]}.{ENDINGS[format]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A picture in another width, format or quality; None leaves its own. No variant is wider than its picture."""

    width: int | None = None
    format: ImageFormat | None = None
    quality: int | None = None

    @property
    def query(self) -> str:
        """As it stands in an address, always in the same order: `w=256&fm=webp&q=80`."""
        given = {"w": self.width, "fm": self.format, "q": self.quality}
        return "&".join(f"{name}={value}" for name, value in given.items() if value is not None)


ORIGINAL = Variant()
THUMBNAIL = Variant(width=256, format=ImageFormat.WEBP, quality=80)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs addresses with the first of its keys and believes every one of them, so that a key can be changed while
    addresses signed with the one before stay good."""

    keys: tuple[bytes, ...]

    def query(self, name: str, variant: Variant, *, expires_at: int | None) -> str:
        """What follows the question mark of the address. `expires_at` is in seconds since the epoch."""
        signature = _signature(self.keys[0], name, variant, expires_at)
        until = None if expires_at is None else f"exp={expires_at}"
        return "&".join(filter(None, (variant.query, until, f"sig={signature}")))

    def check(self, name: str, variant: Variant, *, expires_at: int | None, signature: str, now: int) -> None:
        """Raises SignatureInvalid, UrlExpired."""
        known = [_signature(key, name, variant, expires_at) for key in self.keys]
        if not any(hmac.compare_digest(one.encode(), signature.encode()) for one in known):
            raise SignatureInvalid("The address was not signed by this service for what it asks for.")
        if expires_at is not None and now >= expires_at:
            raise UrlExpired("The address has expired; read the generation again for a new one.")


def _signature(key: bytes, name: str, variant: Variant, expires_at: int | None) -> str:
    signed = f"{name}?{variant.query}&exp={'' if expires_at is None else expires_at}"
    return base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), "sha256")[:SIGNATURE_BYTES]).decode()

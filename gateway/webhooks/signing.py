"""How a receiver knows that we wrote a message: Standard Webhooks 1.0.0, and one plain header beside it.

`webhook-signature` holds `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, once per valid secret, keyed
with the bytes behind `whsec_`. `X-Pinxit-Signature` is the hex HMAC-SHA256 of the raw body, keyed with the newest
secret's text exactly as it is shown (`whsec_` included, UTF-8), for receivers of three lines.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

from models import SettingInvalid

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of a secret, not one
SECRET_BYTES = 32
SECRET_BYTES_ALLOWED = range(24, 65)


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """`whsec_` and the base64 of 32 unguessable bytes; `random_bytes` is `secrets.token_bytes` outside of tests."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def signed_headers(body: bytes, *, event_id: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of one attempt to deliver `body`.

    The id stays over all attempts, the timestamp is this attempt's. `secrets` are the valid ones, newest first: two
    while one replaces the other.

    Raises:
        SettingInvalid: no secret, or one that is not `whsec_` and base64 of 24 to 64 bytes.
    """
    if not secrets:
        raise SettingInvalid("A webhook cannot be signed without a secret.")
    timestamp = str(int(now.timestamp()))
    text = b".".join((event_id.encode(), timestamp.encode(), body))
    signatures = (base64.b64encode(_hmac(_key(secret), text)).decode() for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        "X-Pinxit-Signature": _hmac(secrets[0].encode(), body).hex(),
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in SECRET_BYTES_ALLOWED:
        raise SettingInvalid("A webhook secret is whsec_ and the base64 of 24 to 64 bytes.")
    return key


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()

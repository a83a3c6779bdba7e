"""What a text is that looks like a key: for whoever finds one in a log or a repository."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.access import KeyRejected, KnownKeys, TokenHashes, hashes_of, parse_token
from storage import ApiKey


class TokenState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """`key` is None unless the text is, or was, its secret."""

    state: TokenState
    key: ApiKey | None = None


async def examine(text: str, *, known: KnownKeys, hashes: TokenHashes, now: datetime) -> Examined:
    try:
        token = parse_token(text)
    except KeyRejected:
        return Examined(state=TokenState.MALFORMED)
    found = await known.find(token.id)
    if found is None or found.key.mode != token.mode or not hashes.match(token, hashes_of(found.key, now)):
        return Examined(state=TokenState.UNKNOWN)
    return Examined(
        state=_state_of(found.key, is_suspended=found.account.suspended_at is not None, now=now), key=found.key
    )


def _state_of(key: ApiKey, *, is_suspended: bool, now: datetime) -> TokenState:
    if key.revoked_at is not None:
        return TokenState.REVOKED
    if key.expires_at is not None and key.expires_at <= now:
        return TokenState.EXPIRED
    return TokenState.SUSPENDED if is_suspended else TokenState.VALID

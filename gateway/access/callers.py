"""Who is asking: from a key as sent to the account that pays."""

from dataclasses import dataclass
from datetime import datetime

from gateway.access.plans import Plan, Plans
from gateway.access.scopes import ScopeMissing
from gateway.access.tokens import KeyRejected, Mode, Token, parse_token
from storage import Account, ApiKey, Database
from storage.keys import key_with_account

UNKNOWN_KEY_SHA256 = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The owner of an accepted key."""

    key: ApiKey
    account: Account
    plan: Plan

    @property
    def is_live(self) -> bool:
        return self.key.mode == Mode.LIVE

    @property
    def requests_per_minute(self) -> int | None:
        """The key's own limit where it has one, else the plan's."""
        return self.plan.requests_per_minute if self.key.rpm is None else self.key.rpm

    @property
    def pays(self) -> bool:
        return self.is_live and self.plan.counts_credits

    def must_have(self, scope: str) -> None:
        """Raises ScopeMissing."""
        if scope not in self.key.scopes and "admin" not in self.key.scopes:
            raise ScopeMissing(f"This key lacks the scope {scope!r}; it has {', '.join(sorted(self.key.scopes))}.")


class Gatekeeper:
    """Tells callers from strangers. Asks the database each time, so that a revoked key is dead at once."""

    def __init__(self, database: Database, plans: Plans) -> None:
        self._database = database
        self._plans = plans

    async def caller(self, token_text: str, *, now: datetime) -> Caller:
        """Raises KeyRejected: malformed, unknown, revoked or expired, always in the same words."""
        token = parse_token(token_text)
        async with self._database.reading() as connection:
            found = await key_with_account(connection, token.id)
        is_match = token.matches(found[0].secret_hash if found else UNKNOWN_KEY_SHA256)
        if found is None or not is_match or not _is_valid(found[0], token, now):
            raise KeyRejected("The API key is not valid.")
        key, account = found
        return Caller(key=key, account=account, plan=self._plans.get(account.plan))


def _is_valid(key: ApiKey, token: Token, now: datetime) -> bool:
    is_expired = key.expires_at is not None and key.expires_at <= now
    return key.revoked_at is None and not is_expired and key.mode == token.mode

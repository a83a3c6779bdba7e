"""Who is asking: from a key as sent to the account that pays."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import ClassVar

from gateway.access.known_keys import KnownKeys
from gateway.access.last_uses import LastUses
from gateway.access.plans import Plan, Plans
from gateway.access.scopes import ScopeMissing
from gateway.access.tokens import KeyRejected, Mode, TokenHashes, parse_token
from models import Refused
from storage import Account, ApiKey

NO_HASH = "0" * 64


class AccountSuspended(Refused):
    """The key is good, but the operator has suspended its account."""

    code: ClassVar[str] = "account_suspended"


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

    def must_be_allowed(self, *, model: str, style: str) -> None:
        """Raises ScopeMissing: the key is bound to other models or styles."""
        for field, asked, allowed in (("model", model, self.key.models), ("style", style, self.key.styles)):
            if allowed is not None and asked not in allowed:
                names = ", ".join(sorted(allowed))
                raise ScopeMissing(f"This key may not use the {field} {asked!r}; it may use: {names}.", field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gatekeeper:
    """Tells callers from strangers."""

    known: KnownKeys
    plans: Plans
    hashes: TokenHashes
    uses: LastUses

    async def caller(self, token_text: str, *, now: datetime, address: str | None = None) -> Caller:
        """`address` is where the request came from, as far as anybody knows.

        Raises:
            KeyRejected: malformed, unknown, revoked or expired, always in the same words and with the same work.
            AccountSuspended.
            ScopeMissing: the key is bound to other networks.
        """
        token = parse_token(token_text)
        found = await self.known.find(token.id)
        is_match = self.hashes.match(token, hashes_of(found.key if found else None, now))
        if found is None or not is_match or not _is_valid(found.key, token.mode, now):
            raise KeyRejected("The API key is not valid.")
        if found.account.suspended_at is not None:
            raise AccountSuspended("This account is suspended; ask the operator of this service.")
        if found.key.networks is not None and not is_within(address, found.key.networks):
            raise ScopeMissing("This key may not be used from this address.")
        self.uses.note(found.key.id, now)
        return Caller(key=found.key, account=found.account, plan=self.plans.get(found.account.plan))

    async def owner_of(self, key_id: str) -> Caller:
        """The caller behind a key of ours, for work that was accepted from it before; its key may be revoked by now.

        Raises:
            KeyRejected: there is no such key.
        """
        found = await self.known.find(key_id)
        if found is None:
            raise KeyRejected("The API key is not valid.")
        return Caller(key=found.key, account=found.account, plan=self.plans.get(found.account.plan))


def _is_valid(key: ApiKey, mode: str, now: datetime) -> bool:
    is_expired = key.expires_at is not None and key.expires_at <= now
    return key.revoked_at is None and not is_expired and key.mode == mode


def is_within(address: str | None, networks: frozenset[str]) -> bool:
    """Whether an address, or a whole network, lies in one of the networks."""
    if address is None:
        return False
    try:
        inner = _network(address)
    except ValueError:
        return False
    return any(_lies_in(inner, _network(outer)) for outer in networks)


def _lies_in(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


@lru_cache(maxsize=1024)
def _network(text: str) -> IPv4Network | IPv6Network:
    """An IPv4 address in IPv6 clothes counts as what it is.

    Raises:
        ValueError: the text is no address and no network.
    """
    if "/" in text:
        return ip_network(text)
    address = ip_address(text)
    return ip_network(getattr(address, "ipv4_mapped", None) or address)


def hashes_of(key: ApiKey | None, now: datetime) -> tuple[str, str]:
    """Always two to compare with, whether there is such a key or not."""
    if key is None:
        return NO_HASH, NO_HASH
    is_overlap = key.previous_until is not None and now < key.previous_until
    return key.secret_hash, (key.previous_hash or NO_HASH) if is_overlap else NO_HASH

"""Keys: make, change, rotate, revoke, list. With `maker` a caller acts on its own account, without it the operator on any."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from gateway.access import (
    Caller,
    KnownKeys,
    Mode,
    Plans,
    PlanTooSmall,
    ScopeMissing,
    Token,
    TokenHashes,
    check_change,
    check_within,
    make_token,
    within,
)
from gateway.accounts.actors import Actor
from gateway.accounts.examining import Examined, examine
from gateway.accounts.terms import DEFAULT_OVERLAP_S, MOST_OVERLAP_S, KeyChange, KeyTerms, check_number
from gateway.clock import Clock
from models import Refused, RequestInvalid
from storage import Account, ApiKey, Database, Transaction
from storage.accounts import account_by_id, lock_account
from storage.keys import add_key, change_key, count_keys, key_by_id, list_keys, lock_key, revoke_key, rotate_key, spend


class KeyUnknown(Refused):
    """There is no such key, or not in this account."""

    code: ClassVar[str] = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key with a fresh secret, and the only copy of its text."""

    token: Token
    account: Account
    key: ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The use cases. Each is one transaction; what changes counts here at once, elsewhere within five seconds."""

    database: Database
    plans: Plans
    known: KnownKeys
    hashes: TokenHashes
    clock: Clock
    random_base62: Callable[[int], str]

    async def make(self, terms: KeyTerms, *, by: Actor, maker: Caller) -> NewKey:
        """A key of the caller's own account, that may do no more than the caller's.

        Raises:
            ScopeMissing: it asks for more.
            PlanTooSmall: the account has as many keys as its plan allows.
        """
        async with self.database.writing() as transaction:
            await lock_account(transaction, maker.account.id)
            count = await count_keys(transaction, maker.account.id)
            if maker.plan.max_keys is not None and count >= maker.plan.max_keys:
                raise PlanTooSmall(f"Plan {maker.plan.id!r} holds {maker.plan.max_keys} keys.", field="max_keys")
            return await self.write(transaction, maker.account, terms, by=by, maker=maker.key)

    async def make_for(self, account: Account, terms: KeyTerms, *, by: Actor) -> NewKey:
        """A key of any account, as the operator wishes."""
        async with self.database.writing() as transaction:
            return await self.write(transaction, account, terms, by=by)

    async def rotate(
        self, key_id: str, *, by: Actor, overlap_s: int = DEFAULT_OVERLAP_S, maker: Caller | None = None
    ) -> NewKey:
        """A new secret for the key; the one it has stays good for `overlap_s`.

        Raises:
            KeyUnknown: also when it is revoked.
            ScopeMissing: it may do more than the caller's own key, which would thus get hold of it.
        """
        check_number(overlap_s, least=0, most=MOST_OVERLAP_S, field="overlap_s")
        now = self.clock()
        until = now + timedelta(seconds=overlap_s)
        async with self.database.writing() as transaction:
            key, account = await self._found(transaction, key_id, maker)
            if maker is not None and maker.key.id != key.id:
                check_within(maker.key, key)
            token = make_token(Mode(key.mode), self.random_base62, id=key.id)
            if not await rotate_key(transaction, key.id, self.hashes.of(token), previous_until=until):
                raise KeyUnknown(f"The key {key.id!r} is revoked.")
            await by.note(transaction, "key.rotated", key.id, account_id=account.id, now=now, overlap_s=overlap_s)
        self.known.forget()
        return NewKey(token=token, account=account, key=replace(key, previous_until=until))

    async def change(self, key_id: str, change: KeyChange, *, by: Actor, maker: Caller | None = None) -> ApiKey:
        """Give it another name, other scopes or bounds. What it may spend more is taken out of the cap of the key that asks;
        what it may spend less is given back to nobody.

        Raises:
            KeyUnknown: also when it is revoked.
            ScopeMissing: something that changes would be more than the key that asks has.
            RequestInvalid: it would have ended already.
        """
        now = self.clock()
        async with self.database.writing() as transaction:
            key, account = await self._found(transaction, key_id, maker)
            if key.revoked_at is not None:
                raise KeyUnknown(f"The key {key.id!r} is revoked.")
            changed = change.applied(key)
            if "expires_at" in change.names:
                _check_expiry(changed, now=now)
            if maker is not None:
                is_own = maker.key.id == key.id
                check_change(key if is_own else maker.key, changed, change.names)
                if not is_own and maker.key.spend_cap is not None:
                    await _hand_on(transaction, maker.key, _raised_by(key, changed))
            if change.names:
                await change_key(transaction, changed, change.names)
            names = sorted(change.names)
            await by.note(transaction, "key.changed", key.id, account_id=account.id, now=now, changed=names)
        self.known.forget()
        return changed

    async def revoke(self, key_id: str, *, by: Actor, maker: Caller | None = None) -> ApiKey:
        """Make it useless; one that is revoked stays as it is.

        Raises:
            KeyUnknown.
        """
        now = self.clock()
        async with self.database.writing() as transaction:
            key, account = await self._found(transaction, key_id, maker)
            if await revoke_key(transaction, key.id, now=now):
                await by.note(transaction, "key.revoked", key.id, account_id=account.id, now=now)
                key = replace(key, revoked_at=now)
        self.known.forget()
        return key

    async def one(self, key_id: str, *, account_id: str | None = None) -> ApiKey:
        """Raises KeyUnknown: there is none, or not in that account."""
        async with self.database.reading() as connection:
            key = await key_by_id(connection, key_id)
        if key is None or account_id not in {None, key.account_id}:
            raise KeyUnknown(f"There is no key {key_id!r}.")
        return key

    async def examine(self, text: str) -> Examined:
        """What a text is that looks like a key."""
        return await examine(text, known=self.known, hashes=self.hashes, now=self.clock())

    async def page(
        self, account_id: str | None, *, limit: int | None = None, before: str | None = None
    ) -> list[ApiKey]:
        """One account's keys, or all, the newest first."""
        async with self.database.reading() as connection:
            return await list_keys(connection, account_id, limit=limit, before=before)

    async def write(
        self, transaction: Transaction, account: Account, terms: KeyTerms, *, by: Actor, maker: ApiKey | None = None
    ) -> NewKey:
        """Make a key inside somebody's transaction."""
        now = self.clock()
        token = make_token(terms.mode, self.random_base62)
        key = _key_of(terms, token, account, secret_hash=self.hashes.of(token), now=now)
        _check_expiry(key, now=now)
        if maker is not None:
            key = within(maker, key)
            if key.spend_cap is not None and maker.spend_cap is not None:
                await _hand_on(transaction, maker, key.spend_cap)
        await add_key(transaction, key)
        scopes = sorted(key.scopes)
        await by.note(transaction, "key.created", key.id, account_id=account.id, now=now, mode=key.mode, scopes=scopes)
        return NewKey(token=token, account=account, key=key)

    @staticmethod
    async def _found(transaction: Transaction, key_id: str, maker: Caller | None) -> tuple[ApiKey, Account]:
        """Raises KeyUnknown."""
        key = await lock_key(transaction, key_id)
        account = None if key is None else await account_by_id(transaction, key.account_id)
        if key is None or account is None or (maker is not None and maker.account.id != account.id):
            raise KeyUnknown(f"There is no key {key_id!r}.")
        return key, account


def _check_expiry(key: ApiKey, *, now: datetime) -> None:
    """Raises RequestInvalid."""
    if key.expires_at is not None and key.expires_at <= now:
        raise RequestInvalid("`expires_at` has passed.", field="expires_at")


def _raised_by(before: ApiKey, after: ApiKey) -> int:
    """How many credits more it may spend; one that had no cap can only get less."""
    if before.spend_cap is None or after.spend_cap is None:
        return 0
    return max(0, after.spend_cap - before.spend_cap)


async def _hand_on(transaction: Transaction, maker: ApiKey, credits: int) -> None:
    """What a key with a cap lets another spend, it cannot spend itself.

    Raises:
        ScopeMissing: it has spent too much of its own in the meantime.
    """
    if not await spend(transaction, maker.id, credits):
        raise ScopeMissing("This key may not give more than it has itself: `spend_cap`.", field="spend_cap")


def _key_of(terms: KeyTerms, token: Token, account: Account, *, secret_hash: str, now: datetime) -> ApiKey:
    return ApiKey(
        id=token.id,
        account_id=account.id,
        name=terms.name,
        mode=terms.mode,
        secret_hash=secret_hash,
        scopes=terms.scopes,
        created_at=now,
        expires_at=terms.expires_at,
        rpm=terms.rpm,
        rpd=terms.rpd,
        max_open=terms.max_open,
        spend_cap=terms.spend_cap,
        models=terms.models,
        styles=terms.styles,
        networks=terms.networks,
    )

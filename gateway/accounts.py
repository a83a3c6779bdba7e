"""The operator's use cases: accounts, their keys and credits. The command line calls them beside a running server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from gateway.access import DEFAULT_SCOPES, Mode, Plans, Token, make_token
from gateway.clock import Clock
from gateway.identity import NewId
from gateway.webhooks import new_secret
from models import RequestInvalid
from storage import Account, ApiKey, Balance, Database, Transaction
from storage.accounts import account_named, add_account, any_account, balances, list_accounts
from storage.keys import add_key, list_keys, revoke_key
from storage.ledger import grant

FIRST_ACCOUNT = "owner"
FIRST_PLAN = "owner"
DEFAULT_PLAN = "free"
MOST_CREDITS = 10**12
MOST_REQUESTS = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder:
    """A key to be made. `plan` None keeps the account's, or takes `free` for a new one; None limits are the plan's."""

    account: str
    plan: str | None = None
    mode: Mode = Mode.LIVE
    scopes: frozenset[str] = field(default=DEFAULT_SCOPES)
    credits: int = 0
    rpm: int | None = None
    rpd: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A fresh key with the only copy of its text."""

    token: Token
    account: Account
    key: ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Makes and lists accounts and keys. Each call is one transaction."""

    database: Database
    plans: Plans
    clock: Clock
    new_id: NewId
    random_base62: Callable[[int], str]
    random_bytes: Callable[[int], bytes]

    async def first_key(self) -> NewKey | None:
        """The owner's account and key, when there is no account yet; else None."""
        async with self.database.writing() as transaction:
            if await any_account(transaction):
                return None
            return await self._add(transaction, KeyOrder(account=FIRST_ACCOUNT, plan=FIRST_PLAN))

    async def add_key(self, order: KeyOrder) -> NewKey:
        """Make a key, its account if that is new, and grant the credits.

        Raises:
            RequestInvalid: unknown plan, another plan than the account has, or a number that cannot be meant.
        """
        if order.plan is not None and order.plan not in self.plans.ids():
            raise RequestInvalid(f"No plan is called {order.plan!r}.", field="plan")
        _check_number(order.credits, least=0, most=MOST_CREDITS, field="credits")
        _check_number(order.rpm, least=1, most=MOST_REQUESTS, field="rpm")
        _check_number(order.rpd, least=1, most=MOST_REQUESTS, field="rpd")
        async with self.database.writing() as transaction:
            return await self._add(transaction, order)

    async def revoke(self, key_id: str) -> bool:
        """False when there is no such key, or it was revoked before."""
        async with self.database.writing() as transaction:
            return await revoke_key(transaction, key_id, now=self.clock())

    async def keys(self, account: str | None) -> list[ApiKey]:
        """All keys, or those of the account of that name."""
        async with self.database.reading() as connection:
            if account is None:
                return await list_keys(connection)
            known = await account_named(connection, account)
            return await list_keys(connection, known.id) if known else []

    async def all(self) -> list[tuple[Account, Balance]]:
        async with self.database.reading() as connection:
            known = await list_accounts(connection)
            left = await balances(connection, [account.id for account in known])
        return [(account, left[account.id]) for account in known]

    async def named(self, name: str) -> tuple[Account, Balance]:
        """Raises RequestInvalid: no account has that name."""
        async with self.database.reading() as connection:
            account = await account_named(connection, name)
            if account is None:
                raise RequestInvalid(f"There is no account {name!r}.", field="account")
            return account, (await balances(connection, [account.id]))[account.id]

    async def _add(self, transaction: Transaction, order: KeyOrder) -> NewKey:
        now = self.clock()
        account = await self._account_for(transaction, order, now=now)
        token = make_token(order.mode, self.random_base62)
        key = ApiKey(
            id=token.id,
            account_id=account.id,
            mode=order.mode,
            secret_hash=token.sha256,
            scopes=order.scopes,
            created_at=now,
            expires_at=order.expires_at,
            rpm=order.rpm,
            rpd=order.rpd,
        )
        await add_key(transaction, key)
        if order.credits:
            await grant(transaction, account.id, order.credits, now=now, note="granted with a key")
        return NewKey(token=token, account=account, key=key)

    async def _account_for(self, transaction: Transaction, order: KeyOrder, *, now: datetime) -> Account:
        known = await account_named(transaction, order.account)
        if known is None:
            return await add_account(
                transaction,
                id=self.new_id("acct"),
                name=order.account,
                plan=order.plan or DEFAULT_PLAN,
                webhook_secret=new_secret(self.random_bytes),
                now=now,
            )
        if order.plan not in {None, known.plan}:
            raise RequestInvalid(f"Account {known.name!r} is on plan {known.plan!r}, not {order.plan!r}.", field="plan")
        return known


def _check_number(number: int | None, *, least: int, most: int, field: str) -> None:
    if number is not None and not least <= number <= most:
        raise RequestInvalid(f"`{field}` must be between {least} and {most}.", field=field)

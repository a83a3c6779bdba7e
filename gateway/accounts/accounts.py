"""Accounts: make, list, move to another plan, suspend, erase."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from gateway.access import DEFAULT_SCOPES, KnownKeys, Plans
from gateway.accounts.actors import CLI, Actor
from gateway.accounts.keys import Keys, NewKey
from gateway.accounts.terms import MOST_CREDITS, KeyTerms, check_number, check_text
from gateway.clock import Clock
from gateway.identity import NewId
from gateway.webhooks import new_secret
from models import Refused, RequestInvalid, SettingInvalid
from models.guessing import did_you_mean
from storage import Account, AuditEntry, Balance, Blobs, Connection, Database, Transaction
from storage.accounts import (
    account_by_id,
    account_named,
    add_account,
    any_account,
    balances,
    change_account,
    list_accounts,
    plans_in_use,
    rotate_webhook_secret,
)
from storage.audit import audit_entries
from storage.erasure import erase_account
from storage.files import files_folder
from storage.ledger import grant

FIRST_ACCOUNT = "owner"
FIRST_PLAN = "owner"
FIRST_SCOPES = DEFAULT_SCOPES | {"webhooks:write", "keys:write"}
DEFAULT_PLAN = "free"
ID_PREFIX = "acct"


class AccountUnknown(Refused):
    """There is no such account."""

    code: ClassVar[str] = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder(KeyTerms):
    """A key for the account of that name, which is made if it is new: on `plan`, or `free`, with `credits`.

    For an account that is there, `plan` None means the one it has.
    """

    account: str
    plan: str | None = None
    credits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The use cases; an account is named by its id or its name. Each is one transaction."""

    database: Database
    blobs: Blobs
    plans: Plans
    keys: Keys
    known: KnownKeys
    clock: Clock
    new_id: NewId
    random_bytes: Callable[[int], bytes]

    async def first_key(self) -> NewKey | None:
        """The owner's account and key, when there is no account yet; else None."""
        async with self.database.writing() as transaction:
            if await any_account(transaction):
                return None
            account = await self._create(transaction, FIRST_ACCOUNT, FIRST_PLAN, by=CLI)
            return await self.keys.write(transaction, account, KeyTerms(scopes=FIRST_SCOPES), by=CLI)

    async def add_key(self, order: KeyOrder, *, by: Actor = CLI) -> NewKey:
        """Make a key, its account if that is new, and grant the credits.

        Raises:
            RequestInvalid: unknown plan, another plan than the account has, or a number that cannot be meant.
        """
        check_number(order.credits, least=0, most=MOST_CREDITS, field="credits")
        now = self.clock()
        async with self.database.writing() as transaction:
            account = await account_named(transaction, order.account)
            if account is None:
                account = await self._create(transaction, order.account, order.plan or DEFAULT_PLAN, by=by)
            elif order.plan not in {None, account.plan}:
                raise RequestInvalid(
                    f"Account {account.name!r} is on plan {account.plan!r}, not {order.plan!r}.", field="plan"
                )
            made = await self.keys.write(transaction, account, order, by=by)
            if order.credits:
                await grant(transaction, account.id, order.credits, now=now, note="granted with a key")
                await by.note(
                    transaction, "credits.granted", account.id, account_id=account.id, now=now, credits=order.credits
                )
        return made

    async def create(self, name: str, plan: str, *, by: Actor) -> Account:
        """Raises RequestInvalid: the name is taken or cannot be one, or there is no such plan."""
        async with self.database.writing() as transaction:
            if await account_named(transaction, name) is not None:
                raise RequestInvalid(f"There is an account {name!r} already.", field="name")
            return await self._create(transaction, name, plan, by=by)

    async def page(self, *, limit: int | None = None, before: str | None = None) -> list[tuple[Account, Balance]]:
        """The newest first, with what each has left."""
        async with self.database.reading() as connection:
            known = await list_accounts(connection, limit=limit, before=before)
            left = await balances(connection, [account.id for account in known])
        return [(account, left[account.id]) for account in known]

    async def one(self, account: str) -> tuple[Account, Balance]:
        """Raises AccountUnknown."""
        async with self.database.reading() as connection:
            found = await self.find(connection, account)
            return found, (await balances(connection, [found.id]))[found.id]

    async def move(self, account: str, plan: str, *, by: Actor) -> Account:
        """Put it on another plan, from the next request on.

        Raises:
            AccountUnknown.
            RequestInvalid: there is no such plan.
        """
        self._check_plan(plan)
        async with self.database.writing() as transaction:
            found = await self.find(transaction, account)
            await change_account(transaction, found.id, plan=plan)
            now, action = self.clock(), "account.plan_changed"
            await by.note(transaction, action, found.id, account_id=found.id, now=now, before=found.plan, after=plan)
        self.known.forget()
        return replace(found, plan=plan)

    async def suspend(self, account: str, *, by: Actor) -> Account:
        """Refuse its keys until it is resumed; what it has queued is still painted. Raises AccountUnknown."""
        return await self._set_suspended(account, is_suspended=True, by=by)

    async def resume(self, account: str, *, by: Actor) -> Account:
        """Raises AccountUnknown."""
        return await self._set_suspended(account, is_suspended=False, by=by)

    async def erase(self, account: str, *, by: Actor) -> int:
        """Forget who it was and what it asked for; its keys end. Returns how many generations a running server, or the
        next start, now removes with their files, all within a minute; what is queued or painted is canceled for that.

        Raises:
            AccountUnknown.
            BlobUnavailable: the bytes of its files are still there; erase it again, by its id.
        """
        now = self.clock()
        async with self.database.writing() as transaction:
            found = await self.find(transaction, account)
            count = await erase_account(transaction, found.id, now=now)
            await by.note(transaction, "account.erased", found.id, account_id=found.id, now=now, generations=count)
        self.known.forget()
        await self.blobs.delete(files_folder(found.id))
        return count

    async def rotate_webhook_secret(self, account: str, *, overlap: timedelta, by: Actor) -> Account:
        """A new secret for the webhooks of addresses that requests name; the present one goes on signing for `overlap`.

        Raises:
            AccountUnknown.
        """
        now, secret = self.clock(), new_secret(self.random_bytes)
        async with self.database.writing() as transaction:
            found = await self.find(transaction, account)
            await rotate_webhook_secret(transaction, found.id, secret, previous_until=now + overlap)
            await by.note(transaction, "account.webhook_secret_rotated", found.id, account_id=found.id, now=now)
            return await self.find(transaction, found.id)

    async def hand_over(self, account: str, *, by: Actor) -> Account:
        """Write down that everything about it is read out. Raises AccountUnknown."""
        async with self.database.writing() as transaction:
            found = await self.find(transaction, account)
            await by.note(transaction, "account.exported", found.id, account_id=found.id, now=self.clock())
        return found

    async def audit(self, account: str | None, *, limit: int, before: int | None = None) -> list[AuditEntry]:
        """What was done to one account and its keys, or everything, newest first. Raises AccountUnknown."""
        async with self.database.reading() as connection:
            found = None if account is None else await self.find(connection, account)
            return await audit_entries(connection, found.id if found else None, limit=limit, before=before)

    async def check_plans(self) -> None:
        """Raises SettingInvalid: an account is on a plan that `plans.toml` no longer has."""
        async with self.database.reading() as connection:
            in_use = await plans_in_use(connection)
        for plan, name in in_use.items():
            if plan not in self.plans.ids():
                raise SettingInvalid(f"plans.toml has no plan {plan!r}, which the account {name!r} is on.")

    async def find(self, connection: Connection, account: str) -> Account:
        """Raises AccountUnknown: nothing has that id or name."""
        found = await account_by_id(connection, account) or await account_named(connection, account)
        if found is None:
            raise AccountUnknown(f"There is no account {account!r}.")
        return found

    async def _set_suspended(self, account: str, *, is_suspended: bool, by: Actor) -> Account:
        now = self.clock()
        suspended_at = now if is_suspended else None
        async with self.database.writing() as transaction:
            found = await self.find(transaction, account)
            if (found.suspended_at is not None) == is_suspended:
                return found
            await change_account(transaction, found.id, suspended_at=suspended_at)
            action = "account.suspended" if is_suspended else "account.resumed"
            await by.note(transaction, action, found.id, account_id=found.id, now=now)
        self.known.forget()
        return replace(found, suspended_at=suspended_at)

    async def _create(self, transaction: Transaction, name: str, plan: str, *, by: Actor) -> Account:
        check_text(name, field="name", least=1)
        if name.startswith(f"{ID_PREFIX}_"):
            raise RequestInvalid("A name must not look like an account's id.", field="name")
        self._check_plan(plan)
        account = await add_account(
            transaction,
            id=self.new_id(ID_PREFIX),
            name=name,
            plan=plan,
            webhook_secret=new_secret(self.random_bytes),
            now=self.clock(),
        )
        now = account.created_at
        await by.note(transaction, "account.created", account.id, account_id=account.id, now=now, name=name, plan=plan)
        return account

    def _check_plan(self, plan: str) -> None:
        """Raises RequestInvalid."""
        if plan not in self.plans.ids():
            raise RequestInvalid(f"No plan is called {plan!r}.{did_you_mean(plan, self.plans.ids())}", field="plan")

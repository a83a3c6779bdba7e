"""Credits: give, take back, read the ledger."""

from dataclasses import dataclass

from gateway.accounts.accounts import Accounts
from gateway.accounts.actors import Actor
from gateway.accounts.terms import MOST_CREDITS, check_number, check_text
from storage import Account, Balance, Entry
from storage.accounts import balances
from storage.ledger import entries, grant, withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """The ledger is append-only: what was a mistake is undone by another row."""

    accounts: Accounts

    async def change(self, account: str, credits: int, *, note: str, by: Actor) -> tuple[Account, Balance]:
        """Give an account credits, or below 0 take some back that nobody holds.

        Raises:
            AccountUnknown, RequestInvalid.
            CreditsShort: less than that is available.
        """
        check_number(credits, least=-MOST_CREDITS, most=MOST_CREDITS, field="credits")
        check_text(note, field="note", least=0)
        now = self.accounts.clock()
        async with self.accounts.database.writing() as transaction:
            found = await self.accounts.find(transaction, account)
            if credits < 0:
                await withdraw(transaction, found.id, -credits, now=now, note=note)
            else:
                await grant(transaction, found.id, credits, now=now, note=note)
            action = "credits.withdrawn" if credits < 0 else "credits.granted"
            await by.note(transaction, action, found.id, account_id=found.id, now=now, credits=abs(credits), text=note)
            return found, (await balances(transaction, [found.id]))[found.id]

    async def entries(self, account: str | None, *, limit: int, before: int | None = None) -> list[Entry]:
        """Raises AccountUnknown."""
        async with self.accounts.database.reading() as connection:
            found = None if account is None else await self.accounts.find(connection, account)
            return await entries(connection, found.id if found else None, limit=limit, before=before)

"""An account taken out of the database, on both of them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from storage import Account, Database
from storage.erasure import erase_account
from storage.generations import accept, expired
from storage.keys import revoke_key
from storage.tables import accounts, keys
from tests.storage.conftest import NOW, generation_of

pytestmark = pytest.mark.usefixtures("account")


async def test_names_go_at_once_and_generations_expire(database: Database, account: Account) -> None:
    later = NOW + timedelta(days=1)
    async with database.writing() as transaction:
        await accept(transaction, generation_of("gen_1", metadata={"who": "ada"}, webhook_url="https://example.com"))
        await revoke_key(transaction, "key_1", now=NOW)
        assert await erase_account(transaction, account.id, now=later) == 1

    async with database.reading() as connection:
        erased = (await connection.execute(select(accounts.c.name, accounts.c.suspended_at))).one()
        revoked_at = await connection.scalar(select(keys.c.revoked_at))
        due = await expired(connection, now=later, limit=9)

    assert tuple(erased) == ("erased acct_1", later)
    assert revoked_at == NOW
    assert due == []  # it is still queued, and kept until it has ended

"""Who pays, and who may ask."""

from datetime import datetime, timedelta

from storage import Account, Database
from storage.accounts import account_by_id, account_named, add_account, any_account, list_accounts
from storage.keys import add_key, key_with_account, list_keys, revoke_key, touch_key
from tests.storage.conftest import key_of


async def test_a_new_account_has_no_credits(database: Database, account: Account, now: datetime) -> None:
    assert account == Account(
        id="acct_1",
        name="ada",
        plan="pro",
        webhook_secret="whsec_1",
        available=0,
        held=0,
        captured=0,
        granted=0,
        created_at=now,
    )


async def test_an_account_is_found_by_name_and_by_id(database: Database, account: Account) -> None:
    async with database.reading() as connection:
        assert await account_named(connection, "ada") == account
        assert await account_by_id(connection, "acct_1") == account
        assert await account_named(connection, "acct_1") is None
        assert await account_by_id(connection, "ada") is None


async def test_accounts_are_listed_by_name(database: Database, account: Account, now: datetime) -> None:
    async with database.writing() as transaction:
        await add_account(transaction, id="acct_0", name="zoe", plan="free", webhook_secret="s", now=now)

    async with database.reading() as connection:
        assert [known.name for known in await list_accounts(connection)] == ["ada", "zoe"]


async def test_whether_there_is_an_account_yet(database: Database, now: datetime) -> None:
    async with database.writing() as transaction:
        assert not await any_account(transaction)
        await add_account(transaction, id="acct_0", name="zoe", plan="free", webhook_secret="s", now=now)
        assert await any_account(transaction)


async def test_a_key_comes_with_who_pays_for_it(database: Database, account: Account, now: datetime) -> None:
    limited = key_of(account.id, id="key_2", rpm=5, rpd=100, expires_at=now + timedelta(days=1))
    async with database.writing() as transaction:
        await add_key(transaction, limited)

    async with database.reading() as connection:
        assert await key_with_account(connection, "key_1") == (key_of(account.id), account)
        assert await key_with_account(connection, "key_2") == (limited, account)
        assert await key_with_account(connection, "key_3") is None


async def test_a_key_is_revoked_once_and_stays_known(database: Database, account: Account, now: datetime) -> None:
    async with database.writing() as transaction:
        assert await revoke_key(transaction, "key_1", now=now)
        assert not await revoke_key(transaction, "key_1", now=now + timedelta(days=1))
        assert not await revoke_key(transaction, "key_9", now=now)

    async with database.reading() as connection:
        assert await key_with_account(connection, "key_1") == (key_of(account.id, revoked_at=now), account)


async def test_the_last_use_of_a_key_is_noted(database: Database, account: Account, now: datetime) -> None:
    async with database.writing() as transaction:
        await touch_key(transaction, "key_1", now=now + timedelta(hours=1))

    async with database.reading() as connection:
        assert await list_keys(connection) == [key_of(account.id, last_used_at=now + timedelta(hours=1))]


async def test_keys_are_listed_oldest_first_for_one_account_or_all(
    database: Database, account: Account, now: datetime
) -> None:
    async with database.writing() as transaction:
        await add_account(transaction, id="acct_2", name="zoe", plan="free", webhook_secret="s", now=now)
        await add_key(transaction, key_of("acct_2", id="key_0", created_at=now + timedelta(seconds=1)))

    async with database.reading() as connection:
        assert [key.id for key in await list_keys(connection)] == ["key_1", "key_0"]
        assert [key.id for key in await list_keys(connection, "acct_2")] == ["key_0"]

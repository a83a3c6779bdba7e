"""Who pays, and who may ask."""

from datetime import datetime, timedelta

from storage import Account, Balance, Database
from storage.accounts import (
    account_by_id,
    account_named,
    add_account,
    any_account,
    balances,
    change_account,
    list_accounts,
)
from storage.keys import (
    add_key,
    count_keys,
    key_by_id,
    key_with_account,
    list_keys,
    revoke_key,
    rotate_key,
    spend,
    touch_keys,
)
from tests.storage.conftest import key_of


async def test_a_new_account_has_no_credits(database: Database, account: Account, now: datetime) -> None:
    assert account == Account(
        id="acct_1",
        name="ada",
        plan="pro",
        webhook_secret="whsec_1",
        created_at=now,
        suspended_at=None,
    )
    async with database.reading() as connection:
        assert await balances(connection, ["acct_1"]) == {"acct_1": Balance(available=0, held=0, captured=0, granted=0)}


async def test_an_account_is_found_by_name_and_by_id(database: Database, account: Account) -> None:
    async with database.reading() as connection:
        assert await account_named(connection, "ada") == account
        assert await account_by_id(connection, "acct_1") == account
        assert await account_named(connection, "acct_1") is None
        assert await account_by_id(connection, "ada") is None


async def test_accounts_are_listed_newest_first_in_pages(database: Database, account: Account, now: datetime) -> None:
    async with database.writing() as transaction:
        for number, id in enumerate(("acct_9", "acct_0")):
            at = now + timedelta(seconds=number)
            await add_account(transaction, id=id, name=id, plan="free", webhook_secret="s", now=at)

    async with database.reading() as connection:
        assert [known.id for known in await list_accounts(connection)] == ["acct_0", "acct_9", "acct_1"]
        assert [known.id for known in await list_accounts(connection, limit=2)] == ["acct_0", "acct_9"]
        assert [known.id for known in await list_accounts(connection, before="acct_9")] == ["acct_1"]
        assert await list_accounts(connection, before="acct_nothing") == []


async def test_an_account_changes_its_plan_and_is_suspended(
    database: Database, account: Account, now: datetime
) -> None:
    async with database.writing() as transaction:
        await change_account(transaction, "acct_1", plan="studio", suspended_at=now)

    async with database.reading() as connection:
        changed = await account_by_id(connection, "acct_1")
    assert changed is not None
    assert (changed.plan, changed.suspended_at, changed.name) == ("studio", now, "ada")


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
        await touch_keys(transaction, {"key_1": now + timedelta(hours=1), "key_9": now})
        await touch_keys(transaction, {"key_1": now})  # from a slower process

    async with database.reading() as connection:
        assert await list_keys(connection) == [key_of(account.id, last_used_at=now + timedelta(hours=1))]


async def test_a_rotated_key_has_two_secrets_and_never_three(
    database: Database, account: Account, now: datetime
) -> None:
    until = now + timedelta(hours=1)
    async with database.writing() as transaction:
        assert await rotate_key(transaction, "key_1", "a" * 64, previous_until=now)
        assert await rotate_key(transaction, "key_1", "b" * 64, previous_until=until)
        assert not await rotate_key(transaction, "key_9", "c" * 64, previous_until=until)

    rotated = key_of(account.id, secret_hash="b" * 64, previous_hash="a" * 64, previous_until=until)
    async with database.writing() as transaction:
        assert await key_by_id(transaction, "key_1") == rotated
        await revoke_key(transaction, "key_1", now=now)
        assert not await rotate_key(transaction, "key_1", "d" * 64, previous_until=until)


async def test_a_key_spends_up_to_its_cap_and_no_further(database: Database, account: Account) -> None:
    async with database.writing() as transaction:
        await add_key(transaction, key_of(account.id, id="key_2", spend_cap=5))
        assert [await spend(transaction, "key_2", 3) for _ in range(2)] == [True, False]
        assert await spend(transaction, "key_2", 2)
        assert await spend(transaction, "key_2", -4)
        assert await spend(transaction, "key_1", 10**9)
        capped = await key_by_id(transaction, "key_2")
    assert capped is not None
    assert capped.spent == 1


async def test_revoked_keys_do_not_count(database: Database, account: Account, now: datetime) -> None:
    async with database.writing() as transaction:
        await add_key(transaction, key_of(account.id, id="key_2"))
        assert await count_keys(transaction, account.id) == 2
        await revoke_key(transaction, "key_2", now=now)
        assert await count_keys(transaction, account.id) == 1
        assert await count_keys(transaction, "acct_9") == 0


async def test_keys_are_listed_newest_first_for_one_account_or_all(
    database: Database, account: Account, now: datetime
) -> None:
    async with database.writing() as transaction:
        await add_account(transaction, id="acct_2", name="zoe", plan="free", webhook_secret="s", now=now)
        await add_key(transaction, key_of("acct_2", id="key_0", created_at=now + timedelta(seconds=1)))

    async with database.reading() as connection:
        assert [key.id for key in await list_keys(connection)] == ["key_0", "key_1"]
        assert [key.id for key in await list_keys(connection, "acct_2")] == ["key_0"]
        assert [key.id for key in await list_keys(connection, limit=1)] == ["key_0"]
        assert [key.id for key in await list_keys(connection, limit=1, before="key_0")] == ["key_1"]

"""Counters that stop at their limit."""

import asyncio
from contextlib import suppress

from storage import Database, Transaction
from storage.usage import Counter, count_uses, uses


class Passed(Exception):
    """Rolls the transaction back, as a refusal does."""


async def used(database: Database, subject: str, period: str, limit: int | None) -> int | None:
    """How many that makes; None where the limit is passed."""
    with suppress(Passed):
        async with database.writing() as transaction:
            return await counted(transaction, subject, period, limit)
    return None


async def counted(transaction: Transaction, subject: str, period: str, limit: int | None) -> int:
    passed = await count_uses(transaction, [Counter(subject, period, limit)])
    if passed is not None:
        raise Passed
    return await uses(transaction, subject, period)


async def test_uses_are_counted_up_to_the_limit_and_no_further(database: Database) -> None:
    assert [await used(database, "acct_1", "2026-11", 2) for _ in range(4)] == [1, 2, None, None]

    async with database.reading() as connection:
        assert await uses(connection, "acct_1", "2026-11") == 2


async def test_subjects_and_periods_are_counted_apart(database: Database) -> None:
    await used(database, "acct_1", "2026-11", 1)

    assert await used(database, "acct_2", "2026-11", 1) == 1
    assert await used(database, "acct_1", "2026-12", 1) == 1
    async with database.reading() as connection:
        assert await uses(connection, "acct_3", "2026-11") == 0


async def test_without_a_limit_uses_are_counted_too(database: Database) -> None:
    assert [await used(database, "acct_1", "2026-11", None) for _ in range(3)] == [1, 2, 3]


async def test_a_limit_of_nothing_allows_nothing(database: Database) -> None:
    assert await used(database, "acct_1", "2026-11", 0) is None


async def test_a_higher_limit_counts_on(database: Database) -> None:
    assert [await used(database, "acct_1", "2026-11", limit) for limit in (1, 1, 3, 3, 3)] == [1, None, 2, 3, None]


async def test_at_once_no_more_get_through_than_the_limit(database: Database) -> None:
    answers = await asyncio.gather(*(used(database, "acct_1", "2026-11", 7) for _ in range(24)))

    assert sorted(answer for answer in answers if answer is not None) == list(range(1, 8))


async def test_several_counters_move_together_and_the_first_that_is_full_is_named(database: Database) -> None:
    day, month, key = (
        Counter("acct_1", "2026-11-21", 3),
        Counter("acct_1", "2026-11", 1),
        Counter("key_1", "2026-11-21", 1),
    )
    async with database.writing() as transaction:
        assert await count_uses(transaction, [day, month, key]) is None
    with suppress(Passed):
        async with database.writing() as transaction:
            assert await count_uses(transaction, [day, month, key]) == month
            raise Passed

    async with database.reading() as connection:
        assert [await uses(connection, one.subject, one.period) for one in (day, month, key)] == [1, 1, 1]

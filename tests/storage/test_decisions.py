"""Decisions of the content policy, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storage import Account, Database, DecisionFilters, DecisionRow
from storage.decisions import add_decisions, forget_decisions, list_decisions
from tests.storage.conftest import NOW

pytestmark = pytest.mark.usefixtures("account")
DAY = timedelta(days=1)


async def test_they_are_listed_newest_first_and_let_go_of_in_two_steps(database: Database, account: Account) -> None:
    blocked = DecisionRow(
        created_at=NOW,
        account_id=account.id,
        key_id="key_1",
        surface="native",
        action="block",
        category="ncii",
        rules=["ncii.picture_bared", "sexual.nudity"],
        policy="standard",
        policy_hash="1" * 64,
        lexicon_hash="2" * 64,
        views_version=2,
        input_sha256="3" * 64,
        judged=b"{}",
    )
    flagged = replace(blocked, created_at=NOW + DAY, action="flag", category="sexual.nudity", generation_id="gen_1")
    async with database.writing() as transaction:
        await add_decisions(transaction, [])
        await add_decisions(transaction, [blocked, flagged])

    async with database.reading() as connection:
        newest, oldest = await list_decisions(connection, limit=9)
        assert (newest, oldest) == (replace(flagged, number=newest.number), replace(blocked, number=oldest.number))
        assert await list_decisions(connection, limit=9, before=newest.number) == [oldest]
        for filters in ({"action": "flag"}, {"category": "sexual.nudity"}):
            assert await list_decisions(connection, DecisionFilters(**filters), limit=9) == [newest]
        assert await list_decisions(connection, DecisionFilters(account_id="acct_other"), limit=9) == []

    async with database.writing() as transaction:
        assert await forget_decisions(transaction, texts_before=NOW + DAY, rows_before=NOW) == 1
        assert [row.judged for row in await list_decisions(transaction, limit=9)] == [b"{}", None]
        assert await forget_decisions(transaction, texts_before=NOW + DAY, rows_before=NOW + DAY) == 1
        assert [row.action for row in await list_decisions(transaction, limit=9)] == ["flag"]

"""Who changed what, in order."""

from datetime import datetime

from storage import Account, AuditEntry, Database
from storage.audit import add_entry, audit_entries


async def test_entries_are_read_newest_first_in_pages_of_one_account_or_all(
    database: Database, account: Account, now: datetime
) -> None:
    written = [
        AuditEntry(created_at=now, actor="cli", action="account.created", subject="acct_1", account_id="acct_1"),
        AuditEntry(
            created_at=now,
            actor="key_1",
            action="credits.granted",
            subject="acct_2",
            account_id="acct_2",
            request_id="req_1",
            details={"credits": 5, "note": "gift", "scopes": ["read"], "is_new": True, "cap": None},
        ),
    ]
    async with database.writing() as transaction:
        for entry in written:
            await add_entry(transaction, entry)

    async with database.reading() as connection:
        everything = await audit_entries(connection, limit=5)
        assert [entry.number for entry in everything] == [2, 1]
        assert [(entry.actor, entry.details) for entry in everything] == [("key_1", written[1].details), ("cli", {})]
        assert await audit_entries(connection, "acct_1", limit=5) == everything[1:]
        assert await audit_entries(connection, limit=1, before=2) == everything[1:]

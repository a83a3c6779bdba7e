"""Who changes something, for the audit log."""

from dataclasses import dataclass
from datetime import datetime

from storage import AuditEntry, Transaction
from storage.audit import add_entry

Detail = str | int | bool | list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A key by its id, or the command line; `request_id` is that of the HTTP request."""

    id: str
    request_id: str | None = None

    async def note(
        self, transaction: Transaction, action: str, subject: str, *, account_id: str, now: datetime, **details: Detail
    ) -> None:
        """Put a line into the log, in the transaction of what it speaks of. No secret belongs into `details`."""
        entry = AuditEntry(
            created_at=now,
            actor=self.id,
            action=action,
            subject=subject,
            account_id=account_id,
            request_id=self.request_id,
            details={name: value for name, value in details.items() if value is not None},
        )
        await add_entry(transaction, entry)


CLI = Actor(id="cli")

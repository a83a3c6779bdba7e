"""Credits as they are shown: a balance, and rows of the ledger."""

from typing import Literal

from pydantic import BaseModel

from gateway.wire import Moment
from storage import Balance, Entry


class BalanceBody(BaseModel):
    """`available` to spend, `held` by open generations, `captured` by completed ones; together `granted`."""

    available: int
    held: int
    captured: int
    granted: int


class EntryBody(BaseModel):
    """One row of the append-only ledger: hold, then capture or release, for each generation; grants and withdrawals."""

    object: Literal["ledger_entry"] = "ledger_entry"
    number: int
    kind: Literal["grant", "withdrawal", "hold", "capture", "release"]
    credits: int
    generation_id: str | None
    key_id: str | None
    note: str
    created_at: Moment


def balance_body(balance: Balance) -> BalanceBody:
    return BalanceBody.model_validate(balance, from_attributes=True)


def entry_body(entry: Entry) -> EntryBody:
    return EntryBody.model_validate(entry, from_attributes=True)

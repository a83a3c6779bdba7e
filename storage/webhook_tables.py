"""The tables of webhooks: who wants to be told, what is to be told, how far that has come."""

from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from storage.columns import Moment, RowNumber, Word, Words
from storage.tables import accounts, metadata


class EndpointState(StrEnum):
    """Failing: its last attempt failed, others are made. Disabled: nothing is sent until somebody enables it."""

    ACTIVE = "active"
    FAILING = "failing"
    DISABLED = "disabled"


endpoints = Table(
    "endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("events", Words, nullable=False),
    Column("description", Text, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text),
    Column("previous_valid_until", Moment),
    Column("state", Word(EndpointState), nullable=False),
    Column("failing_since", Moment),
    Column("disabled_reason", Text),
    Column("created_at", Moment, nullable=False),
)

# How many events an account has had: the next one's number. A row of its own, so that nobody waits for the balance.
event_counters = Table(
    "event_counters",
    metadata,
    Column("account_id", Text, ForeignKey(accounts.c.id), primary_key=True),
    Column("events", BigInteger, nullable=False),
)

# Events outlive what they speak of: that it was deleted does not stop the news of its end.
events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Index(None, "subject_id", "type", unique=True),
)

# One row for each receiver of an event: an endpoint, or without one the address that the request named. `due_at` is
# empty once nothing is to be sent any more; `lease_until` is set while a server is about it.
deliveries = Table(
    "deliveries",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("event_id", Text, ForeignKey(events.c.id, ondelete="CASCADE"), nullable=False),
    Column("endpoint_id", Text, ForeignKey(endpoints.c.id, ondelete="CASCADE")),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment, index=True),
    Column("lease_until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("attempted_at", Moment),
    Column("delivered_at", Moment),
    Column("status", Integer),
    Column("error", Text),
    Index(None, "event_id", "endpoint_id", unique=True),
    Index(
        "uq_deliveries_event_id_own",
        "event_id",
        unique=True,
        sqlite_where=text("endpoint_id IS NULL"),
        postgresql_where=text("endpoint_id IS NULL"),
    ),
    Index(None, "account_id", "number"),
    Index(None, "endpoint_id", "number"),
    sqlite_autoincrement=True,
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("delivery_id", Text, ForeignKey(deliveries.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Moment, nullable=False, index=True),
    Column("duration_ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("answer", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

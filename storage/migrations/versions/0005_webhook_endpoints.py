"""Endpoints of an account; an event may have several receivers and need not speak of a generation; a log of attempts.

Revision ID: 0005
"""

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_endpoints()
    create_event_counters()
    op.drop_index("ix_events_generation_id_type", "events")
    op.execute("ALTER TABLE events RENAME COLUMN generation_id TO subject_id")
    op.create_index("ix_events_subject_id_type", "events", ["subject_id", "type"], unique=True)
    op.create_index("ix_events_created_at", "events", ["created_at"])
    op.execute("CREATE TABLE earlier_deliveries AS SELECT * FROM deliveries")
    op.drop_table("deliveries")
    create_deliveries()
    carry_deliveries_over()
    op.drop_table("earlier_deliveries")
    create_delivery_attempts()


def downgrade() -> None:
    """To addresses named in requests alone; what goes to endpoints is forgotten."""
    op.execute(
        "CREATE TABLE later_deliveries AS SELECT d.event_id, d.url, a.webhook_secret AS secret, d.attempts, d.due_at,"
        " d.created_at, d.attempted_at, d.delivered_at, d.status, d.error"
        " FROM deliveries d JOIN accounts a ON a.id = d.account_id WHERE d.endpoint_id IS NULL"
    )
    for table in ("delivery_attempts", "deliveries", "event_counters", "endpoints"):
        op.drop_table(table)
    op.create_table(
        "deliveries",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_deliveries_event_id"),
        sa.PrimaryKeyConstraint("event_id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_due_at", "deliveries", ["due_at"], unique=False)
    op.execute("INSERT INTO deliveries SELECT * FROM later_deliveries")
    op.drop_table("later_deliveries")
    op.drop_index("ix_events_created_at", "events")
    op.drop_index("ix_events_subject_id_type", "events")
    op.execute("ALTER TABLE events RENAME COLUMN subject_id TO generation_id")
    op.create_index("ix_events_generation_id_type", "events", ["generation_id", "type"], unique=True)


def create_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous_secret", sa.Text(), nullable=True),
        sa.Column("previous_valid_until", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_endpoints_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_endpoints"),
    )
    op.create_index("ix_endpoints_account_id", "endpoints", ["account_id"])


def create_event_counters() -> None:
    op.create_table(
        "event_counters",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_event_counters_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_event_counters"),
    )


def create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_deliveries_account_id"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_deliveries_event_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name="fk_deliveries_endpoint_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_deliveries"),
        sa.UniqueConstraint("id", name="uq_deliveries_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_due_at", "deliveries", ["due_at"])
    op.create_index("ix_deliveries_event_id_endpoint_id", "deliveries", ["event_id", "endpoint_id"], unique=True)
    is_own = sa.text("endpoint_id IS NULL")
    op.create_index(
        "uq_deliveries_event_id_own",
        "deliveries",
        ["event_id"],
        unique=True,
        sqlite_where=is_own,
        postgresql_where=is_own,
    )
    op.create_index("ix_deliveries_account_id_number", "deliveries", ["account_id", "number"])
    op.create_index("ix_deliveries_endpoint_id_number", "deliveries", ["endpoint_id", "number"])


def create_delivery_attempts() -> None:
    op.create_table(
        "delivery_attempts",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name="fk_delivery_attempts_delivery_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_delivery_attempts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_attempts_at", "delivery_attempts", ["at"])
    op.create_index("ix_delivery_attempts_delivery_id", "delivery_attempts", ["delivery_id"])


def carry_deliveries_over() -> None:
    """Ids made from the events' own, which nobody can guess either; the secret is read from the account from now on."""
    op.execute(
        "INSERT INTO deliveries (id, account_id, event_id, url, host, attempts, due_at, created_at, attempted_at,"
        " delivered_at, status, error)"
        " SELECT 'dlv_' || substr(e.id, 5), e.account_id, e.id, d.url, '', d.attempts, d.due_at, d.created_at,"
        " d.attempted_at, d.delivered_at, d.status, d.error"
        " FROM earlier_deliveries d JOIN events e ON e.id = d.event_id ORDER BY d.created_at, d.event_id"
    )
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT number, url FROM deliveries")).all():
        connection.execute(
            sa.text("UPDATE deliveries SET host = :host WHERE number = :number"),
            {"host": urlsplit(str(row.url)).netloc.lower(), "number": row.number},
        )

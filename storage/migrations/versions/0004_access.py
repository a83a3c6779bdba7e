"""Keys with a name, bounds, a second secret while they are rotated; accounts that are suspended; the audit log.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("suspended_at", sa.BigInteger()))
    op.add_column("ledger", sa.Column("key_id", sa.Text()))
    for column in new_columns_of_keys():
        op.add_column("keys", column)
    create_audit()


def downgrade() -> None:
    op.drop_table("audit")
    for column in new_columns_of_keys():
        op.drop_column("keys", column.name)
    op.drop_column("ledger", "key_id")
    op.drop_column("accounts", "suspended_at")


def new_columns_of_keys() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("name", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("made_by", sa.Text()),
        sa.Column("previous_hash", sa.Text()),
        sa.Column("previous_until", sa.BigInteger()),
        sa.Column("models", sa.Text()),
        sa.Column("styles", sa.Text()),
        sa.Column("networks", sa.Text()),
        sa.Column("max_open", sa.Integer()),
        sa.Column("spend_cap", sa.BigInteger()),
        sa.Column("spent", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )


def create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_account_id", "audit", ["account_id"], unique=False)

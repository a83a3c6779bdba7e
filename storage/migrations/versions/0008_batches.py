"""Many requests sent as one: batches, their items, and an Idempotency-Key that may have made a batch.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("batch_id", sa.Text(), nullable=True))
    add_batches()
    add_items()
    with op.batch_alter_table("idempotency") as idempotency:
        idempotency.alter_column("generation_id", existing_type=sa.Text(), nullable=True)
        idempotency.add_column(sa.Column("batch_id", sa.Text(), nullable=True))
        idempotency.create_foreign_key(
            op.f("fk_idempotency_batch_id"), "batches", ["batch_id"], ["id"], ondelete="CASCADE"
        )
        idempotency.create_index(op.f("ix_idempotency_batch_id"), ["batch_id"], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM idempotency WHERE generation_id IS NULL")
    with op.batch_alter_table("idempotency") as idempotency:
        idempotency.drop_index(op.f("ix_idempotency_batch_id"))
        idempotency.drop_constraint(op.f("fk_idempotency_batch_id"), type_="foreignkey")
        idempotency.drop_column("batch_id")
        idempotency.alter_column("generation_id", existing_type=sa.Text(), nullable=False)
    op.drop_table("batch_items")
    op.drop_table("batches")
    op.drop_column("generations", "batch_id")


def add_batches() -> None:
    op.create_table(
        "batches",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("canceled_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_batches_account_id")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_batches_key_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_batches")),
        sa.UniqueConstraint("id", name=op.f("uq_batches_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_batches_account_id_number"), "batches", ["account_id", "number"], unique=False)
    op.create_index(op.f("ix_batches_state"), "batches", ["state"], unique=False)


def add_items() -> None:
    op.create_table(
        "batch_items",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("custom_id", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("generation_id", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_field", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_items_batch_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_id", "position", name=op.f("pk_batch_items")),
        sa.UniqueConstraint("generation_id", name=op.f("uq_batch_items_generation_id")),
    )
    op.create_index(
        op.f("ix_batch_items_batch_id_state_position"), "batch_items", ["batch_id", "state", "position"], unique=False
    )

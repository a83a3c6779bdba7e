"""Decisions of the content policy are kept: what was flagged or refused, and why.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("lexicon_hash", sa.Text(), nullable=False),
        sa.Column("views_version", sa.Integer(), nullable=False),
        sa.Column("input_sha256", sa.Text(), nullable=False),
        sa.Column("judged", sa.LargeBinary(), nullable=True),
        sa.Column("generation_id", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_decisions_account_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_decisions")),
        sqlite_autoincrement=True,
    )
    for columns in (["account_id", "number"], ["action", "number"], ["created_at"]):
        op.create_index(op.f(f"ix_decisions_{'_'.join(columns)}"), "decisions", columns, unique=False)


def downgrade() -> None:
    op.drop_table("decisions")

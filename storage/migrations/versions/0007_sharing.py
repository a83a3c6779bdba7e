"""One painting for several generations: who names which, who pays, and by what equal requests are found.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEX = "ix_generations_account_id_canonical_sha256_state_number"


def upgrade() -> None:
    """What older releases painted is shared with nobody, for nobody wrote down what exactly was asked for."""
    op.add_column("generations", sa.Column("painting_id", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("generations", sa.Column("is_sharer", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.add_column("generations", sa.Column("canonical_sha256", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("revision", sa.Text(), nullable=True))
    op.execute("UPDATE generations SET painting_id = id")
    op.create_index("ix_generations_painting_id", "generations", ["painting_id"])
    op.create_index(INDEX, "generations", ["account_id", "canonical_sha256", "state", "number"])


def downgrade() -> None:
    op.drop_index(INDEX, "generations")
    op.drop_index("ix_generations_painting_id", "generations")
    for column in ("revision", "canonical_sha256", "is_sharer", "painting_id"):
        op.drop_column("generations", column)

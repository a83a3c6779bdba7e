"""What a caller should know of an answer that is not an error is kept with the generation.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("notices", sa.LargeBinary(), nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    op.drop_column("generations", "notices")

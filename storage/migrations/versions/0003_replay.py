"""What a replay needs: which generation it paints again, and the price before anybody's plan was looked at.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("replay_of", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("price", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.execute("UPDATE generations SET price = cost")


def downgrade() -> None:
    op.drop_column("generations", "price")
    op.drop_column("generations", "replay_of")

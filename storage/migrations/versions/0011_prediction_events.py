"""What the address in a request hears of in Replicate's words.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("prediction_events", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("generations", "prediction_events")

"""The secret of an account's webhooks can be replaced; the one before it goes on signing for a while.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("previous_webhook_secret", sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("previous_webhook_secret_until", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("accounts", "previous_webhook_secret_until")
    op.drop_column("accounts", "previous_webhook_secret")

"""Pictures are found by the hashes of their bytes and pixels.

Revision ID: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HASHES = ("file_sha256", "delivered_sha256", "pixel_sha256")


def upgrade() -> None:
    for name in HASHES:
        op.create_index(f"ix_pictures_{name}", "pictures", [name])


def downgrade() -> None:
    for name in HASHES:
        op.drop_index(f"ix_pictures_{name}", "pictures")

"""What a fair claim looks at: how much work each generation is, and an index by account.

Revision ID: 0002
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("work", sa.BigInteger(), nullable=False, server_default=sa.text("1")))
    op.add_column("generations", sa.Column("picture_count", sa.Integer(), nullable=False, server_default=sa.text("1")))
    measure_what_is_open()
    op.drop_index("ix_generations_state_priority_number", "generations")
    op.create_index(
        "ix_generations_state_priority_account_id_number",
        "generations",
        ["state", "priority", "account_id", "number"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_generations_state_priority_account_id_number", "generations")
    op.create_index(
        "ix_generations_state_priority_number", "generations", ["state", "priority", "number"], unique=False
    )
    op.drop_column("generations", "picture_count")
    op.drop_column("generations", "work")


def measure_what_is_open() -> None:
    """Only what may still be claimed; of the rest nobody asks."""
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name) for name in ("number", "state", "specs", "work", "picture_count")
    ]
    generations = sa.table("generations", *columns)
    c, connection = generations.c, op.get_bind()
    is_open = c.state.in_(("queued", "processing"))
    for number, specs in connection.execute(sa.select(c.number, c.specs).where(is_open)).all():
        pictures: Sequence[Mapping[str, Any]] = json.loads(specs)
        measured = {"work": max(1, sum(map(work_of, pictures))), "picture_count": max(1, len(pictures))}
        connection.execute(sa.update(generations).where(c.number == number).values(measured))


def work_of(spec: Mapping[str, Any]) -> int:
    """Painted pixels times passes of the network, as the release of this migration counted them."""
    painted, steps = spec["size"]["painted"], spec["num_inference_steps"]
    passes = 2 * steps - 1 if spec["sampler"] == "heun" else steps
    return int(painted["width"] * painted["height"] * passes)

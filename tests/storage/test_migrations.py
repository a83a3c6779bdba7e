"""What older releases left in the database comes through an upgrade."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text

from storage import Database
from storage.deliveries import claim_deliveries
from storage.upgrade import _config
from tests.plugins.postgresql import Cluster
from tests.storage.conftest import NOW

SPEC = {
    "size": {"painted": {"width": 768, "height": 512}},
    "sampler": "euler",
    "num_inference_steps": 20,
}


@pytest.fixture
def empty_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database without tables."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.create(request.node.originalname)


def upgrade_to(revision: str) -> Callable[[Connection], None]:
    def upgrade(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    return upgrade


def insert_by_hand(connection: Connection, table: str, **row: object) -> None:
    names = ", ".join(row)
    connection.execute(
        text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"),  # noqa: S608 - ours
        row,
    )


def leave_generations_behind(connection: Connection) -> None:
    """As the first release wrote them: one for each state that matters."""
    insert_by_hand(
        connection, "accounts", id="acct_1", name="ada", plan="pro", webhook_secret="s", available=0, held=0,
        captured=0, granted=0, created_at=0,
    )  # fmt: skip
    insert_by_hand(
        connection, "keys", id="key_1", account_id="acct_1", mode="live", secret_hash="f", scopes="read", created_at=0
    )
    heun = SPEC | {"sampler": "heun"}
    for id, state, specs in (
        ("gen_queued", "queued", [SPEC, SPEC]),
        ("gen_processing", "processing", [heun]),
        ("gen_completed", "completed", [SPEC]),
    ):
        insert_by_hand(
            connection, "generations", id=id, account_id="acct_1", key_id="key_1", livemode=True, state=state,
            attempt=0, priority=0, cost=0, credits_used=0, prompt="a boat", style="auto", request=b"{}",
            specs=json.dumps(specs).encode(), format="png", model="starter", revised_prompt="", seed=1,
            negative_prompt_used="", style_resolved="", style_reason="", quality="hd", width=768, height=512,
            created_at=0, failures="{}",
        )  # fmt: skip


async def test_what_is_open_gets_the_work_that_a_fair_claim_looks_at(empty_url: str) -> None:
    database = Database(empty_url)
    async with database.writing() as transaction:
        await transaction.run_sync(upgrade_to("0001"))
        await transaction.run_sync(leave_generations_behind)

    await database.migrate()

    async with database.reading() as connection:
        rows = (await connection.execute(text("SELECT id, work, picture_count FROM generations ORDER BY number"))).all()
    assert [tuple(row) for row in rows] == [
        ("gen_queued", 2 * 768 * 512 * 20, 2),
        ("gen_processing", 768 * 512 * 39, 1),
        ("gen_completed", 1, 1),
    ]
    await database.close()


async def test_what_a_replay_costs_is_what_the_first_painting_cost(empty_url: str) -> None:
    def set_costs(connection: Connection) -> None:
        connection.execute(text("UPDATE generations SET cost = 3 WHERE id = 'gen_completed'"))

    database = Database(empty_url)
    async with database.writing() as transaction:
        await transaction.run_sync(upgrade_to("0002"))
        await transaction.run_sync(leave_generations_behind)
        await transaction.run_sync(set_costs)

    await database.migrate()

    async with database.reading() as connection:
        rows = (await connection.execute(text("SELECT price, replay_of FROM generations ORDER BY number"))).all()
    assert [tuple(row) for row in rows] == [(0, None), (0, None), (3, None)]
    await database.close()


async def test_a_webhook_that_waits_is_sent_after_the_upgrade_too(empty_url: str) -> None:
    def leave_webhooks_behind(connection: Connection) -> None:
        leave_generations_behind(connection)
        for number, due_at in ((1, 7), (2, None)):
            insert_by_hand(
                connection, "events", id=f"evt_{number}", account_id="acct_1", generation_id=f"gen_{number}",
                type="generation.completed", body=b"{}", created_at=number,
            )  # fmt: skip
            insert_by_hand(
                connection, "deliveries", event_id=f"evt_{number}", url="https://Hooks.example:443/a", secret="s",
                attempts=3, due_at=due_at, created_at=number,
            )  # fmt: skip

    database = Database(empty_url)
    async with database.writing() as transaction:
        await transaction.run_sync(upgrade_to("0004"))
        await transaction.run_sync(leave_webhooks_behind)

    await database.migrate()

    async with database.writing() as transaction:
        (claimed,) = await claim_deliveries(transaction, ["dlv_1", "dlv_2"], now=NOW, lease_s=30)
    assert (claimed.event.id, claimed.event.subject_id, claimed.attempts) == ("evt_1", "gen_1", 3)
    assert (claimed.url, claimed.host, claimed.secrets) == ("https://Hooks.example:443/a", "hooks.example:443", ("s",))
    await database.close()

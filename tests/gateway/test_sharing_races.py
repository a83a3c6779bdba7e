"""Submitting, sharing, cancelling, failing and publishing at once, by one server and by two: what must hold holds."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from models import PaintingBroken
from tests.gateway.conftest import opened
from tests.gateway.test_cancel import accepted, cancel
from tests.gateway.test_generate import finished
from tests.gateway.test_mishaps import begun

CREDITS = 1000
RECEIVER = "http://127.0.0.1:9/nobody"
FINAL = {"completed", "failed", "canceled"}


@pytest.fixture
async def servers(database_kind, database_url, tmp_path):
    """Starts one server on SQLite, which belongs to one, and two on PostgreSQL. The first has the owner's key."""
    shared = {"database_url": database_url, "blob_url": (tmp_path / "pictures").as_uri(), "poll_s": 0.02, "slots": 3}
    count = 1 if database_kind == "sqlite" else 2
    async with AsyncExitStack() as stack:

        async def start(**settings):
            return [
                await stack.enter_async_context(opened(tmp_path / str(number), **shared, **settings))
                for number in range(count)
            ]

        yield start


async def rows(gateway, query):
    async with gateway.installation.database.reading() as connection:
        return [dict(row) for row in (await connection.execute(text(query))).mappings()]


class Storm:
    """Does things at random, the same for the same seed as far as the event loop lets it."""

    def __init__(self, gateways, key, seed):
        self.gateways, self.key, self.chance = gateways, key, random.Random(seed)  # noqa: S311
        self.ids = []

    async def blow(self, *, waves, width):
        for _ in range(waves):
            await asyncio.gather(*(self.act() for _ in range(width)))
            await asyncio.sleep(0)
        for gateway in self.gateways:
            gateway.engine.release()

    async def begin(self):
        """Two ask for the same, and who came first leaves: chance alone does not always make one take over."""
        for gateway in self.gateways:
            gateway.engine.hold()
        for _ in range(2):
            await self.ask(self.gateways[0], seed=7, n=1, cache=True)
        assert (await cancel(self.gateways[0], self.ids[0], key=self.key)).status_code == 200

    async def act(self):
        gateway = self.chance.choice(self.gateways)
        what = self.chance.choices(["ask", "cancel", "fail", "hold", "release"], [10, 6, 1, 2, 3])[0]
        if what == "ask":
            await self.ask(gateway)
        elif what == "cancel" and self.ids:
            answered = await cancel(gateway, self.chance.choice(self.ids), key=self.key)
            assert answered.status_code in {200, 409}
        elif what == "fail":
            gateway.engine.fail_next(PaintingBroken("broken"))
        elif what == "hold":
            gateway.engine.hold()
        elif what == "release":
            gateway.engine.release()

    async def ask(self, gateway, **decided):
        body = {"seed": self.chance.randrange(3), "n": self.chance.choice([1, 1, 2])}
        body |= {"cache": self.chance.random() < 0.9, "webhook_url": RECEIVER, **decided}
        answered = await gateway.paint(**body, key=self.key)
        assert answered.status_code == 202
        self.ids.append(answered.json()["generation_id"])


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_happens_at_once_the_books_balance_and_everybody_is_told_once(servers, seed):
    gateways = await servers(lease_s=0.6)  # of a painting that is held it runs out
    key = await gateways[0].new_key(account="ada", plan="enterprise", credits=CREDITS)
    storm = Storm(gateways, key, seed)
    await storm.begin()
    await storm.blow(waves=6, width=12)
    for id in storm.ids:
        assert (await finished(gateways[0], id, key=key))["status"] in FINAL
    await books_balance(gateways[0], storm.ids)
    found = await rows(gateways[0], "SELECT * FROM generations")
    assert any(row["is_sharer"] and row["state"] == "completed" for row in found)
    assert any(not row["is_sharer"] and row["painting_id"] != row["id"] for row in found)  # somebody took over


async def books_balance(gateway, ids):
    """I2, I4 to I8 of the design, over all that was accepted."""
    generations = {row["id"]: row for row in await rows(gateway, "SELECT * FROM generations")}
    assert set(generations) == set(ids)
    (balance,) = await rows(gateway, "SELECT * FROM accounts WHERE name = 'ada'")
    assert balance["available"] + balance["held"] + balance["captured"] == balance["granted"] == CREDITS
    paid = sum(row["cost"] for row in generations.values() if row["state"] == "completed")
    assert (balance["held"], balance["captured"]) == (0, paid)
    entries = Counter(
        (row["generation_id"], row["kind"]) for row in await rows(gateway, "SELECT * FROM ledger WHERE kind <> 'grant'")
    )
    for id, row in generations.items():
        is_paid = row["state"] == "completed" and not row["is_sharer"]
        assert entries[id, "capture"] == is_paid
        assert entries[id, "hold"] == entries[id, "capture"] + entries[id, "release"] <= 1
        assert row["credits_used"] == (row["cost"] if is_paid else 0)
    events = Counter((row["subject_id"], row["type"]) for row in await rows(gateway, "SELECT * FROM events"))
    assert events == {(id, f"generation.{row['state']}"): 1 for id, row in generations.items()}
    shown = Counter(row["generation_id"] for row in await rows(gateway, "SELECT * FROM pictures"))
    assert shown == {id: row["picture_count"] for id, row in generations.items() if row["state"] == "completed"}
    for picture in await rows(gateway, "SELECT * FROM pictures"):
        assert await gateway.installation.blobs.get(picture["blob_key"])
    payers = Counter(
        row["painting_id"] for row in generations.values() if row["state"] == "completed" and not row["is_sharer"]
    )
    assert set(payers.values()) <= {1}


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_one_server_cancels_what_another_paints_and_another_server_takes_part(servers):
    here, there = gateways = await servers()
    key = await here.new_key(account="ada", plan="pro", credits=10)
    for gateway in gateways:
        gateway.engine.hold()
    first = await accepted(here, seed=7, key=key)
    await until_begun(gateways)
    second = await accepted(there, seed=7, key=key)
    assert (await cancel(there, first, key=key)).json()["status"] == "canceled"
    for gateway in gateways:
        gateway.engine.release()
    assert (await finished(here, second, key=key))["status"] == "completed"
    assert len(here.engine.begun) + len(there.engine.begun) == 1


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_painting_that_another_server_canceled_is_stopped_where_it_is_painted(servers):
    here, there = gateways = await servers(lease_s=3)
    there.engine.hold()
    here.engine.hold()
    id = await accepted(here, num_inference_steps=100)
    await until_begun(gateways)
    painter, other = (here, there) if here.engine.begun else (there, here)
    await cancel(other, id, key=here.key)
    for _ in range(100):  # a step each: it shows life, so that it renews its lease, and learns that it has none
        painter.engine.release()
        painter.engine.hold()
        await asyncio.sleep(0.03)
        if not painter.server.painting.worker._running:
            break
    assert not painter.server.painting.worker._running
    assert [one for gateway in gateways for one in gateway.engine.painted] == []


async def until_begun(gateways):
    for _ in range(1000):
        if any(gateway.engine.begun for gateway in gateways):
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nobody paints")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_a_restart_loses_nobody_who_shares(database_url, tmp_path):
    shared = {"database_url": database_url, "blob_url": (tmp_path / "pictures").as_uri()}
    async with opened(tmp_path / "before", **shared) as before:
        before.engine.hold()
        ids = [await accepted(before, seed=7) for _ in range(3)]
        await begun(before.engine)
        key = before.key
    async with opened(tmp_path / "after", **shared) as after:
        bodies = [await finished(after, id, key=key) for id in ids]
        assert [(body["status"], body["cached"]) for body in bodies] == [
            ("completed", False),
            ("completed", True),
            ("completed", True),
        ]
        assert len(after.engine.painted) == 1


async def test_all_who_share_deleted_at_once_leave_no_file_and_no_row(servers):
    gateways = await servers()
    key = gateways[0].key
    bodies = [(await gateways[number % len(gateways)].paint(seed=7, key=key)).json() for number in range(4)]
    assert [body["cached"] for body in bodies] == [False, True, True, True]
    headers = {"Authorization": f"Bearer {key}"}
    answers = await asyncio.gather(
        *(
            gateways[number % len(gateways)].http.delete(f"/v1/generations/{body['generation_id']}", headers=headers)
            for number, body in enumerate(bodies)
        )
    )
    assert [answered.status_code for answered in answers] == [200] * 4
    assert await rows(gateways[0], "SELECT * FROM generations") == []
    folder = gateways[0].installation.settings.data_dir.parent.parent / "pictures"
    assert folder.is_dir()
    assert [file for file in folder.rglob("*") if file.is_file()] == []

"""How a batch ends: once, with one webhook, also after a cancel and after a crash in the middle."""

import asyncio
import json
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from plugins.fake_engine import FakeEngine
from sqlalchemy import text

from gateway.settings import Settings
from gateway.wiring import Installation, Server
from models import WeightsRejected
from tests.gateway.batches.conftest import counts
from tests.gateway.conftest import BASE_URL
from tests.gateway.webhooks.conftest import Receivers

DYING = Path(__file__).parents[2] / "plugins" / "dying_expander.py"


@pytest.fixture
async def receiver():
    async with AsyncExitStack() as stack:
        yield await Receivers(stack).with_status("204 No Content")


async def told(receiver):
    """What arrives first, and what else comes a little later."""
    for _ in range(2000):
        if receiver.requests:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    return [json.loads(request.body) for request in receiver.requests]


async def rows_of(installation, query):
    async with installation.database.reading() as connection:
        return [tuple(row) for row in (await connection.execute(text(query))).all()]


async def test_one_signed_webhook_tells_of_the_end_whatever_became_of_the_items(gateway, batches, receiver):
    gateway.engine.fail_next(WeightsRejected("no weights"))
    sent = await batches.send(
        [{"prompt": "a boat"}, {"prompt": "a castle"}, {"prompt": ""}],
        webhook_url=receiver.url(),
        metadata={"order": "17"},
    )
    batch = await batches.ended(sent.json()["batch_id"])
    (body,) = await told(receiver)
    assert (body["event"], body["type"], body["batch_id"]) == ("batch.completed", "batch.completed", batch["batch_id"])
    assert body["status"] == "completed"
    assert body["data"]["counts"] == counts(completed=1, failed=1, refused=1)
    assert body["data"]["metadata"] == batch["metadata"] == {"order": "17"}
    assert body["results_url"] == batch["results_url"]
    assert {"webhook-id", "webhook-signature", "x-pinxit-signature"} <= set(receiver.requests[0].headers)


async def test_items_that_end_at_once_end_the_batch_once(open_gateway, batches_of, receiver):
    gateway = await open_gateway(slots=8)
    batches = batches_of(gateway)
    gateway.engine.hold()
    sent = await batches.send([{"prompt": f"{i} boats"} for i in range(8)], webhook_url=receiver.url())
    await batches.until(sent.json()["batch_id"], lambda batch: batch["counts"]["processing"] == 8)
    gateway.engine.release()
    await batches.ended(sent.json()["batch_id"])
    assert len(await told(receiver)) == 1


async def test_a_batch_of_which_nothing_is_accepted_is_told_of_too(batches, receiver):
    batch = (await batches.send([{"prompt": ""}], webhook_url=receiver.url())).json()
    (body,) = await told(receiver)
    assert (body["batch_id"], body["data"]["counts"]) == (batch["batch_id"], counts(refused=1))


async def test_a_cancel_stops_what_has_not_ended_and_keeps_what_has(open_gateway, batches_of, receiver):
    gateway = await open_gateway(slots=2, max_batch_queued=4, poll_s=0.01)
    batches = batches_of(gateway, await gateway.new_key(plan="studio", credits=100))
    sent = await batches.send([{"prompt": f"{i} boats", "seed": i} for i in range(12)], webhook_url=receiver.url())
    batch_id = sent.json()["batch_id"]
    await batches.until(batch_id, lambda batch: batch["counts"]["completed"] >= 2)
    gateway.engine.hold()

    answered = await batches.cancel(batch_id)
    assert answered.status_code == 200
    assert answered.json()["status"] in {"canceling", "canceled"}
    batch = await batches.ended(batch_id)
    assert batch["status"] == "canceled"
    done = batch["counts"]["completed"]
    assert batch["counts"] == counts(completed=done, canceled=12 - done)
    assert 2 <= done < 12
    account = (await batches.get("/v1/account")).json()
    assert (account["credits"], account["credits_held"], account["credits_captured"]) == (100 - done, 0, done)
    (body,) = await told(receiver)
    assert (body["type"], body["status"]) == ("batch.completed", "canceled")

    again = await batches.cancel(batch_id)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_finished")
    gateway.engine.release()
    assert (await gateway.paint()).status_code == 200


async def test_an_item_cancelled_by_itself_ends_in_its_batch(gateway, batches, receiver):
    gateway.engine.hold()
    sent = await batches.send([{"prompt": "a boat"}, {"prompt": "a castle"}], webhook_url=receiver.url())
    batch_id = sent.json()["batch_id"]
    await batches.until(batch_id, lambda batch: batch["counts"]["processing"] == 2)
    generation_id = (await batches.results(batch_id))[0]["generation_id"]
    await gateway.http.post(f"/v1/generations/{generation_id}/cancel", headers=batches.headers)
    gateway.engine.release()
    batch = await batches.ended(batch_id)
    assert (batch["status"], batch["counts"]) == ("completed", counts(completed=1, canceled=1))
    assert len(await told(receiver)) == 1


@pytest.fixture
async def reopened():
    """A server on what a killed one has left, not running yet."""
    servers = []

    def reopen(folder):
        installation = Installation(settings=Settings(data_dir=folder, poll_s=0.02))
        servers.append(Server(installation=installation, engine=FakeEngine(slots=8), base_url=BASE_URL))
        return servers[-1]

    yield reopen
    for server in servers:
        await server.installation.database.close()


def killed_after(lines, folder, *arguments):
    """A process that accepts a batch and expands it piece by piece, killed at its n-th word; what it had said."""
    process = subprocess.Popen([sys.executable, str(DYING), str(folder), *arguments], stdout=subprocess.PIPE, text=True)
    said = [process.stdout.readline().strip() for _ in range(lines)]
    process.kill()
    process.wait()
    process.stdout.close()
    return said


@pytest.mark.parametrize("words", [1, 3])
async def test_what_a_kill_cut_short_goes_on_at_the_next_start_and_nothing_twice(tmp_path, receiver, reopened, words):
    folder = tmp_path / "data"
    said = await asyncio.to_thread(killed_after, words, folder, receiver.url(), "130", "12")
    batch_id = said[0].removeprefix("accepted ")
    server = reopened(folder)
    installation = server.installation
    ((waiting,),) = await rows_of(installation, "SELECT count(*) FROM batch_items WHERE state = 'waiting'")
    assert waiting in {130, 80, 30, 0}
    async with server.running():
        (body,) = await told(receiver)
    assert (body["batch_id"], body["data"]["counts"]) == (batch_id, counts(completed=12, refused=118))
    items = await rows_of(installation, "SELECT state, generation_id FROM batch_items ORDER BY position")
    assert [state for state, _ in items] == ["completed"] * 12 + ["refused"] * 118
    generations = await rows_of(installation, "SELECT id FROM generations ORDER BY number")
    assert [id for (id,) in generations] == [id for _, id in items if id]
    account = await rows_of(installation, "SELECT available, held, captured, granted FROM accounts")
    assert account == [(0, 0, 12, 12)]


async def test_a_cancel_that_a_crash_cut_short_is_carried_out_at_the_next_start(tmp_path, receiver, reopened):
    folder = tmp_path / "data"
    await asyncio.to_thread(killed_after, 3, folder, receiver.url(), "60", "500", "cancel")
    server = reopened(folder)
    installation = server.installation
    assert await rows_of(installation, "SELECT state FROM batches") == [("canceling",)]
    server.engine.hold()
    async with server.running():
        (body,) = await told(receiver)
    assert (body["status"], body["data"]["counts"]) == ("canceled", counts(canceled=60))
    assert await rows_of(installation, "SELECT available, held FROM accounts") == [(500, 0)]

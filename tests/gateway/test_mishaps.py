"""What happens between two commits: outages, and those who leave while work is going on."""

import asyncio
import shutil
import time
from dataclasses import replace

import structlog
from plugins.fake_engine import FINGERPRINT

from gateway.generations.painting.patience import Patience
from gateway.readiness import GOOD_FOR_S
from models import MachineShort, WeightsRejected
from storage import StoreUnavailable
from storage.encoding import read_text


class Outage:
    """Stands before the runner: the first painting meets a database that is away, until and including its end."""

    def __init__(self, runner):
        self.runner = runner
        self.calls = 0

    async def __call__(self, generation):
        self.calls += 1
        if self.calls == 1:
            raise StoreUnavailable("away")
        await self.runner(generation)

    async def failed(self, generation, failure):
        await self.runner.failed(generation, failure)


async def begun(engine):
    for _ in range(1000):
        if engine.begun:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nothing is being painted")


async def settled(is_so):
    for _ in range(1000):
        if is_so():
            return True
        await asyncio.sleep(0.005)
    return False


def files(gateway):
    return [file for file in (gateway.installation.settings.data_dir / "pictures").rglob("*") if file.is_file()]


async def test_a_painting_whose_end_could_not_be_written_is_painted_again(open_gateway):
    gateway = await open_gateway(lease_s=0.2, poll_s=0.05)
    gateway.server.painting.worker.run = outage = Outage(gateway.server.painting.worker.run)
    answered = await gateway.paint()
    assert (answered.status_code, outage.calls) == (200, 2)


async def test_what_was_painted_for_nobody_leaves_no_file(gateway):
    gateway.engine.hold()
    id = (await gateway.paint(**{"async": True})).json()["generation_id"]
    await begun(gateway.engine)
    owner = await gateway.server.services.gatekeeper.caller(gateway.key, now=gateway.clock())
    view = await gateway.server.painting.fetch.one(owner, id)
    elsewhere = replace(gateway.server.painting.settle, halt=lambda _: None)  # another server cannot stop our engine
    await elsewhere.canceled(view.generation)
    gateway.engine.release()
    await gateway.paint()
    assert len(gateway.engine.painted) == 2
    assert await settled(lambda: len(files(gateway)) == 1)  # the worker drops the file in its own time


def impatient(gateway, *, tries=4):
    """Waits that a test can wait for."""
    worker = gateway.server.painting.worker
    worker.run = replace(worker.run, patience=Patience(waits_s=(0.05,) * tries))


async def test_a_store_that_fails_costs_no_second_painting(gateway):
    impatient(gateway, tries=1000)
    in_the_way = gateway.installation.settings.data_dir / "pictures"
    in_the_way.write_bytes(b"")
    accepted = (await gateway.paint(**{"async": True})).json()["generation_id"]
    assert await settled(lambda: gateway.engine.painted)
    await asyncio.sleep(0.1)
    assert (await gateway.get(f"/v1/generations/{accepted}")).json()["status"] == "processing"
    in_the_way.unlink()
    assert (await gateway.paint()).json()["status"] == "completed"
    for _ in range(1000):
        if (body := (await gateway.get(f"/v1/generations/{accepted}")).json())["status"] == "completed":
            break
        await asyncio.sleep(0.01)
    assert (body["status"], len(gateway.engine.painted)) == ("completed", 2)


async def test_a_store_that_stays_away_ends_it_in_the_end_and_gives_the_credits_back(gateway):
    impatient(gateway)
    key = await gateway.new_key(account="ada", plan="pro", credits=5)
    (gateway.installation.settings.data_dir / "pictures").write_bytes(b"")
    answered = await gateway.paint(key=key)
    assert (answered.status_code, answered.json()["error"]["code"]) == (503, "overloaded")
    assert len(gateway.engine.painted) == 3
    assert (await gateway.get("/v1/account", key=key)).json()["credits"] == 5


async def test_a_machine_without_room_is_waited_for(gateway):
    impatient(gateway)
    for _ in range(3):
        gateway.engine.fail_next(MachineShort("full"))
    answered = await gateway.paint()
    assert (answered.status_code, len(gateway.engine.begun)) == (200, 4)


async def test_readiness_tries_to_write_and_names_what_fails(gateway):
    assert (await gateway.http.get("/readyz")).json()["faults"] == {}
    data, readiness = gateway.installation.settings.data_dir, gateway.server.painting.readiness
    for folder in ("pictures", "work"):
        if (data / folder).is_dir():
            shutil.rmtree(data / folder)
        (data / folder).write_bytes(b"")
    assert (await gateway.http.get("/readyz")).json()["faults"] == {}, "not tried again so soon"
    readiness.seconds = lambda: time.monotonic() + GOOD_FOR_S
    probed = await gateway.http.get("/readyz")
    assert (probed.status_code, sorted(probed.json()["faults"])) == (503, ["pictures", "workspace"])
    assert str(data) not in probed.text


class Stopping:
    """Stands before what settles: whoever settles is stopped right after the commit, as by a lease that this ended."""

    def __init__(self, settle):
        self.settle = settle

    async def completed(self, generation, completion):
        painter = asyncio.current_task()
        is_told = await self.settle.completed(generation, completion)
        for task in asyncio.all_tasks():
            if task is not painter and task.get_name() == generation.id:
                task.cancel()
        if painter.get_name() == generation.id:
            painter.cancel()
        await asyncio.sleep(0)
        return is_told


async def test_a_stop_right_after_the_commit_takes_no_file_away(gateway):
    worker = gateway.server.painting.worker
    worker.run = replace(worker.run, settle=Stopping(worker.run.settle))
    body = (await gateway.paint()).json()
    assert body["status"] == "completed"
    assert await settled(lambda: not worker._running)
    assert (await gateway.http.get(body["image_url"])).status_code == 200
    assert len(files(gateway)) == 1


async def test_deleting_waits_until_nobody_works_on_it(gateway):
    gateway.engine.hold()
    id = (await gateway.paint(**{"async": True})).json()["generation_id"]
    await begun(gateway.engine)
    await gateway.http.delete(f"/v1/generations/{id}", headers={"Authorization": f"Bearer {gateway.key}"})
    assert not list((gateway.installation.settings.data_dir / "work").iterdir())
    assert files(gateway) == []


async def test_a_recipe_too_long_for_its_file_fails_no_picture_and_is_answered_all_the_same(gateway):
    name = "x" * 40_000
    gateway.engine.become(replace(FINGERPRINT, device_name=name))
    with structlog.testing.capture_logs() as logs:
        answered = await gateway.paint(format="jpeg")
    assert answered.status_code == 200
    assert "recipe too long for the file" in {line["event"] for line in logs}
    (file,) = files(gateway)
    assert read_text(file.read_bytes()) == {}
    told = (await gateway.get(f"/v1/generations/{answered.json()['generation_id']}/recipe")).json()
    assert told["recipes"][0]["fingerprint"]["device_name"] == name


async def test_a_failure_is_replayed_as_it_was_told_first(gateway):
    gateway.engine.fail_next(WeightsRejected("no weights"))
    first, second = [await gateway.paint(headers={"Idempotency-Key": "order-17"}) for _ in range(2)]
    assert (first.status_code, second.status_code) == (500, 500)
    assert first.json()["error"]["message"] == second.json()["error"]["message"]
    assert ("idempotent-replayed" in first.headers, second.headers.get("idempotent-replayed")) == (False, "true")


async def test_a_worker_that_dies_is_heard_of(gateway):
    def broken():
        raise ZeroDivisionError

    gateway.server.painting.worker._fill = broken
    with structlog.testing.capture_logs() as logged:
        gateway.server.painting.queue.nudge()
        assert await settled(lambda: logged)
    assert [(entry["log_level"], entry["what"]) for entry in logged] == [("critical", "worker")]
    probed = await gateway.http.get("/readyz")
    assert (probed.status_code, probed.json()["ready"], probed.json()["stopped"]) == (503, False, ["worker"])


async def test_webhooks_that_stop_for_good_are_no_good_health_either(open_gateway):
    gateway = await open_gateway()
    assert (await gateway.http.get("/readyz")).json()["stopped"] == []

    class Broken:
        def reading(self):
            raise ZeroDivisionError

    gateway.server.webhooks.deliveries.database = Broken()
    gateway.server.webhooks.deliveries.wake()
    await asyncio.sleep(0.05)
    probed = await gateway.http.get("/readyz")
    assert (probed.status_code, probed.json()["stopped"]) == (503, ["webhooks"])

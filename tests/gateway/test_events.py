"""`GET /v1/generations/{id}/events`: what a caller hears of a generation, from wherever it stands to its end."""

import asyncio
import base64
import io
from contextlib import aclosing

from PIL import Image
from plugins.event_streams import read_to_the_end, reading
from plugins.fake_engine import FakeEngine
from plugins.fake_engine import _gradient as gradient_of
from plugins.fake_engine import _jpeg as jpeg_of
from plugins.virtual_time import run_in_virtual_time

from gateway.access import Mode as AccessMode
from gateway.generations.showing.watching import Mark, Stage
from gateway.http import make_app
from gateway.http.answering.event_stream import HEARTBEAT, KeepAlive, with_heartbeats
from gateway.identity import new_id
from gateway.wiring import Server
from models import OutOfMemory, WeightsRejected
from safety.provenance import Mark as VisibleMark
from safety.provenance import marked_jpeg
from storage.generations import remove


def app_of(gateway):
    return gateway.http._transport.app


def path_of(id):
    return f"/v1/generations/{id}/events"


def key_of(gateway, key=None):
    return {"authorization": f"Bearer {key or gateway.key}"}


async def accepted(gateway, **body):
    return (await gateway.paint(**{"async": True}, **body)).json()["generation_id"]


async def until(is_so):
    for _ in range(4000):
        if is_so():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come to that")


def following(gateway, id, **more):
    return reading(app_of(gateway), path_of(id), **key_of(gateway), **more)


async def heard_of(gateway, id, **more):
    return await read_to_the_end(app_of(gateway), path_of(id), **key_of(gateway), **more)


async def test_a_whole_life_is_told_in_order_and_ends_with_the_generation(open_gateway):
    gateway = await open_gateway(slots=1)
    gateway.engine.hold()
    first, second = await accepted(gateway), await accepted(gateway, seed=5)
    await until(lambda: gateway.engine.begun)
    async with following(gateway, second) as stream:
        waiting = await stream.until("queued")
        gateway.engine.release()
        completed = await stream.until("completed")

    assert waiting.data["status"] == "queued"
    assert waiting.data["queue_position"] == 0
    assert waiting.data["eta_ms"] > 0
    order = list(dict.fromkeys(stream.names))
    assert order == ["queued", "started", "progress", "completed"]
    assert stream.names.count("started") == stream.names.count("completed") == 1
    marks = [event.mark for event in stream.heard]
    assert marks == sorted(set(marks))
    assert completed.data == (await gateway.get(f"/v1/generations/{second}")).json()
    assert {event.data["generation_id"] for event in stream.heard} == {second}
    progress = [event.data for event in stream.heard if event.name == "progress"]
    assert {"phase", "step", "steps", "eta_ms", "preview", "preview_index"} < progress[0].keys()
    assert (await gateway.get(f"/v1/generations/{first}")).json()["status"] == "completed"


async def test_nothing_on_the_way_may_hold_the_events_back(gateway):
    id = (await gateway.paint()).json()["generation_id"]
    stream = await heard_of(gateway, id)
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert "no-transform" in stream.headers["cache-control"]
    assert stream.headers["x-accel-buffering"] == "no"


async def test_of_what_has_ended_there_is_one_event_and_then_nothing_more(gateway):
    id = (await gateway.paint()).json()["generation_id"]

    stream = await heard_of(gateway, id)
    again = await heard_of(gateway, id, last_event_id=stream.heard[-1].id)

    assert stream.names == ["completed"]
    assert (again.status, again.heard) == (204, [])


async def test_previews_are_made_only_while_somebody_looks_and_change_no_pixel(gateway):
    board = gateway.server.painting.board
    unseen = (await gateway.paint(seed=3)).json()
    gateway.engine.hold()
    id = await accepted(gateway, seed=3, cache=False)
    await until(lambda: len(gateway.engine.begun) == 2)
    assert board.preview_every(id) == 0
    async with following(gateway, id, query="previews=false") as blind:
        await blind.until("progress")
        assert board.preview_every(id) == 0
        async with following(gateway, id) as stream:
            await stream.until("started")
            assert board.preview_every(id) > 0
            gateway.engine.release()
            seen = await stream.until("completed")
            await blind.until("completed")

    assert seen.data["images"][0]["pixel_sha256"] == unseen["images"][0]["pixel_sha256"]
    previews = [event.data for event in stream.heard if event.data.get("preview")]
    assert previews
    assert {preview["preview_index"] for preview in previews} == {0}
    encoded = previews[0]["preview"].removeprefix("data:image/jpeg;base64,")
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).format == "JPEG"
    assert not [event for event in blind.heard if event.data.get("preview")]
    assert board.preview_every(id) == 0


async def test_previews_of_a_test_key_carry_the_mark_of_the_finished_picture(gateway):
    key = await gateway.new_key(account="tester", mode=AccessMode.TEST)
    gateway.engine.hold()
    id = (await gateway.paint(key=key, seed=3, **{"async": True})).json()["generation_id"]
    await until(lambda: gateway.engine.begun)
    async with reading(app_of(gateway), path_of(id), **key_of(gateway, key)) as stream:
        await stream.until("started")
        gateway.engine.release()
        await stream.until("completed")

    (spec,) = gateway.engine.painted
    plain = jpeg_of(gradient_of(spec, 0), spec)
    seen = [event.data["preview"] for event in stream.heard if event.data.get("preview")]
    assert seen
    marked = base64.b64encode(marked_jpeg(plain, {VisibleMark.TEST})).decode()
    assert (
        set(seen)
        == {f"data:image/jpeg;base64,{marked}"}
        != {f"data:image/jpeg;base64,{base64.b64encode(plain).decode()}"}
    )


async def test_every_picture_of_a_generation_has_its_own_preview(gateway):
    gateway.engine.hold()
    id = await accepted(gateway, n=3)
    async with following(gateway, id) as stream:
        await stream.until("started")
        gateway.engine.release()
        await stream.until("completed")
    shown = {event.data["preview_index"] for event in stream.heard if event.data.get("preview")}
    assert shown == {0, 1, 2}


async def test_who_comes_back_hears_where_it_stands_and_not_again_that_it_began(gateway):
    gateway.engine.hold()
    id = await accepted(gateway)
    async with following(gateway, id) as stream:
        last = await stream.until("progress")
    async with following(gateway, id, last_event_id=last.id) as resumed:
        await resumed.until("progress")
        gateway.engine.release()
        await resumed.until("completed")

    assert "started" in stream.names
    assert "started" not in resumed.names
    assert all(event.mark > last.mark for event in resumed.heard)


async def test_an_id_that_is_not_ours_counts_as_none(gateway):
    id = (await gateway.paint()).json()["generation_id"]
    for nonsense in ("", "7", "1.9.0", "x" * 500, "1.1", "ü"):
        assert (await heard_of(gateway, id, last_event_id=nonsense)).names == ["completed"]


async def test_another_server_on_the_same_database_tells_beginning_and_end(gateway):
    """It does not paint, and knows nothing but the rows; as a server does that was restarted meanwhile."""
    other = Server(installation=gateway.installation, engine=FakeEngine(), base_url="http://127.0.0.1:9000")
    gateway.engine.hold()
    id = await accepted(gateway)
    async with following(gateway, id) as here:
        last = await here.until("started")
    async with reading(
        make_app(other.services, new_id=new_id), path_of(id), last_event_id=last.id, **key_of(gateway)
    ) as there:
        gateway.engine.release()
        completed = await there.until("completed")
    assert there.names == ["completed"]
    assert completed.mark > last.mark


async def test_an_attempt_that_fails_and_is_made_again_goes_forward_in_ids(gateway):
    gateway.engine.hold()
    blocker = await accepted(gateway)
    await until(lambda: gateway.engine.begun)
    gateway.engine.fail_next(OutOfMemory("too much"))
    id = await accepted(gateway, n=8)
    async with following(gateway, id) as stream:
        await stream.until("queued")
        gateway.engine.release()
        await stream.until("completed")

    marks = [event.mark for event in stream.heard]
    assert marks == sorted(set(marks))
    assert stream.heard[-1].mark[0] == 3  # behind the second attempt
    assert (await gateway.get(f"/v1/generations/{blocker}")).json()["status"] == "completed"


async def test_failure_and_cancellation_are_ends_too(gateway):
    gateway.engine.fail_next(WeightsRejected("not these"))
    failed = await heard_of(gateway, await accepted(gateway))
    gateway.engine.hold()
    id = await accepted(gateway)
    async with following(gateway, id) as stream:
        await stream.until("progress")
        caller = await gateway.server.services.gatekeeper.caller(gateway.key, now=gateway.clock())
        await gateway.server.painting.settle.canceled((await gateway.server.painting.fetch.one(caller, id)).generation)
        canceled = await stream.until("canceled")

    assert failed.heard[-1].name == "failed"
    assert failed.heard[-1].data["error"]["code"]
    assert canceled.data["status"] == "canceled"


async def test_a_slow_reader_holds_up_nobody_and_hears_the_latest(gateway):
    gateway.engine.hold()
    id = await accepted(gateway, n=8, quality="ultra")
    async with following(gateway, id) as stream:
        await stream.until("progress")
        stream.pause()
        gateway.engine.release()
        await until(lambda: len(gateway.engine.painted) == 8)
        await heard_of(gateway, id)
        told_before = len(stream.heard)
        stream.go_on()
        await stream.until("completed")

    steps = sum(spec.num_inference_steps for spec in gateway.engine.painted)
    assert len(stream.heard) - told_before < 12 < steps


async def test_who_leaves_is_forgotten_at_once(gateway):
    gateway.engine.hold()
    id = await accepted(gateway)
    async with following(gateway, id) as stream:
        await stream.until("progress")
        assert gateway.server.painting.board._onlookers
    assert stream.over.is_set()
    assert not gateway.server.painting.board._onlookers
    gateway.engine.release()


async def test_what_cannot_go_on_ends_with_an_error_in_the_contracts_form(gateway):
    gateway.engine.hold()
    id = await accepted(gateway)
    async with following(gateway, id) as stream:
        await stream.until("progress")
        async with gateway.installation.database.writing() as transaction:
            await remove(transaction, id)
        error = await stream.until("error")
    assert error.data["error"]["code"] == "not_found"
    assert stream.over.is_set()
    gateway.engine.release()


async def test_only_who_may_read_it_may_follow_it(gateway):
    id = (await gateway.paint()).json()["generation_id"]
    stranger = await gateway.new_key("stranger", plan="free")
    narrow = await gateway.new_key("narrow", plan="free", scopes=("generate",))
    assert (await gateway.get(path_of(id), key=stranger)).status_code == 404
    assert (await gateway.get(path_of("gen_none"))).json()["error"]["code"] == "not_found"
    assert (await gateway.get(path_of(id), key=narrow)).json()["error"]["code"] == "insufficient_scope"
    assert (await gateway.http.get(path_of(id))).json()["error"]["code"] == "missing_api_key"


def test_a_sign_of_life_comes_whenever_nothing_else_has_for_the_set_time() -> None:
    closed = []

    async def events():
        try:
            for wait_s in (50, 5, 31):
                await asyncio.sleep(wait_s)
                yield b"event"
        finally:
            closed.append(True)

    async def heard():
        loop = asyncio.get_running_loop()
        async with aclosing(with_heartbeats(events(), KeepAlive(heartbeat_s=15, stopping=asyncio.Event()))) as stream:
            return [(chunk, loop.time()) async for chunk in stream]

    told = run_in_virtual_time(heard())

    beats = [at_s for chunk, at_s in told if chunk == HEARTBEAT]
    assert beats == [15, 30, 45, 70, 85]
    assert [at_s for chunk, at_s in told if chunk == b"event"] == [50, 55, 86]
    assert closed == [True]


def test_who_leaves_between_two_events_closes_their_source() -> None:
    closed = []

    async def events():
        try:
            yield b"event"
            await asyncio.sleep(1000)
        finally:
            closed.append(asyncio.get_running_loop().time())

    async def leaves():
        stream = with_heartbeats(events(), KeepAlive(heartbeat_s=15, stopping=asyncio.Event()))
        assert [await anext(stream), await anext(stream)] == [b"event", HEARTBEAT]
        await stream.aclose()

    run_in_virtual_time(leaves())
    assert closed == [15]


def test_a_stop_ends_the_stream_with_its_farewell_and_closes_the_source() -> None:
    closed, stopping = [], asyncio.Event()

    async def events():
        try:
            yield b"event"
            await asyncio.sleep(1000)
        finally:
            closed.append(asyncio.get_running_loop().time())

    async def stopped():
        asyncio.get_running_loop().call_later(20, stopping.set)
        keep_alive = KeepAlive(heartbeat_s=15, stopping=stopping, farewell=b"bye")
        return [chunk async for chunk in with_heartbeats(events(), keep_alive)]

    assert run_in_virtual_time(stopped()) == [b"event", HEARTBEAT, b"bye"]
    assert closed == [20]


def test_marks_are_read_back_as_they_are_written() -> None:
    mark = Mark(attempt=2, stage=Stage.PROGRESS, count=17)
    assert Mark.read(str(mark)) == mark
    assert mark < mark.following(2, Stage.PROGRESS) < mark.following(3, Stage.QUEUED)

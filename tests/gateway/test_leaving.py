"""Callers who leave a synchronous call, over real connections."""

import asyncio
import json
from contextlib import asynccontextmanager

import uvicorn

from gateway.http import make_app
from gateway.identity import new_id
from tests.gateway.test_generate import finished
from tests.gateway.test_mishaps import begun


@asynccontextmanager
async def listening(gateway):
    """The port of a real server around the gateway."""
    app = make_app(gateway.server.services, new_id=new_id)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def ask(port, key, *, path="/v1/generate", body=None, **headers):
    """A connection on which a painting was asked for and not answered yet."""
    body = json.dumps(body or {"prompt": "a red lighthouse by the sea"}).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()
    return reader, writer


async def until(is_so):
    for _ in range(4000):
        if is_so():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


async def listed(gateway, count):
    """The accepted generations, once there are so many."""
    for _ in range(1000):
        data = (await gateway.get("/v1/generations", limit=100)).json()["data"]
        if len(data) == count:
            return data
        await asyncio.sleep(0.01)
    raise AssertionError(len(data))


async def test_a_caller_who_leaves_and_stays_away_gives_the_painting_up(open_gateway):
    gateway = await open_gateway(leave_grace_s=0)
    gateway.engine.hold()
    async with listening(gateway) as port:
        _, writer = await ask(port, gateway.key)
        await begun(gateway.engine)
        (one,) = await listed(gateway, 1)
        writer.close()
        assert (await finished(gateway, one["generation_id"]))["status"] == "canceled"
    assert gateway.engine.painted == []


async def test_nothing_is_canceled_within_the_grace(open_gateway):
    gateway = await open_gateway(leave_grace_s=3600)
    gateway.engine.hold()
    async with listening(gateway) as port:
        _, writer = await ask(port, gateway.key)
        (one,) = await listed(gateway, 1)
        writer.close()
        await until(lambda: gateway.server.painting.disconnects._graces)  # it was noticed
        gateway.engine.release()
        assert (await finished(gateway, one["generation_id"]))["status"] == "completed"


async def test_an_idempotency_key_says_that_they_will_ask_again(open_gateway):
    gateway = await open_gateway(leave_grace_s=0)
    gateway.engine.hold()
    async with listening(gateway) as port:
        kept = await ask(port, gateway.key, **{"Idempotency-Key": "order-1"})
        await listed(gateway, 1)
        given_up = await ask(port, gateway.key)
        second, first = await listed(gateway, 2)
        kept[1].close()
        given_up[1].close()
        assert (await finished(gateway, second["generation_id"]))["status"] == "canceled"
        gateway.engine.release()
        assert (await finished(gateway, first["generation_id"]))["status"] == "completed"


async def test_whoever_is_answered_in_time_gives_nothing_up(open_gateway):
    gateway = await open_gateway(leave_grace_s=0)
    async with listening(gateway) as port:
        reader, writer = await ask(port, gateway.key, Prefer="wait=1")
        gateway.engine.hold()
        status = await reader.readline()
        writer.close()
        await asyncio.sleep(0.05)
        gateway.engine.release()
        (one,) = await listed(gateway, 1)
        assert (await finished(gateway, one["generation_id"]))["status"] == "completed"
    assert status.split()[1] in {b"200", b"202"}


async def test_hundreds_wait_and_those_who_leave_take_nothing_from_those_who_stay(open_gateway):
    gateway = await open_gateway(leave_grace_s=0, slots=4)
    gateway.engine.hold()
    async with listening(gateway) as port:
        callers = await asyncio.gather(*(ask(port, gateway.key) for _ in range(100)))
        disconnects = gateway.server.painting.disconnects
        await until(lambda: len(disconnects._waiting) == 100)
        for _, writer in callers[:90]:
            writer.close()
        await until(lambda: len(disconnects._waiting) == 10 and not disconnects._graces)
        gateway.engine.release()
        heads = [await reader.readline() for reader, _ in callers[90:]]
        for _, writer in callers[90:]:
            writer.close()
    assert {head.split()[1] for head in heads} == {b"200"}
    assert len(gateway.engine.painted) == 10


async def test_who_leaves_a_call_in_replicates_form_finds_the_prediction_later(open_gateway):
    """A native call without grace would be given up here, as the first test shows."""
    gateway = await open_gateway(leave_grace_s=0)
    gateway.engine.hold()
    asked = {"input": {"prompt": "a red lighthouse by the sea"}}
    async with listening(gateway) as port:
        path = "/v1/models/local/starter/predictions"
        _, writer = await ask(port, gateway.key, path=path, body=asked, Prefer="wait")
        await begun(gateway.engine)
        (one,) = await listed(gateway, 1)
        writer.close()
        await writer.wait_closed()
        gateway.engine.release()
        assert (await finished(gateway, one["generation_id"]))["status"] == "completed"

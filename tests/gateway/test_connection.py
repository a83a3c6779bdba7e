"""What arrives before there is a request, between requests, and after an answer, over real connections."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn

from gateway.http.edge.connection import protocol_of
from gateway.http.edge.connections import ConnectionLimits, Connections, limits_within
from gateway.metrics import Metrics

HEAD_BYTES = 65_536
POST = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Application:
    """Reads a body and answers how long it was, except: `/held` waits for its caller to leave, `/unread` reads nothing,
    `/large` answers with more than any buffer holds."""

    def __init__(self):
        self.left = asyncio.Event()

    async def __call__(self, scope, receive, send):
        if scope["path"] == "/held":
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.set()
        body, more = b"", scope["path"] not in {"/unread", "/held"}
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            body, more = body + message["body"], message["more_body"]
        content = b"x" * 50_000_000 if scope["path"] == "/large" else b"%d" % len(body)
        headers = [(b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


class Served:
    def __init__(self, application, connections, clock, port):
        self.application, self.connections, self.clock, self.port = application, connections, clock, port

    async def open(self, *pieces):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return reader, writer

    async def ask(self, *pieces):
        """Everything that is answered up to the end of the connection."""
        reader, writer = await self.open(*pieces)
        try:
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()

    async def after(self, seconds):
        """The server as it is when these have passed."""
        await asyncio.sleep(0.05)
        self.clock.now += seconds
        self.connections.sweep()

    @property
    def dropped(self):
        lines = self.connections.metrics.written().decode().splitlines()
        counts = [line.split('"') for line in lines if line.startswith("pinxit_connections_dropped_total{")]
        return {why: int(float(count.removeprefix("}"))) for _, why, count in counts}


@asynccontextmanager
async def serving(**bounds):
    limits = ConnectionLimits(**{"most": 50, "most_of_address": 50, **bounds})
    clock, listener = Clock(), socket.create_server(("127.0.0.1", 0))
    connections = Connections(
        limits=limits, seconds=clock, metrics=Metrics(), new_id=lambda kind: f"{kind}_1", types="http://pinxit/errors"
    )
    application = Application()
    config = uvicorn.Config(application, http=protocol_of(connections), ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([listener]))  # without its signal handlers
    yield Served(application, connections, clock, listener.getsockname()[1])
    server.should_exit = True
    await running


def refusal(answered):
    """Status and code of an error in the contract's form."""
    head, _, body = answered.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"x-request-id: req_1" in head
    error = json.loads(body)["error"]
    assert int(head.split()[1]) == error["status"]
    assert error["request_id"] == "req_1"
    return error["status"], error["code"]


@pytest.mark.parametrize(
    ("pieces", "length"),
    [
        ([b"GET / HTTP/1.1\r\nConnection: close\r\nX: ", *[b"a" * 10_000] * 6, b"\r\n\r\n"], b"0"),
        ([b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n", b"a" * 200_000], b"200000"),
        ([b"POST / HTTP/1.1\r\nConnection: close\r\n" + CHUNKED[17:], b"1\r\na\r\n" * 30_000, b"0\r\nT: x\r\n\r\n"], b"30000"),
        ([b"GET / HTTP/1.1\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n"], b"0"),
    ],
    ids=["head", "body", "small chunks", "upgrade"],
)  # fmt: skip
async def test_what_is_within_the_bounds_is_answered(pieces, length):
    async with serving() as served:
        answered = await served.ask(*pieces)
        assert answered.startswith(b"HTTP/1.1 200")
        assert answered.endswith(b"\r\n\r\n" + length)
        assert served.dropped == {}


@pytest.mark.parametrize(
    ("pieces", "status", "code"),
    [
        ([b"GET / HTTP/1.1\r\nX: ", b"a" * HEAD_BYTES], 431, "head_too_large"),
        ([b"GET /", b"a" * HEAD_BYTES], 431, "head_too_large"),
        ([b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 9000], 431, "head_too_large"),
        ([b"\x16\x03\x01 is TLS\r\n\r\n"], 400, "invalid_http"),
        ([b"GET http:// HTTP/1.1\r\n\r\n"], 400, "invalid_http"),
        ([CHUNKED, b"zz\r\n"], 400, "invalid_http"),
        ([CHUNKED, b"1\r\na\r\n0\r\n", *[b"A: b\r\n" * 2000] * 20], 400, "invalid_http"),
        ([CHUNKED, b"1\r\na\r\n0\r\nT: ", *[b"a" * 10_000] * 20], 400, "invalid_http"),
        ([CHUNKED, b"1;", *[b"a" * 10_000] * 20], 400, "invalid_http"),
        ([CHUNKED, *[b"1;" + b"a" * 10_000 + b"\r\na\r\n"] * 20], 400, "invalid_http"),
    ],
    ids=["value", "url", "many", "tls", "no host", "chunk", "trailers", "trailer", "extension", "extensions"],
)
async def test_what_is_malformed_or_without_end_is_refused_in_the_contracts_form(pieces, status, code):
    async with serving() as served:
        assert refusal(await served.ask(*pieces)) == (status, code)
        assert sum(served.dropped.values()) == 1


@pytest.mark.parametrize(
    "rest",
    [b"zz\r\n", b"0" * 70_000, b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 12_000],
    ids=["chunk", "size", "trailers"],
)
async def test_what_comes_wrong_after_the_answer_gets_no_second_one(rest):
    """A proxy would hand it to its next caller."""
    async with serving() as served:
        reader, writer = await served.open(CHUNKED.replace(b" / ", b" /unread "))
        answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n0"), 20)
        assert answered.startswith(b"HTTP/1.1 200")
        with suppress(ConnectionError):
            writer.write(rest)
            await writer.drain()
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


async def test_a_trailer_is_no_header_and_is_not_kept():
    async with serving() as served:
        reader, writer = await served.open(CHUNKED.replace(b" / ", b" /held "), b"0\r\nAuthorization: x\r\n")
        await served.after(1)
        (held,) = served.connections._open
        assert [name for name, _ in held.scope["headers"]] == [b"transfer-encoding"]
        writer.close()
        await asyncio.wait_for(served.application.left.wait(), 10)
        assert await reader.read() == b""


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([], None),
        ([b"\r\n\r\n\r\n"], None),
        ([b"GET / HTTP/1.1\r\nX: a\r\n"], "request_timeout"),
        ([POST % 100, b"half"], "request_timeout"),
    ],
    ids=["silent", "blank lines", "half a head", "half a body"],
)
async def test_what_does_not_go_on_is_closed(pieces, code):
    async with serving() as served:
        asking = asyncio.create_task(served.ask(*pieces))
        await served.after(29)
        assert not asking.done()
        await served.after(3)
        answered = await asking
        assert (refusal(answered)[1] if code else answered) == (code or b"")
        await served.after(3)
        await asyncio.sleep(0.05)
        assert len(served.connections) == 0


async def test_a_slow_upload_that_goes_on_is_read_to_its_end():
    async with serving() as served:
        reader, writer = await served.open(POST % 200_000)
        for _ in range(10):
            writer.write(b"a" * 20_000)
            await writer.drain()
            await served.after(25)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize(("pieces", "seconds"), [([b"a" * 60_000] * 40, 0), ([b"a"], 31)], ids=["bytes", "time"])
async def test_a_body_that_no_route_reads_is_read_only_so_long_after_its_answer(pieces, seconds):
    async with serving(linger_bytes=100_000) as served:
        reader, writer = await served.open((POST % 10_000_000).replace(b" / ", b" /unread "))
        assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
        writer.writelines(pieces)
        await served.after(seconds)
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
        assert served.dropped == {"unread_body": 1}


async def test_an_answer_that_nobody_reads_is_given_up():
    async with serving() as served:
        _, writer = await served.open(b"GET /large HTTP/1.1\r\n\r\n")
        await served.after(1)
        await served.after(1)
        assert len(served.connections) == 1
        await served.after(61)
        await asyncio.sleep(0.05)
        assert len(served.connections) == 0
        writer.close()


async def test_requests_sent_ahead_are_few_and_who_leaves_behind_them_is_noticed():
    async with serving() as served:
        held = b"GET /held HTTP/1.1\r\n\r\n"
        _, writer = await served.open(held + b"GET / HTTP/1.1\r\n\r\n" * 3)
        await served.after(0)
        writer.close()
        await asyncio.wait_for(served.application.left.wait(), 10)  # also with others behind it
        assert await served.ask(held + b"GET / HTTP/1.1\r\n\r\n" * 1000) == b""
        assert served.dropped == {"pipeline_too_long": 1}


async def test_silent_connections_give_way_and_the_last_place_is_refused():
    async with serving(most=3, most_of_address=3) as served:
        silent = [await served.open() for _ in range(3)]
        held = [await served.open(b"GET /held HTTP/1.1\r\n\r\n") for _ in range(3)]
        await served.after(0)
        assert [await reader.read() for reader, _ in silent] == [b""] * 3
        assert refusal(await served.ask()) == (503, "overloaded")
        assert served.dropped == {"made_room": 3, "address_full": 1}
        for _, writer in silent + held:
            writer.close()
        await served.after(0)
        assert (await served.ask(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert len(served.connections) == 0


async def test_one_address_does_not_take_all_places():
    async with serving(most=3, most_of_address=2) as served:
        asked = b"GET /held HTTP/1.1\r\n\r\n"
        kept = [await served.open(asked), await served.open(), await served.open(asked)]  # the second gives way
        await served.after(0)
        assert refusal(await served.ask()) == (503, "overloaded")
        assert (served.dropped, len(served.connections)) == ({"made_room": 1, "address_full": 1}, 2)
        for _, writer in kept:
            writer.close()


@pytest.mark.parametrize(
    ("descriptors", "most", "expected"),
    [(256, 2000, 192), (1024, 2000, 768), (1_048_576, 2000, 2000), (-1, 2000, 2000), (70, 2000, 6), (10, 5, 1)],
)
def test_connections_are_held_to_the_descriptors_with_a_reserve(descriptors, most, expected):
    assert limits_within(descriptors, most=most, shares_addresses=True).most == expected
    assert limits_within(descriptors, most=most, shares_addresses=False).most_of_address == max(1, expected // 2)

"""What arrives before there is a request."""

import asyncio
import socket

import pytest
import uvicorn

from gateway.cli.connection import MAX_HEAD_BYTES, Connection


async def application(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def port():
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, http=Connection, lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve([listener]))  # without its signal handlers
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def first_line(port, *pieces):
    """What is answered to a request that is sent in pieces."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    line = await reader.readline()
    writer.close()
    return line


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET / HTTP/1.1\r\nX: ", *[b"a" * 10_000] * 6, b"\r\n\r\n"],
        [b"POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n", b"a" * 200_000],
    ],
    ids=["head", "body"],
)
async def test_a_head_within_the_limit_and_any_body_are_read(port, pieces):
    assert (await first_line(port, *pieces)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "start",
    [b"GET / HTTP/1.1\r\nX: ", b"GET /", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 9000],
    ids=["value", "url", "many"],
)
async def test_a_head_without_end_is_hung_up_on(port, start):
    assert (await first_line(port, start, b"a" * MAX_HEAD_BYTES)).startswith(b"HTTP/1.1 400")

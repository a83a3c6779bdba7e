"""Real receivers on loopback, each with one habit, and what the guard needs to be watched."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

import httpcore2
import pytest

from gateway.webhooks import Destinations


@dataclass
class Received:
    """One request as it came over the wire."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server on loopback that writes down what it gets."""

    port: int
    requests: list[Received] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)

    def url(self, *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hook"


Habit = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Receivers:
    """Starts receivers, which live as long as the test."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def acting(self, habit: Habit, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Receiver:
        return await self._stack.enter_async_context(_receiving(habit, host, context))

    async def answering(self, raw: bytes, **where: object) -> Receiver:
        async def habit(writer: asyncio.StreamWriter) -> None:
            writer.write(raw)
            await writer.drain()

        return await self.acting(habit, **where)

    async def with_status(self, status: str, *headers: str, body: bytes = b"", **where: object) -> Receiver:
        head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""])
        return await self.answering(head.encode() + body, **where)

    async def in_turn(self, *statuses: str) -> Receiver:
        """One status for each request; the last one stays."""
        left = list(statuses)

        async def habit(writer: asyncio.StreamWriter) -> None:
            status = left.pop(0) if len(left) > 1 else left[0]
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()

        return await self.acting(habit)

    async def silent(self) -> Receiver:
        async def habit(_writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        return await self.acting(habit)

    async def resetting(self) -> Receiver:
        async def habit(writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        return await self.acting(habit)


@asynccontextmanager
async def _receiving(habit: Habit, host: str, context: ssl.SSLContext | None) -> AsyncIterator[Receiver]:
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        serving.add(task)
        try:
            receiver.requests.append(await _read_request(reader))
            await habit(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            serving.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=context)
    receiver = Receiver(port=server.sockets[0].getsockname()[1])
    if context is not None:
        context.sni_callback = lambda _socket, name, _context: receiver.server_names.append(name)
    try:
        yield receiver
    finally:
        server.close()
        for task in tuple(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(target=first.split()[1], headers=headers, body=body)


class CountingBackend(httpcore2.AsyncNetworkBackend):
    """Opens real sockets, on loopback alone, and remembers where to."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):  # noqa: ASYNC109
        self.opened.append(host)
        if host not in {"127.0.0.1", "127.0.0.9", "::1"}:
            raise httpcore2.ConnectError(f"the test does not go to {host}")
        return await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    async with AsyncExitStack() as stack:
        yield Receivers(stack)


@pytest.fixture
def sockets() -> CountingBackend:
    return CountingBackend()


@pytest.fixture
def public_only() -> Destinations:
    return Destinations()


@pytest.fixture
def local() -> Destinations:
    return Destinations(allow_loopback=True)


@pytest.fixture
def with_private_network() -> Destinations:
    return Destinations(allowed_networks=(ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))

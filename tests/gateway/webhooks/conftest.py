"""Real receivers on loopback, each with one habit; what the guard needs to be watched; an outbox and its loop.

Time is a hand that the test moves; nothing sleeps through a schedule.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import httpcore2
import pytest
from sqlalchemy import RowMapping, select

from gateway.webhooks import Deliveries, Destinations, Dispatcher, RecordingSender, RetrySchedule
from gateway.webhooks.destination import host_of
from storage import Database, Endpoint, Event, Target
from storage.accounts import add_account
from storage.deliveries import add_delivery
from storage.endpoints import add_endpoint
from storage.events import add_event
from storage.webhook_tables import deliveries

SECRET = "whsec_" + "c2VjcmV0" * 4


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


@dataclass
class Hand:
    """A clock that the test moves."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Hand:
    return Hand(datetime.now(UTC))


def endpoint_at(url: str, **others: object) -> Endpoint:
    """Of account `a`, wanting everything."""
    given = {
        "id": "we_1",
        "account_id": "a",
        "url": url,
        "events": frozenset({"*"}),
        "description": "",
        "metadata": {},
        "secret": SECRET,
        "created_at": datetime(2026, 11, 21, 12, tzinfo=UTC),
    }
    return Endpoint(**(given | others))


@pytest.fixture
async def outbox(database, clock) -> Callable[..., "asyncio.Future[None]"]:
    """Put an event into the outbox, as the end of a generation does: for an address of its own, or an endpoint."""
    async with database.writing() as transaction:
        await add_account(transaction, id="a", name="home", plan="owner", webhook_secret=SECRET, now=clock())

    async def add(event_id: str, url: str = "https://hooks.example/", *, endpoint_id: str | None = None) -> None:
        body = f'{{"id":"{event_id}"}}'.encode()
        event = Event(
            id=event_id, account_id="a", subject_id=event_id, type="generation.completed", body=body, created_at=clock()
        )  # fmt: skip
        target = Target(url=url, host=host_of(url), endpoint_id=endpoint_id)
        async with database.writing() as transaction:
            await add_event(transaction, event)
            await add_delivery(transaction, f"dlv_{event_id}", event, target)

    return add


@pytest.fixture
def add_endpoint_at(database, outbox) -> Callable[..., "asyncio.Future[None]"]:
    async def add(url: str, **others: object) -> None:
        async with database.writing() as transaction:
            await add_endpoint(transaction, endpoint_at(url, **others))

    return add


@pytest.fixture
def running(database, clock):
    """The loop at work with a sender; it looks only when it is woken."""

    @asynccontextmanager
    async def start(
        sender, *, on: Database | None = None, schedule: RetrySchedule | None = None, **options: object
    ) -> AsyncIterator[Deliveries]:
        where, schedule = on or database, schedule or RetrySchedule()
        dispatcher = Dispatcher(database=where, sender=sender, clock=clock, chance=lambda: 0.5, schedule=schedule)
        settings = {"poll_s": 3600.0, **options}
        loop = Deliveries(database=where, dispatcher=dispatcher, clock=clock, seconds=clock.seconds, **settings)
        task = asyncio.create_task(loop.run())
        yield loop
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    return start


async def until(claim: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(60):
        while not await claim():  # noqa: ASYNC110 - what is waited for is a row of the database
            await asyncio.sleep(0.002)


async def waiting(database: Database) -> list[RowMapping]:
    """The deliveries that are still to be made, the next one first."""
    query = select(deliveries).where(deliveries.c.due_at.is_not(None)).order_by(deliveries.c.due_at)
    async with database.reading() as connection:
        return list((await connection.execute(query)).mappings())


async def settled(database: Database, count: int) -> list[RowMapping]:
    """Wait until `count` deliveries are left in the outbox."""

    async def is_settled() -> bool:
        return len(await waiting(database)) == count

    await until(is_settled)
    return await waiting(database)


async def attempted(database: Database, attempts: int) -> RowMapping:
    """Wait until the delivery that waits longest has failed `attempts` times."""

    async def has_failed() -> bool:
        return (await waiting(database))[0].attempts == attempts

    await until(has_failed)
    return (await waiting(database))[0]


async def sent(sender: RecordingSender, count: int) -> None:
    """Wait until `sender` was handed `count` messages."""

    async def was_handed() -> bool:
        return len(sender.sent) == count

    await until(was_handed)


async def resting(loop: Deliveries) -> None:
    """Wait until the loop has found nothing more to do, and waits to be woken."""

    async def has_paused() -> bool:
        return bool(loop._woken._waiters)

    await until(has_paused)

"""Server-sent events read from an application as they come, by a reader that may be slow or leave."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PATIENCE_S = 60


@dataclass(frozen=True)
class Heard:
    """One event; `mark` is its id as numbers."""

    name: str
    id: str
    data: dict[str, Any]

    @property
    def mark(self) -> tuple[int, ...]:
        return tuple(map(int, self.id.split(".")))


@dataclass
class Reading:
    """One open stream. While `pauses` nothing more is taken from it."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    comments: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._open.set()

    def pause(self) -> None:
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    def leave(self) -> None:
        self._left.set()

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.heard]

    async def until(self, name: str, *, times: int = 1) -> Heard:
        """Wait for an event of this name."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: self.names.count(name) >= times)
        return [event for event in self.heard if event.name == name][times - 1]

    async def receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        await self._open.wait()
        async with self._news:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            else:
                self._read(message["body"].decode())
            self._news.notify_all()

    def _read(self, text: str) -> None:
        if text.startswith(":"):
            self.comments += 1
        elif text.startswith(("event:", "id:", "data:")):
            lines = dict(line.split(": ", 1) for line in text.strip().split("\n"))
            self.heard.append(Heard(lines.get("event", ""), lines.get("id", ""), json.loads(lines["data"])))


@asynccontextmanager
async def reading(app: Any, path: str, *, query: str = "", **headers: str) -> AsyncIterator[Reading]:
    """Open the stream at `path`; it is left at the end of the block."""
    stream = Reading()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }

    async def run() -> None:
        await app(scope, stream.receive, stream.send)
        stream.over.set()

    answering = asyncio.create_task(run())
    try:
        yield stream
        stream.leave()
        async with asyncio.timeout(PATIENCE_S):
            await answering
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def read_to_the_end(app: Any, path: str, *, query: str = "", **headers: str) -> Reading:
    async with reading(app, path, query=query, **headers) as stream, asyncio.timeout(PATIENCE_S):
        await stream.over.wait()
    return stream

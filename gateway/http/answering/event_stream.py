"""Server-sent events (HTML standard, section 9.2): their form on the wire, a sign of life in between, and one response.

What is sent waits for who reads it, so events must be made one by one, when they are asked for.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import StreamingResponse
from starlette.types import Send

HEARTBEAT = b": still here\n\n"
MEDIA_TYPE = "text/event-stream"
# No cache and no proxy on the way may hold events back or put them into another form.
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


def written_event(content: str, *, name: str | None = None, id: str | None = None) -> bytes:
    """`content` is JSON: one line."""
    lines = [f"event: {name}"] if name else []
    lines += [f"id: {id}"] if id else []
    return "\n".join([*lines, f"data: {content}", "", ""]).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """A comment after each `heartbeat_s` without an event. When `stopping` is set the stream ends with `farewell`."""

    heartbeat_s: float
    stopping: asyncio.Event
    farewell: bytes = b""


async def with_heartbeats(events: AsyncGenerator[bytes], keep_alive: KeepAlive) -> AsyncGenerator[bytes]:
    """The events, and signs of life in between: whatever stands between sees that the connection lives."""
    stopping = asyncio.ensure_future(keep_alive.stopping.wait())
    async with aclosing(events):
        try:
            while True:
                coming = asyncio.ensure_future(anext(events, None))
                try:
                    while not coming.done() and not stopping.done():
                        await asyncio.wait(
                            (coming, stopping), timeout=keep_alive.heartbeat_s, return_when=asyncio.FIRST_COMPLETED
                        )
                        if not coming.done() and not stopping.done():
                            yield HEARTBEAT
                finally:
                    coming.cancel()  # nothing, if it has come
                    await asyncio.wait({coming})
                if coming.cancelled():
                    if keep_alive.farewell:
                        yield keep_alive.farewell
                    return
                if (event := coming.result()) is None:
                    return
                yield event
        finally:
            stopping.cancel()


class EventStream(StreamingResponse):
    """Sends events until they end, the server stops or the caller leaves; in each case they are closed at once."""

    media_type = MEDIA_TYPE

    def __init__(self, events: AsyncGenerator[bytes], keep_alive: KeepAlive) -> None:
        self._chunks = with_heartbeats(events, keep_alive)
        super().__init__(self._chunks, headers=HEADERS)

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._chunks):
            await super().stream_response(send)

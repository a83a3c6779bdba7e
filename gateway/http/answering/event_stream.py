"""Server-sent events (HTML standard, section 9.2): their form on the wire, a sign of life in between, and one response.

What is sent waits for who reads it, so events must be made one by one, when they are asked for.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

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


async def with_heartbeats(events: AsyncGenerator[bytes], *, every_s: float) -> AsyncGenerator[bytes]:
    """A comment after each `every_s` without an event: whatever stands between sees that the connection lives."""
    async with aclosing(events):
        while True:
            coming = asyncio.ensure_future(anext(events, None))
            try:
                while not (await asyncio.wait({coming}, timeout=every_s))[0]:
                    yield HEARTBEAT
            finally:
                coming.cancel()  # nothing, if it has come
                await asyncio.wait({coming})
            if (event := coming.result()) is None:
                return
            yield event


class EventStream(StreamingResponse):
    """Sends events until they end or the caller leaves; either way they are closed at once."""

    media_type = MEDIA_TYPE

    def __init__(self, events: AsyncGenerator[bytes], *, heartbeat_s: float) -> None:
        self._chunks = with_heartbeats(events, every_s=heartbeat_s)
        super().__init__(self._chunks, headers=HEADERS)

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._chunks):
            await super().stream_response(send)

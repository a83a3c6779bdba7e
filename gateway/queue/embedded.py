"""The queue of one process: an event."""

import asyncio
from contextlib import suppress


class EmbeddedQueue:
    """Wakes the worker of the same process."""

    def __init__(self) -> None:
        self._announced = asyncio.Event()

    async def announce(self, generation_id: str) -> None:  # noqa: ARG002 - the worker asks the database which
        self._announced.set()

    def nudge(self) -> None:
        self._announced.set()

    async def wait(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._announced.wait()
        self._announced.clear()

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
            await asyncio.wait_for(self._announced.wait(), timeout_s)
        self._announced.clear()

    async def close(self) -> None:
        self._announced.set()

"""Callers who leave before their picture is there: what nobody waits for any more is canceled, after a grace."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from gateway.access import Caller
from gateway.generations.ending.cancel import AlreadyFinished, Cancel
from gateway.generations.showing.fetch import GenerationUnknown
from models import Failed

log = structlog.get_logger()

LOOK_AGAIN_S = 1.0


class Disconnects:
    """Knows who waits in this process, and gives those who left `grace_s` seconds to come back.

    A generation stays as long as anybody waits for the same painting: in this call or another, or by a generation of their
    own that nobody has left. A restart forgets who left: then the painting goes on.
    """

    def __init__(self, cancel: Cancel, *, grace_s: float) -> None:
        self._cancel = cancel
        self._grace_s = grace_s
        self._waiting: Counter[str] = Counter()
        self._abandoned: Counter[str] = Counter()
        self._graces: set[asyncio.Task[None]] = set()

    @contextmanager
    def waiting(self, generation_id: str) -> Iterator[None]:
        """Somebody waits for it inside."""
        self._waiting[generation_id] += 1
        try:
            yield
        finally:
            self._waiting[generation_id] -= 1
            if not self._waiting[generation_id]:
                del self._waiting[generation_id]

    def left(self, caller: Caller, generation_id: str) -> None:
        """Somebody has left; returns at once."""
        grace = asyncio.create_task(self._after_grace(caller, generation_id), name=f"grace of {generation_id}")
        self._graces.add(grace)
        grace.add_done_callback(self._graces.discard)

    async def close(self) -> None:
        """Cancel nothing any more."""
        for grace in self._graces:
            grace.cancel()
        await asyncio.gather(*self._graces, return_exceptions=True)

    async def _after_grace(self, caller: Caller, generation_id: str) -> None:
        await asyncio.sleep(self._grace_s)
        self._abandoned[generation_id] += 1
        try:
            with suppress(AlreadyFinished, GenerationUnknown):
                while await self._is_wanted(generation_id):  # noqa: ASYNC110 - another process rings no bell
                    await asyncio.sleep(LOOK_AGAIN_S)
                if generation_id not in self._waiting:
                    await self._cancel(caller, generation_id)
        except Failed as unavailable:
            log.warning("abandoned and not canceled", generation=generation_id, reason=unavailable.message)
        finally:
            self._abandoned -= Counter([generation_id])

    async def _is_wanted(self, generation_id: str) -> bool:
        """Somebody shares its painting who has not left; who came back to it themselves ends the question."""
        if generation_id in self._waiting:
            return False
        together = await self._cancel.fetch.together(generation_id)
        return generation_id in together and not together <= self._abandoned.keys()

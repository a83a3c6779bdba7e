"""Passing faults are waited for: the store, the database, or room on the machine. What was done already stays done."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from models import MachineShort
from storage import BlobUnavailable, StoreUnavailable

T = TypeVar("T")

PASSING = (BlobUnavailable, StoreUnavailable, MachineShort)
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0)
"""Between ten tries, four minutes in all."""
BEAT_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Tries again after each of `waits_s` seconds."""

    waits_s: tuple[float, ...] = WAITS_S

    async def __call__(
        self, work: Callable[[], Awaitable[T]], *, generation_id: str, beat: Callable[[], object] = lambda: None
    ) -> T:
        """What `work` returns in the end. While it waits it beats, so that the claim is kept.

        Raises:
            Failed: BlobUnavailable, StoreUnavailable, MachineShort, from the last try; anything else at once.
        """
        for wait_s in self.waits_s:
            try:
                return await work()
            except PASSING as failure:
                reason = str(failure.__cause__ or failure)
                log.warning("tried again later", generation=generation_id, wait_s=wait_s, reason=reason)
            await _rest(wait_s, beat)
        return await work()


async def _rest(wait_s: float, beat: Callable[[], object]) -> None:
    left_s = wait_s
    while left_s > 0:
        beat()
        await asyncio.sleep(min(BEAT_S, left_s))
        left_s -= BEAT_S

"""Claims generations while it has free slots and runs them. The same code serves alone and beside other machines.

What is claimed next is decided by `gateway.fairness`; two workers that share a database are each fair by themselves.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from gateway.fairness import Fairness
from gateway.generations.run import Runner
from gateway.queue import GenerationQueue
from models import Failed, PaintingBroken
from storage import Database, Generation, StoreUnavailable
from storage.generations import candidates, claim, release_leases

log = structlog.get_logger()


@dataclass(kw_only=True)
class Worker:
    """`slots` is how many pictures the engine holds at a time; `poll_s` how often the database is asked unasked.

    A generation takes as many slots as it has pictures, until all of them are done.
    """

    database: Database
    queue: GenerationQueue
    run: Runner
    owner: str
    slots: int
    lease_s: float
    poll_s: float
    fairness: Fairness = field(default_factory=Fairness)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])
    _taken: dict[str, int] = field(default_factory=dict[str, int])

    async def work(self) -> None:
        """Claim and run until cancelled; what is running then is left to the next start."""
        try:
            while True:
                await self._fill()
                await self.queue.wait(self.poll_s)
        finally:
            for running in self._running.values():
                running.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def adopt_orphans(self) -> int:
        """Put back what a former process of this single-process installation left claimed."""
        async with self.database.writing() as transaction:
            return await release_leases(transaction)

    async def stop(self, generation_id: str) -> None:
        """Stop painting this generation between two steps, if it is painted here; returns when it has let go."""
        running = self._running.get(generation_id)
        if running is not None:
            running.cancel()
            await asyncio.wait([running])

    async def _fill(self) -> None:
        """Start what there is room for."""
        if sum(self._taken.values()) >= self.slots:
            return
        try:
            claimed = await self._claimed()
        except Failed as unavailable:
            log.warning("could not claim", reason=unavailable.message)
            return
        for generation in claimed:
            running = asyncio.create_task(self._guarded(generation), name=generation.id)
            self._running[generation.id] = running
            self._taken[generation.id] = generation.picture_count
            running.add_done_callback(lambda done: self._freed(done.get_name()))

    async def _claimed(self) -> list[Generation]:
        """Claim one after the other, all in one transaction; whose turn is next only counts once that is committed."""
        claimed: list[Generation] = []
        fairness, taken = self.fairness, sum(self._taken.values())
        async with self.database.writing() as transaction:
            while choice := fairness.choose(
                await candidates(transaction), free=self.slots - taken, is_idle=not self._running and not claimed
            ):
                chosen, following = choice
                generation = await claim(transaction, chosen.number, owner=self.owner, lease_s=self.lease_s)
                if generation is not None:  # else it was cancelled meanwhile, and is no candidate any more
                    claimed.append(generation)
                    fairness, taken = following, taken + generation.picture_count
        self.fairness = fairness
        return claimed

    def _freed(self, generation_id: str) -> None:
        self._running.pop(generation_id, None)
        self._taken.pop(generation_id, None)
        self.queue.nudge()

    async def _guarded(self, generation: Generation) -> None:
        """Without the database nobody can say how it ended: it stays claimed, its lease lapses, it is run again."""
        try:
            await self._contained(generation)
        except StoreUnavailable as unavailable:
            log.warning("left to its lease", generation=generation.id, reason=unavailable.message)

    async def _contained(self, generation: Generation) -> None:
        """The edge around one generation: whatever goes wrong in it stays in it."""
        try:
            await self.run(generation)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("painting broke", generation=generation.id)
            await self.run.failed(generation, PaintingBroken("The picture could not be painted."))

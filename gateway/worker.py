"""Claims generations while it has free slots and runs them. The same code serves alone and beside other machines.

What is claimed next is decided by `gateway.fairness`; two workers that share a database are each fair by themselves.
A suspect, which was painted when a server died, runs alone and after the others; see `storage.lost_claims`.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from gateway.cancellation import unbroken
from gateway.fairness import Fairness
from gateway.generations.painting.run import Runner
from gateway.queue import GenerationQueue
from models import Failed, PaintingBroken, PaintingCrashed
from storage import LESS_URGENT_EVERY, Candidate, Database, Generation, StoreUnavailable, Transaction
from storage.generations import candidates, claim
from storage.lost_claims import Lost, deaths, give_back, is_suspect, take_back

log = structlog.get_logger()


@dataclass(kw_only=True)
class Worker:
    """`slots` is how many pictures the engine holds at a time; `poll_s` how often the database is asked unasked.

    A generation takes as many slots as it has pictures, until all of them are done. `owner` names this run of this
    process and no other.
    """

    database: Database
    queue: GenerationQueue
    run: Runner
    owner: str
    slots: int
    lease_s: float
    poll_s: float
    fairness: Fairness = field(default_factory=Fairness)
    _suspects: dict[int, Candidate] = field(default_factory=dict[int, Candidate])
    _passed_suspects: int = 0
    _running: dict[asyncio.Task[None], Generation] = field(default_factory=dict[asyncio.Task[None], Generation])

    async def work(self) -> None:
        """Claim and run until cancelled; what is running then is queued again, and painted by the next start."""
        try:
            while True:
                await self._fill()
                await self.queue.wait(self.poll_s)
        finally:
            for running in self._running:
                running.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            await unbroken(self.give_back())

    async def adopt_orphans(self) -> int:
        """Take back what a former process of this single-process installation held when it died; how many that were."""
        async with self.database.writing() as transaction:
            lost = await take_back(transaction, owner=self.owner, only_lapsed=False)
        await self._end_guilty(lost)
        return lost.requeued + len(lost.guilty)

    async def give_back(self) -> None:
        """Queue again what this worker has claimed. Nothing that it still does is published after that."""
        try:
            async with self.database.writing() as transaction:
                await give_back(transaction, owner=self.owner)
        except StoreUnavailable as unavailable:
            log.warning("what was being painted looks lost to the next start", reason=unavailable.message)

    async def _end_guilty(self, lost: Lost) -> None:
        for generation in lost.guilty:
            crashed = PaintingCrashed("The server stopped each time it painted this picture; it is not tried again.")
            await self.run.failed(generation, crashed)

    def halt(self, painting_id: str) -> None:
        """Stop this painting between two steps, if it is painted here; see `let_go`."""
        for running in self._painting(painting_id):
            running.cancel()

    async def let_go(self, painting_id: str) -> None:
        """Return when nobody here works any more on a painting that was halted; at once for one that goes on."""
        if halted := [running for running in self._painting(painting_id) if running.cancelling()]:
            await asyncio.wait(halted)

    def _painting(self, painting_id: str) -> list[asyncio.Task[None]]:
        return [running for running, generation in self._running.items() if generation.painting_id == painting_id]

    async def _fill(self) -> None:
        """Start what there is room for."""
        if _pictures_of(self._running.values()) >= self.slots or self._is_trying_a_suspect:
            return
        try:
            claimed = await self._claimed()
        except Failed as unavailable:
            log.warning("could not claim", reason=unavailable.message)
            return
        for generation in claimed:
            running = asyncio.create_task(self._guarded(generation), name=generation.id)
            self._running[running] = generation
            running.add_done_callback(self._freed)

    async def _claimed(self) -> list[Generation]:
        """Claim one after the other, all in one transaction; whose turn is next only counts once that is committed.

        What runs here is never claimed again, even where its lease has lapsed while the database was away: it would
        be painted twice at a time.
        """
        claimed: list[Generation] = []
        fairness, running = self.fairness, tuple(self._running.values())
        async with self.database.writing() as transaction:
            lost = await take_back(transaction, owner=self.owner, besides=[one.number for one in running])
            while not self._is_a_suspects_turn and (
                choice := fairness.choose(
                    await self._candidates(transaction, [*running, *claimed]),
                    free=self.slots - _pictures_of([*running, *claimed]),
                    is_idle=not running and not claimed,
                )
            ):
                chosen, following = choice
                generation = await claim(transaction, chosen.number, owner=self.owner, lease_s=self.lease_s)
                if generation is not None:  # else it was cancelled meanwhile, and is no candidate any more
                    claimed.append(generation)
                    fairness = following
                    self._passed_suspects += bool(self._suspects)
            if not running and not claimed:
                claimed = await self._claimed_suspect(transaction)
        self.fairness = fairness
        await self._end_guilty(lost)
        return claimed

    async def _candidates(self, transaction: Transaction, taken: list[Generation]) -> list[Candidate]:
        """Those that are no suspects; suspects are remembered, so that they hide nobody behind them."""
        while True:
            besides = [*(one.number for one in taken), *self._suspects]
            found = await candidates(transaction, besides=besides)
            suspects = {one.number: one for one in found if is_suspect(one.failures)}
            if not suspects:
                return found
            self._suspects |= suspects

    async def _claimed_suspect(self, transaction: Transaction) -> list[Generation]:
        """One of them, to run alone: who has died least often goes first."""
        while self._suspects:
            number = min(self._suspects, key=lambda number: (deaths(self._suspects[number].failures), number))
            del self._suspects[number]
            generation = await claim(transaction, number, owner=self.owner, lease_s=self.lease_s)
            if generation is not None:  # else it was cancelled meanwhile, or another server has it
                self._passed_suspects = 0
                log.warning("painted alone, for a server died of it before", generation=generation.id)
                return [generation]
        return []

    @property
    def _is_trying_a_suspect(self) -> bool:
        return any(is_suspect(generation.failures) for generation in self._running.values())

    @property
    def _is_a_suspects_turn(self) -> bool:
        """Others have been claimed before them often enough: now they wait until nothing runs."""
        return bool(self._suspects) and self._passed_suspects >= LESS_URGENT_EVERY

    @property
    def busy_slots(self) -> int:
        return _pictures_of(self._running.values())

    def _freed(self, done: asyncio.Task[None]) -> None:
        del self._running[done]
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


def _pictures_of(generations: Iterable[Generation]) -> int:
    return sum(generation.picture_count for generation in generations)

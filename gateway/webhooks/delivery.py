"""Draining the outbox: every event reaches its receivers or runs out of attempts, across restarts.

The database is the truth. A delivery stays due until its attempt is recorded, so one that is cut short by a stop is
made again: receivers see an event at least once, always with the same id and the same bytes. Several servers may
drain one database: each claims what it sends, for as long as an attempt can take.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from gateway.cancellation import unbroken
from gateway.clock import Clock
from gateway.webhooks.circuits import MAX_AT_ONCE, Circuits
from gateway.webhooks.dispatching import Dispatcher
from storage import Database, Delivery, DueDelivery, StoreUnavailable
from storage.deliveries import claim_deliveries, due, forget_deliveries, release_all_deliveries, release_delivery

PAGE = 64
LEASE_S = 30.0  # an attempt takes 15 s at most
SWEEP_EVERY_S = 3600.0
KEPT_FOR = timedelta(days=30)

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Deliveries:
    """The loop that delivers. `wake` tells it of a new event; without, it looks by itself every `poll_s` seconds.

    `seconds` is a clock that never jumps.
    """

    database: Database
    dispatcher: Dispatcher
    clock: Clock
    seconds: Callable[[], float]
    poll_s: float = 5.0
    lease_s: float = LEASE_S
    circuits: Circuits = field(init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _running: dict[str, str] = field(default_factory=dict[str, str])
    _swept_at_s: float | None = None

    def __post_init__(self) -> None:
        self.circuits = Circuits(seconds=self.seconds)

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def adopt_orphans(self) -> None:
        """Take back what the last run was sending when it was killed; only where nobody else can be sending."""
        async with self.database.writing() as transaction:
            await release_all_deliveries(transaction)

    async def run(self) -> None:
        """Deliver until cancelled. A slow receiver holds up nobody but itself."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._woken.clear()
                    await self._look(group)
                    await self._pause()
        finally:
            await self.dispatcher.sender.aclose()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.poll_s):  # wait_for of Python 3.11 may lose a cancellation
                await self._woken.wait()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        try:
            await unbroken(self._forget_old())
            while chosen := await self._choose():
                if not await unbroken(self._start(chosen, group)):
                    return
        except StoreUnavailable as gone:
            log.warning("webhooks wait for the database", error=gone.message)

    async def _choose(self) -> list[DueDelivery]:
        """What may start now. Hosts that are busy or resting are looked past, however much waits for them."""
        if len(self._running) >= MAX_AT_ONCE:
            return []
        found = await unbroken(self._due())
        return self.circuits.startable(found, self._running)

    async def _due(self) -> list[DueDelivery]:
        async with self.database.reading() as connection:
            full = self.circuits.full_hosts(self._running)
            return await due(connection, now=self.clock(), but=full, limit=PAGE)

    async def _start(self, chosen: list[DueDelivery], group: asyncio.TaskGroup) -> bool:
        """False when other servers were faster with all of them."""
        async with self.database.writing() as transaction:
            ids = [delivery.id for delivery in chosen]
            claimed = await claim_deliveries(transaction, ids, now=self.clock(), lease_s=self.lease_s)
        for delivery in claimed:
            self._running[delivery.id] = delivery.host
            group.create_task(self._attempt(delivery))
        return bool(claimed)

    async def _attempt(self, delivery: Delivery) -> None:
        try:
            answer = await self.dispatcher.attempt(delivery)
        except StoreUnavailable as gone:
            log.warning("a webhook's attempt was not recorded and is made again", error=gone.message)
        except asyncio.CancelledError:
            await self._let_go(delivery)
            raise
        else:
            self.circuits.heard(delivery.host, answer)
            self.wake()
        finally:
            del self._running[delivery.id]

    async def _let_go(self, delivery: Delivery) -> None:
        """So that the next server need not wait for the lease to run out."""
        with contextlib.suppress(StoreUnavailable):
            async with self.database.writing() as transaction:
                await release_delivery(transaction, delivery)

    async def _forget_old(self) -> None:
        now_s = self.seconds()
        if self._swept_at_s is not None and now_s - self._swept_at_s < SWEEP_EVERY_S:
            return
        async with self.database.writing() as transaction:
            await forget_deliveries(transaction, before=self.clock() - KEPT_FOR)
        self._swept_at_s = now_s

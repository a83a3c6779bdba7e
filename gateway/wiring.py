"""Builds a server on an installation, and orders start and stop."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from gateway.access import MinuteWindows
from gateway.batches import Batches
from gateway.generations import (
    Beginnings,
    Cancel,
    Departures,
    Fetch,
    Pace,
    ProgressBoard,
    PublicUrls,
    Remove,
    Replay,
    Runner,
    Settle,
    Submit,
    Sweeper,
)
from gateway.generations.canonical import Revisions
from gateway.generations.sharing import Sharing
from gateway.generations.watching import Watching
from gateway.identity import new_id
from gateway.image_decoder import ImageDecoder
from gateway.installation import SEEDS, Installation
from gateway.metrics import Metrics
from gateway.queue import EmbeddedQueue
from gateway.webhooks import Courier, Deliveries, Endpoints, History, RetrySchedule, Trial, open_sender
from gateway.worker import Worker
from models import Engine
from storage import StoreUnavailable
from storage.links import Signer

if TYPE_CHECKING:
    from gateway.http import Services

log = structlog.get_logger()

__all__ = ["SEEDS", "Installation", "Server"]


@dataclass(frozen=True, kw_only=True)
class Server:
    """One embedded server: what routes need, and what runs beside them. `base_url` is how callers reach it."""

    installation: Installation
    engine: Engine
    base_url: str
    queue: EmbeddedQueue = field(default_factory=EmbeddedQueue)
    board: ProgressBoard = field(default_factory=ProgressBoard)
    pace: Pace = field(default_factory=lambda: Pace(time.monotonic))
    metrics: Metrics = field(default_factory=Metrics)
    stopped: list[str] = field(default_factory=list[str])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start in order, stop in the opposite one. What is being painted then is painted again at the next start."""
        if self.installation.is_single:
            adopted = await self.worker.adopt_orphans()
            await self.deliveries.adopt_orphans()
            log.info("starting", unfinished_of_the_last_run=adopted)
        self.metrics.watch_engine(self.engine.state, busy_slots=lambda: self.worker.busy_slots)
        await self.engine.start()
        beside = [
            asyncio.create_task(self.worker.work(), name="worker"),
            asyncio.create_task(self.deliveries.run(), name="webhooks"),
            asyncio.create_task(self.sweeper.run(), name="retention"),
            asyncio.create_task(self.installation.reception.last_uses.run(), name="last uses"),
            asyncio.create_task(self.batches.expander.run(), name="batches"),
        ]
        for running in beside:
            running.add_done_callback(self._note_if_broken)
        try:
            yield
        finally:
            await self.departures.close()
            for running in beside:
                running.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.engine.close()
            with suppress(StoreUnavailable):
                await self.installation.reception.last_uses.write()
            await self.installation.database.close()

    def _halt(self, painting_id: str) -> None:
        """The worker is made of what calls this, so it is looked for when it is needed."""
        self.worker.halt(painting_id)

    def _note_if_broken(self, ended: asyncio.Task[None]) -> None:
        """What runs beside the requests ends by being cancelled; any other end is a defect that must not be silent."""
        if not ended.cancelled() and (defect := ended.exception()) is not None:
            self.stopped.append(ended.get_name())
            log.critical("stopped for good; restart the server", what=ended.get_name(), exc_info=defect)

    @cached_property
    def services(self) -> "Services":
        """What the routes are handed."""
        from gateway.http import Services  # noqa: PLC0415 - the command line needs no FastAPI

        inst = self.installation
        return Services(
            settings=inst.settings,
            clock=inst.clock,
            database=inst.database,
            blobs=inst.blobs,
            engine=self.engine,
            catalogue=inst.catalogue,
            styles=inst.styles,
            gatekeeper=inst.reception.gatekeeper,
            windows=MinuteWindows(),
            plans=inst.plans,
            accounts=inst.accounts,
            keys=inst.reception.keys,
            credits=inst.reception.credits,
            destinations=inst.destinations,
            urls=self.urls,
            submit=self.submit,
            fetch=self.fetch,
            variants=inst.variants,
            watching=Watching(fetch=self.fetch, board=self.board, pace=self.pace),
            cancel=self.cancel,
            departures=self.departures,
            beginnings=self.beginnings,
            remove=self.remove,
            metrics=self.metrics,
            provenance=inst.provenance,
            stopped=self.stopped,
            replay=self.replay,
            webhook_endpoints=self.webhook_endpoints,
            webhook_history=History(database=inst.database, clock=inst.clock, wake=self.deliveries.wake),
            webhook_trial=Trial(
                database=inst.database, outbox=inst.outbox, courier=self.deliveries.courier, clock=inst.clock
            ),
            batches=self.batches,
        )

    @cached_property
    def urls(self) -> PublicUrls:
        inst = self.installation
        lifetime_s = inst.settings.image_url_life_s if inst.settings.private_images else None
        return PublicUrls(root=self.base_url, signer=Signer(inst.signing_keys), clock=inst.clock, lifetime_s=lifetime_s)

    @cached_property
    def fetch(self) -> Fetch:
        return Fetch(database=self.installation.database, board=self.board)

    @cached_property
    def beginnings(self) -> Beginnings:
        return Beginnings(fetch=self.fetch, blobs=self.installation.blobs, decoder=ImageDecoder())

    @cached_property
    def submit(self) -> Submit:
        inst = self.installation
        return Submit(
            database=inst.database,
            router=inst.router,
            prompt_filter=inst.prompt_filter,
            plans=inst.plans,
            beginnings=self.beginnings,
            sharing=Sharing(revisions=Revisions(engine=self.engine, catalogue=inst.catalogue)),
            settle=self.settle,
            queue=self.queue,
            pace=self.pace,
            clock=inst.clock,
            new_id=new_id,
            new_seed=lambda: secrets.randbelow(SEEDS),
            max_queued=inst.settings.max_queued,
            retry_within=timedelta(seconds=inst.settings.retry_within_s),
        )

    @cached_property
    def cancel(self) -> Cancel:
        return Cancel(fetch=self.fetch, settle=self.settle)

    @cached_property
    def departures(self) -> Departures:
        return Departures(self.cancel, grace_s=self.installation.settings.leave_grace_s)

    @cached_property
    def remove(self) -> Remove:
        inst = self.installation
        return Remove(
            database=inst.database, blobs=inst.blobs, fetch=self.fetch, settle=self.settle, let_go=self.worker.let_go
        )

    @cached_property
    def sweeper(self) -> Sweeper:
        inst = self.installation
        return Sweeper(database=inst.database, remove=self.remove, beginnings=self.beginnings, clock=inst.clock)

    @cached_property
    def replay(self) -> Replay:
        inst = self.installation
        return Replay(
            submit=self.submit,
            fetch=self.fetch,
            beginnings=self.beginnings,
            styles=inst.styles,
            catalogue=inst.catalogue,
            prompt_filter=inst.prompt_filter,
            clock=inst.clock,
            new_id=new_id,
        )

    @cached_property
    def batches(self) -> Batches:
        return Batches(
            gatekeeper=self.installation.reception.gatekeeper,
            submit=self.submit,
            generations=self.fetch,
            settle=self.settle,
            blobs=self.installation.blobs,
            settings=self.installation.settings,
        )

    @cached_property
    def settle(self) -> Settle:
        from gateway.http.dialects.replicate_answers import prediction_bodies  # noqa: PLC0415 - as above

        return Settle(
            prediction=prediction_bodies(self.urls),
            metrics=self.metrics,
            database=self.installation.database,
            board=self.board,
            urls=self.urls,
            clock=self.installation.clock,
            outbox=self.installation.outbox,
            on_event=self.deliveries.wake,
            halt=self._halt,
        )

    @cached_property
    def worker(self) -> Worker:
        settings = self.installation.settings
        return Worker(
            database=self.installation.database,
            queue=self.queue,
            run=self.runner,
            owner=f"server-{os.getpid()}",
            slots=settings.slots,
            lease_s=settings.lease_s,
            poll_s=settings.poll_s,
        )

    @cached_property
    def runner(self) -> Runner:
        inst = self.installation
        return Runner(
            metrics=self.metrics,
            engine=self.engine,
            database=inst.database,
            blobs=inst.blobs,
            beginnings=self.beginnings,
            settle=self.settle,
            queue=self.queue,
            board=self.board,
            pace=self.pace,
            workspace=inst.settings.data_dir / "work",
            lease_s=inst.settings.lease_s,
        )

    @cached_property
    def webhook_endpoints(self) -> Endpoints:
        inst = self.installation
        return Endpoints(
            database=inst.database,
            destinations=inst.destinations,
            clock=inst.clock,
            new_id=new_id,
            random_bytes=secrets.token_bytes,
            most=inst.settings.webhook_endpoints,
            overlap=timedelta(seconds=inst.settings.webhook_overlap_s),
        )

    @cached_property
    def deliveries(self) -> Deliveries:
        inst, waits = self.installation, self.installation.settings.webhook_retry_s
        courier = Courier(
            metrics=self.metrics,
            database=inst.database,
            sender=open_sender(inst.destinations),
            clock=inst.clock,
            chance=secrets.SystemRandom().random,
            schedule=RetrySchedule() if waits is None else RetrySchedule(delays_s=waits),
        )
        return Deliveries(database=inst.database, courier=courier, clock=inst.clock, seconds=time.monotonic)

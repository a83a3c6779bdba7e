"""The only place that builds objects, and that orders start and stop."""

import asyncio
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from gateway.access import Gatekeeper, MinuteWindows, Plans, load_plans
from gateway.accounts import Accounts
from gateway.clock import Clock, utc_now
from gateway.generations import Fetch, Pace, ProgressBoard, PublicUrls, Remove, Runner, Settle, Submit
from gateway.identity import new_id, random_base62
from gateway.queue import EmbeddedQueue
from gateway.settings import ROOT, Settings, child_environment
from gateway.webhooks import Destinations, RetrySchedule, open_sender
from gateway.webhooks.delivery import Deliveries
from gateway.worker import Worker
from models import Catalogue, Engine, SettingInvalid, load_catalogue
from models.engine_process import EngineProcess
from router import Router, Styles, load_styles
from safety import PromptFilter
from storage import Blobs, Database
from storage.blobs import open_blobs

if TYPE_CHECKING:
    from gateway.http import Services

log = structlog.get_logger()

ENGINE_SLOTS = 1
SEEDS = 2**32


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Everything that one machine's settings decide, each part made when it is first asked for."""

    settings: Settings
    clock: Clock = utc_now

    @cached_property
    def catalogue(self) -> Catalogue:
        added = self.settings.data_dir / "models"
        return load_catalogue(self.settings.config_dir / "models", added, root=ROOT)

    @cached_property
    def styles(self) -> Styles:
        return load_styles(self.settings.config_dir / "styles")

    @cached_property
    def plans(self) -> Plans:
        return load_plans(self.settings.config_dir / "plans.toml")

    @cached_property
    def router(self) -> Router:
        return Router(self.styles, self.catalogue)

    @cached_property
    def prompt_filter(self) -> PromptFilter:
        return PromptFilter.load(self.settings.config_dir / "safety")

    @cached_property
    def database(self) -> Database:
        return Database(self.settings.database)

    @cached_property
    def blobs(self) -> Blobs:
        return open_blobs(self.settings.blobs)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(
            database=self.database,
            plans=self.plans,
            clock=self.clock,
            new_id=new_id,
            random_base62=random_base62,
            random_bytes=secrets.token_bytes,
        )

    @cached_property
    def destinations(self) -> Destinations:
        settings = self.settings
        if settings.is_local:
            log.info("webhooks may go to this machine", networks="127.0.0.0/8, ::1", why="bound to loopback")
        return Destinations(allow_loopback=settings.is_local, allowed_networks=settings.webhook_allowed_networks)

    def engine(self) -> Engine:
        return EngineProcess(
            self.catalogue,
            device=self.settings.device,
            threads=self.settings.threads,
            environment=child_environment(),
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the data folder: embedded mode is one server process.

        Raises:
            SettingInvalid: another server has it.
        """
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.settings.data_dir / "server.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SettingInvalid(
                    f"PINXIT_DATA_DIR: another server is running on {self.settings.data_dir}."
                ) from None
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The parts of a running server: what routes need, and what runs beside them."""

    services: "Services"
    worker: Worker
    deliveries: Deliveries
    engine: Engine
    database: Database

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start in order, stop in the opposite one. What is being painted then is painted again at the next start."""
        adopted = await self.worker.adopt_orphans()
        if adopted:
            log.info("work of the last run goes on", generations=adopted)
        await self.engine.start()
        beside = [
            asyncio.create_task(self.worker.work(), name="worker"),
            asyncio.create_task(self.deliveries.run(), name="webhooks"),
        ]
        try:
            yield
        finally:
            for running in beside:
                running.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.engine.close()
            await self.database.close()


def make_server(installation: Installation, *, base_url: str, engine: Engine) -> Server:
    """Wire one embedded server; `base_url` is how callers reach it."""
    from gateway.http import Services  # noqa: PLC0415 - the command line needs no FastAPI

    settings, database = installation.settings, installation.database
    urls = PublicUrls(base=base_url)
    queue, board, pace = EmbeddedQueue(), ProgressBoard(), Pace()
    deliveries = make_deliveries(installation)
    settle = Settle(
        database=database,
        board=board,
        urls=urls,
        clock=installation.clock,
        new_id=new_id,
        on_event=deliveries.wake,
    )
    runner = Runner(
        engine=engine,
        database=database,
        blobs=installation.blobs,
        settle=settle,
        queue=queue,
        board=board,
        pace=pace,
        workspace=settings.data_dir / "work",
        lease_s=settings.lease_s,
    )
    worker = Worker(
        database=database,
        queue=queue,
        run=runner,
        owner=f"server-{os.getpid()}",
        slots=ENGINE_SLOTS,
        lease_s=settings.lease_s,
        poll_s=settings.poll_s,
    )
    submit = Submit(
        database=database,
        router=installation.router,
        prompt_filter=installation.prompt_filter,
        plans=installation.plans,
        queue=queue,
        pace=pace,
        clock=installation.clock,
        new_id=new_id,
        new_seed=lambda: secrets.randbelow(SEEDS),
        max_queued=settings.max_queued,
    )
    fetch = Fetch(database=database, board=board)
    remove = Remove(database=database, blobs=installation.blobs, fetch=fetch, settle=settle, stop=worker.stop)
    services = Services(
        settings=settings,
        clock=installation.clock,
        database=database,
        blobs=installation.blobs,
        engine=engine,
        catalogue=installation.catalogue,
        styles=installation.styles,
        gatekeeper=Gatekeeper(database, installation.plans),
        windows=MinuteWindows(),
        destinations=installation.destinations,
        urls=urls,
        submit=submit,
        fetch=fetch,
        remove=remove,
    )
    return Server(services=services, worker=worker, deliveries=deliveries, engine=engine, database=database)


def make_deliveries(installation: Installation) -> Deliveries:
    settings = installation.settings
    waits = settings.webhook_retry_s
    return Deliveries(
        database=installation.database,
        sender=open_sender(installation.destinations),
        clock=installation.clock,
        chance=secrets.SystemRandom().random,
        schedule=RetrySchedule() if waits is None else RetrySchedule(delays_s=waits),
    )

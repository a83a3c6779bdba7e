"""Builds a server on an installation, and orders start and stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from gateway.access import MinuteWindows
from gateway.metrics import Metrics
from gateway.wiring.installation import Installation
from gateway.wiring.painting import PaintingParts
from gateway.wiring.webhooks import WebhookParts
from models import Engine
from storage import StoreUnavailable

if TYPE_CHECKING:
    from gateway.http import Services
    from gateway.http.edge.proxy_signs import ProxySigns
    from gateway.http.reading.own_address import OwnAddress

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Server:
    """One embedded server: what routes need, and what runs beside them. `base_url` is how callers reach it."""

    installation: Installation
    engine: Engine
    base_url: str
    metrics: Metrics = field(default_factory=Metrics)
    stopped: list[str] = field(default_factory=list[str])
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start in order, stop in the opposite one. What is being painted then is painted again at the next start."""
        remains = await self.painting.remains.sweep()
        if self.installation.is_single:
            adopted = await self.painting.worker.adopt_orphans()
            await self.webhooks.deliveries.adopt_orphans()
            log.info("starting", unfinished_of_the_last_run=adopted, remains_removed=remains)
        self.metrics.watch_stores(self.installation.store_failures)
        self.metrics.watch_engine(self.engine.state, busy_slots=lambda: self.painting.worker.busy_slots)
        await self.engine.start()
        beside = [
            asyncio.create_task(self.painting.worker.work(), name="worker"),
            asyncio.create_task(self.webhooks.deliveries.run(), name="webhooks"),
            asyncio.create_task(self.painting.sweeper.run(), name="retention"),
            asyncio.create_task(self.installation.access.last_uses.run(), name="last uses"),
            asyncio.create_task(self.painting.batches.expander.run(), name="batches"),
        ]
        for running in beside:
            running.add_done_callback(self._note_if_broken)
        try:
            yield
        finally:
            await self.painting.disconnects.close()
            for running in beside:
                running.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.engine.close()
            with suppress(StoreUnavailable):
                await self.installation.access.last_uses.write()
            await self.installation.database.close()

    async def give_up_claims(self) -> None:
        """What a server does that has no time to stop in order: its paintings are free for the next start."""
        await self.painting.worker.give_back()

    def _note_if_broken(self, ended: asyncio.Task[None]) -> None:
        """What runs beside the requests ends by being cancelled; any other end is a defect that must not be silent."""
        if not ended.cancelled() and (defect := ended.exception()) is not None:
            self.stopped.append(ended.get_name())
            log.critical("stopped for good; restart the server", what=ended.get_name(), exc_info=defect)

    @cached_property
    def webhooks(self) -> WebhookParts:
        return WebhookParts(installation=self.installation, metrics=self.metrics)

    @cached_property
    def painting(self) -> PaintingParts:
        from gateway.http import prediction_bodies  # noqa: PLC0415 - the command line needs no FastAPI

        return PaintingParts(
            installation=self.installation,
            engine=self.engine,
            base_url=self.base_url,
            metrics=self.metrics,
            webhooks=self.webhooks,
            prediction_bodies=prediction_bodies,
        )

    @cached_property
    def own_address(self) -> "OwnAddress":
        from gateway.http.reading.own_address import OwnAddress  # noqa: PLC0415 - the command line needs no FastAPI

        settings = self.installation.settings
        is_fixed, allowed = settings.public_url is not None, settings.allowed_hosts
        return OwnAddress(root=self.base_url, is_fixed=is_fixed, allowed=allowed, warning=self._unreachable)

    @property
    def _unreachable(self) -> str | None:
        """What a server that others may reach should know before the first of them calls."""
        settings = self.installation.settings
        if settings.is_loopback or settings.public_url is not None or settings.allowed_hosts:
            return None
        return (
            "Neither PINXIT_PUBLIC_URL nor PINXIT_ALLOWED_HOSTS is set: calls by an IP address are answered with"
            f" addresses there, calls by a name and webhooks with addresses at {self.base_url}."
        )

    @cached_property
    def proxy_signs(self) -> "ProxySigns":
        from gateway.http.edge.proxy_signs import ProxySigns  # noqa: PLC0415 - the command line needs no FastAPI

        inst = self.installation
        return ProxySigns(is_local=inst.settings.is_local, on_first=inst.destinations.close_loopback)

    @cached_property
    def services(self) -> "Services":
        """What the routes are handed."""
        return self._services_of(self.installation)

    def _services_of(self, inst: Installation) -> "Services":
        from gateway.http import Services  # noqa: PLC0415 - the command line needs no FastAPI

        return Services(
            settings=inst.settings,
            proxy_signs=self.proxy_signs,
            own_address=self.own_address,
            stopping=self.stopping,
            clock=inst.clock,
            database=inst.database,
            engine=self.engine,
            catalogue=inst.catalogue,
            styles=inst.styles,
            gatekeeper=inst.access.gatekeeper,
            windows=MinuteWindows(),
            plans=inst.plans,
            accounts=inst.accounts,
            keys=inst.access.keys,
            credits=inst.access.credits,
            destinations=inst.destinations,
            urls=self.painting.urls,
            submit=self.painting.submit,
            fetch=self.painting.fetch,
            files=self.painting.files,
            variants=self.painting.variants,
            watching=self.painting.watching,
            cancel=self.painting.cancel,
            disconnects=self.painting.disconnects,
            source_images=self.painting.source_images,
            remove=self.painting.remove,
            metrics=self.metrics,
            provenance=inst.provenance,
            stopped=self.stopped,
            readiness=self.painting.readiness,
            replay=self.painting.replay,
            webhook_endpoints=self.webhooks.endpoints,
            webhook_history=self.webhooks.history,
            webhook_trial=self.webhooks.trial,
            batches=self.painting.batches,
        )

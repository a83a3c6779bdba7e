"""Builds what notifies receivers: endpoints, the delivery loop, its history."""

import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from gateway.identity import new_id
from gateway.metrics import Metrics
from gateway.webhooks import Deliveries, Dispatcher, Endpoints, History, RetrySchedule, Trial, open_sender
from gateway.wiring.installation import Installation


@dataclass(frozen=True, kw_only=True)
class WebhookParts:
    """Each part made when it is first asked for."""

    installation: Installation
    metrics: Metrics

    @cached_property
    def endpoints(self) -> Endpoints:
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
        dispatcher = Dispatcher(
            metrics=self.metrics,
            database=inst.database,
            sender=open_sender(inst.destinations),
            clock=inst.clock,
            chance=secrets.SystemRandom().random,
            schedule=RetrySchedule() if waits is None else RetrySchedule(delays_s=waits),
        )
        return Deliveries(database=inst.database, dispatcher=dispatcher, clock=inst.clock, seconds=time.monotonic)

    @cached_property
    def history(self) -> History:
        inst = self.installation
        return History(database=inst.database, clock=inst.clock, wake=self.deliveries.wake)

    @cached_property
    def trial(self) -> Trial:
        inst = self.installation
        return Trial(
            database=inst.database, outbox=inst.outbox, dispatcher=self.deliveries.dispatcher, clock=inst.clock
        )

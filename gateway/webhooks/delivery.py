"""Draining the outbox: every event reaches its receiver or runs out of attempts, across restarts.

The database is the truth. A delivery stays due until its attempt is recorded, so one that is cut short by a stop is
made again: receivers see an event at least once, always with the same id and the same bytes.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog

from gateway.cancellation import unbroken
from gateway.clock import Clock
from gateway.webhooks.schedule import Chance, RetrySchedule
from gateway.webhooks.sender import Answer, Message, WebhookSender
from gateway.webhooks.signing import signed_headers
from models import SettingInvalid
from storage import Attempt, Database, Delivery, StoreUnavailable
from storage.deliveries import due, record_attempt

MAX_AT_ONCE = 16
MAX_AT_ONCE_PER_HOST = 2
PAGE = 64
LONGEST_PAGE = PAGE * 4**4

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Deliveries:
    """The loop that delivers. `wake` tells it of a new event; without, it looks by itself every `poll_s` seconds."""

    database: Database
    sender: WebhookSender
    clock: Clock
    chance: Chance
    schedule: RetrySchedule = field(default_factory=RetrySchedule)
    poll_s: float = 5.0
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _running: dict[str, str] = field(default_factory=dict[str, str])

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled. A slow receiver holds up nobody but itself."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._woken.clear()
                    await self._start_due(group)
                    await self._pause()
        finally:
            await self.sender.aclose()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.poll_s):  # wait_for of Python 3.11 may lose a cancellation
                await self._woken.wait()

    async def _start_due(self, group: asyncio.TaskGroup) -> None:
        try:
            while chosen := await self._choose():
                for delivery in chosen:
                    self._running[delivery.event.id] = host_of(delivery)
                    group.create_task(self._attempt(delivery))
        except StoreUnavailable as gone:
            log.warning("webhooks wait for the database", error=gone.message)

    async def _choose(self) -> list[Delivery]:
        """What may start now; a long backlog of one host is looked past, not waited for."""
        limit = PAGE
        while len(self._running) < MAX_AT_ONCE:
            running = dict(self._running)  # what ends during the look may still look due
            found = await unbroken(self._look(limit))
            chosen = startable(found, running | self._running)
            if chosen or len(found) < limit or limit >= LONGEST_PAGE:
                return chosen
            limit *= 4
        return []

    async def _look(self, limit: int) -> list[Delivery]:
        async with self.database.reading() as connection:
            return await due(connection, now=self.clock(), limit=limit)

    async def _attempt(self, delivery: Delivery) -> None:
        try:
            answer = await self._send(delivery)
            await unbroken(self._record(delivery, answer))
        except StoreUnavailable as gone:
            log.warning("a webhook's attempt was not recorded and is made again", error=gone.message)
        else:
            self.wake()
        finally:
            del self._running[delivery.event.id]

    async def _send(self, delivery: Delivery) -> Answer:
        event = delivery.event
        try:
            headers = signed_headers(event.body, event_id=event.id, secrets=[delivery.secret], now=self.clock())
        except SettingInvalid as wrong:
            return Answer(error=wrong.message)
        return await self.sender.send(Message(url=delivery.url, body=event.body, headers=headers))

    async def _record(self, delivery: Delivery, answer: Answer) -> None:
        attempt = self._judged(answer, attempts=delivery.attempts + 1)
        async with self.database.writing() as transaction:
            await record_attempt(transaction, delivery.event.id, attempt)
        if not attempt.is_delivered:
            log.info(
                "webhook failed",
                event_id=delivery.event.id,
                attempts=delivery.attempts + 1,
                status=answer.status,
                error=answer.error,
                next_at=attempt.next_at and attempt.next_at.isoformat(),
            )

    def _judged(self, answer: Answer, *, attempts: int) -> Attempt:
        now = self.clock()
        next_at = None
        if not answer.is_success:
            next_at = self.schedule.next_attempt(attempts, answer, now=now, chance=self.chance)
        return Attempt(
            at=now, status=answer.status, error=answer.error, is_delivered=answer.is_success, next_at=next_at
        )


def startable(found: Sequence[Delivery], running: Mapping[str, str]) -> list[Delivery]:
    """Those of `found`, in order, that may start beside the `running` (event id -> host), within the bounds."""
    hosts = Counter(running.values())
    chosen: list[Delivery] = []
    for delivery in found:
        host = host_of(delivery)
        if len(running) + len(chosen) >= MAX_AT_ONCE:
            break
        if delivery.event.id not in running and hosts[host] < MAX_AT_ONCE_PER_HOST:
            hosts[host] += 1
            chosen.append(delivery)
    return chosen


def host_of(delivery: Delivery) -> str:
    """Whom a delivery burdens: host and port."""
    return urlsplit(delivery.url).netloc

"""One attempt: signed, sent, and recorded with what follows from it, for the delivery and for its endpoint."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from gateway.cancellation import unbroken
from gateway.clock import Clock
from gateway.metrics import Metrics
from gateway.webhooks.schedule import GONE, Chance, RetrySchedule
from gateway.webhooks.sender import Answer, Message, WebhookSender
from gateway.webhooks.signing import signed_headers
from models import SettingInvalid
from storage import Attempt, Database, Delivery, Transaction
from storage.deliveries import give_up_on, record_attempt
from storage.endpoints import disable_endpoint, note_failure, note_success

FAILING_FOR_TOO_LONG = timedelta(days=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Makes attempts of claimed deliveries."""

    database: Database
    sender: WebhookSender
    clock: Clock
    chance: Chance
    schedule: RetrySchedule = field(default_factory=RetrySchedule)
    metrics: Metrics | None = None

    async def attempt(self, delivery: Delivery) -> Answer:
        """Send once and write down what came back; an answer that has come is recorded even while stopping.

        Raises:
            StoreUnavailable: it is not recorded, and made again when the lease has run out.
        """
        began = self.clock()
        answer = await self._send(delivery)
        await unbroken(self._record(delivery, answer, began=began))
        return answer

    async def _send(self, delivery: Delivery) -> Answer:
        event = delivery.event
        try:
            headers = signed_headers(event.body, event_id=event.id, secrets=delivery.secrets, now=self.clock())
        except SettingInvalid as wrong:
            return Answer(error=wrong.message)
        return await self.sender.send(Message(url=delivery.url, body=event.body, headers=headers))

    async def _record(self, delivery: Delivery, answer: Answer, *, began: datetime) -> None:
        now = self.clock()
        next_at = None
        if not answer.is_success:
            next_at = self.schedule.next_attempt(delivery.attempts + 1, answer, now=now, chance=self.chance)
        async with self.database.writing() as transaction:
            # The endpoint before its deliveries, as everybody does who locks both.
            may_go_on = await self._note(transaction, delivery.endpoint_id, answer, now=now)
            attempt = Attempt(
                at=began,
                duration_ms=(now - began) // timedelta(milliseconds=1),
                status=answer.status,
                error=answer.error,
                answer=answer.excerpt,
                is_delivered=answer.is_success,
                next_at=next_at if may_go_on else None,
            )
            is_ours = await record_attempt(transaction, delivery, attempt)
        self._count(attempt)
        if not answer.is_success:
            log.info(
                "webhook failed",
                event_id=delivery.event.id,
                delivery_id=delivery.id,
                attempts=delivery.attempts + 1,
                status=answer.status,
                error=answer.error,
                detail=answer.detail,
                next_at=attempt.next_at and attempt.next_at.isoformat(),
                is_ours=is_ours,
            )

    def _count(self, attempt: Attempt) -> None:
        if self.metrics is not None:
            failure = "given_up" if attempt.next_at is None else "failed"
            self.metrics.count_attempt("delivered" if attempt.is_delivered else failure)

    async def _note(self, transaction: Transaction, endpoint_id: str | None, answer: Answer, *, now: datetime) -> bool:
        """Keep the endpoint's state; False when nothing more is to be sent to it."""
        if endpoint_id is None:
            return True
        if answer.is_success:
            await note_success(transaction, endpoint_id)
            return True
        failing_since = await note_failure(transaction, endpoint_id, now=now)
        reason = reason_to_disable(answer, failing_since=failing_since, now=now)
        if failing_since is not None and reason is not None:
            await disable_endpoint(transaction, endpoint_id, reason=reason)
            await give_up_on(transaction, endpoint_id, error=f"the endpoint was disabled: {reason}")
            log.warning("webhook endpoint disabled", endpoint_id=endpoint_id, reason=reason)
        return failing_since is not None and reason is None


def reason_to_disable(answer: Answer, *, failing_since: datetime | None, now: datetime) -> str | None:
    """Why an endpoint whose attempt failed gets nothing more, or None."""
    if answer.status == GONE:
        return "it answered 410 Gone"
    if failing_since is not None and now - failing_since >= FAILING_FOR_TOO_LONG:
        return f"every attempt failed for {FAILING_FOR_TOO_LONG.days} days"
    return None

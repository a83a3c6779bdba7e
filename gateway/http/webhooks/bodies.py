"""Bodies of the webhook routes: what is asked for, and what is shown."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from gateway.webhooks import EVENT_TYPES, EndpointWish
from gateway.webhooks.endpoints import (
    MAX_DESCRIPTION_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_PAIRS,
    MAX_VALUE_CHARACTERS,
)
from gateway.wire import Moment
from storage import Endpoint, EndpointState
from storage.delivery_log import DeliveryFilter, DeliveryRecord, LoggedAttempt, Outcome
from storage.endpoints import EVERY_EVENT

EventTypes = Annotated[
    list[str],
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"type": "string", "enum": [EVERY_EVENT, *EVENT_TYPES]}}),
]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
Description = Annotated[str, WithJsonSchema({"type": "string", "maxLength": MAX_DESCRIPTION_CHARACTERS})]
Metadata = Annotated[
    dict[str, str],
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": MAX_PAIRS,
            "propertyNames": {"maxLength": MAX_NAME_CHARACTERS},
            "additionalProperties": {"type": "string", "maxLength": MAX_VALUE_CHARACTERS},
        }
    ),
]
STRICT = ConfigDict(strict=True, extra="forbid")


class NewWebhookBody(BaseModel):
    """What `POST /v1/webhooks` takes. Unknown members are refused; null means "not given"."""

    model_config = STRICT

    url: Url = Field(description="Where events are posted: public https, or what the operator permits.")
    events: EventTypes | None = Field(None, description="The types to send; none means all, future ones too.")
    description: Description | None = Field(None, description="For people.")
    metadata: Metadata | None = Field(None, description="Pairs of yours that come back.")

    def wish(self) -> EndpointWish:
        return EndpointWish(url=self.url, events=self.events, description=self.description, metadata=self.metadata)


class ChangedWebhookBody(BaseModel):
    """What `PATCH /v1/webhooks/{id}` takes: what is not given stays as it is."""

    model_config = STRICT

    url: Url | None = Field(None, description="Its new address; what still waits goes there too.")
    events: EventTypes | None = Field(None, description="The types to send.")
    description: Description | None = Field(None, description="For people.")
    metadata: Metadata | None = Field(None, description="Pairs of yours, in place of those before.")
    enabled: bool | None = Field(None, description="false holds everything; true also forgets earlier failures.")

    def wish(self) -> EndpointWish:
        return EndpointWish(
            url=self.url,
            events=self.events,
            description=self.description,
            metadata=self.metadata,
            is_enabled=self.enabled,
        )


class ResendBody(BaseModel):
    """Which of an endpoint's deliveries are made once more: those written from `since` on and before `until`."""

    model_config = STRICT

    since: AwareDatetime
    until: AwareDatetime | None = Field(None, description="None means up to now.")
    delivered: bool | None = Field(None, description="true sends again what has arrived, too; receivers know the id.")

    def meant(self) -> DeliveryFilter:
        outcomes = {Outcome.FAILED, Outcome.DELIVERED} if self.delivered else {Outcome.FAILED}
        return DeliveryFilter(since=self.since, until=self.until, outcomes=frozenset(outcomes))


class WebhookBody(BaseModel):
    """An endpoint. Failing: its last attempt failed, others are made. Disabled: nothing is sent, deliveries are held."""

    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    id: str
    url: str
    events: list[str]
    description: str
    metadata: dict[str, str]
    enabled: bool
    state: EndpointState
    disabled_reason: str | None
    failing_since: Moment | None
    created_at: Moment


class CreatedWebhookBody(WebhookBody):
    """A new endpoint with its secret."""

    secret: str


class SecretBody(BaseModel):
    """What signs. `key` is the same secret under the name that Replicate's clients read.

    While `previous_valid_until` is ahead, the secret before it signs beside it.
    """

    object: Literal["webhook_secret"] = "webhook_secret"
    secret: str
    key: str
    previous_valid_until: Moment | None = None


class DeletedWebhookBody(BaseModel):
    """The endpoint, its secret and its log are gone."""

    id: str
    deleted: Literal[True] = True


class AttemptBody(BaseModel):
    """One sending. `status` is null when no answer came; `answer` is how its body began, at most 1 kB of it."""

    at: Moment
    duration_ms: int
    status: int | None
    error: str | None
    answer: str


class DeliveryBody(BaseModel):
    """One event on its way to one receiver: an endpoint, or without one the address that the request named.

    `attempts` are the newest 20, oldest first. Of what is pending, `next_attempt_at` is when it is tried next.
    """

    object: Literal["webhook_delivery"] = "webhook_delivery"
    id: str
    event_id: str
    event_type: str
    subject_id: str
    webhook_id: str | None
    url: str
    status: Outcome
    error: str | None
    next_attempt_at: Moment | None
    created_at: Moment
    delivered_at: Moment | None
    attempts: list[AttemptBody]


class ResentBody(BaseModel):
    """How many deliveries are made once more; with `has_more`, ask again for the rest."""

    object: Literal["webhook_resend"] = "webhook_resend"
    resent: int
    has_more: bool


def webhook_body(endpoint: Endpoint) -> WebhookBody:
    return WebhookBody(
        id=endpoint.id,
        url=endpoint.url,
        events=sorted(endpoint.events),
        description=endpoint.description,
        metadata=dict(endpoint.metadata),
        enabled=endpoint.state is not EndpointState.DISABLED,
        state=endpoint.state,
        disabled_reason=endpoint.disabled_reason,
        failing_since=endpoint.failing_since,
        created_at=endpoint.created_at,
    )


def created_body(endpoint: Endpoint) -> CreatedWebhookBody:
    return CreatedWebhookBody(**dict(webhook_body(endpoint)), secret=endpoint.secret)


def secret_body(secret: str, *, previous_valid_until: datetime | None = None) -> SecretBody:
    return SecretBody(secret=secret, key=secret, previous_valid_until=previous_valid_until)


def delivery_body(record: DeliveryRecord) -> DeliveryBody:
    return DeliveryBody(
        id=record.id,
        event_id=record.event_id,
        event_type=record.event_type,
        subject_id=record.subject_id,
        webhook_id=record.endpoint_id,
        url=record.url,
        status=record.outcome,
        error=record.error,
        next_attempt_at=record.due_at if record.outcome is Outcome.PENDING else None,
        created_at=record.created_at,
        delivered_at=record.delivered_at,
        attempts=[_attempt_body(attempt) for attempt in record.log],
    )


def _attempt_body(attempt: LoggedAttempt) -> AttemptBody:
    return AttemptBody(
        at=attempt.at,
        duration_ms=attempt.duration_ms,
        status=attempt.status,
        error=attempt.error,
        answer=attempt.answer.decode(errors="replace"),
    )

"""Telling callers that their picture is ready: who may be told, how it is signed, and that it arrives.

check_url -> Outbox.publish, in the transaction of what has happened -> Deliveries -> Dispatcher: signed, sent, recorded.
Owns the rules of destinations, signatures, retries and endpoints; their rows belong to `storage`. Must never open a
socket past the guard, follow a redirect, or change a stored body.
"""

from gateway.webhooks.delivery import Deliveries
from gateway.webhooks.destination import Destinations, WebhookUrlInvalid
from gateway.webhooks.dispatching import Dispatcher
from gateway.webhooks.endpoints import Endpoints, EndpointUnknown, EndpointWish, TooManyEndpoints
from gateway.webhooks.events import EVENT_TYPES, Happening, JsonValue, event_body, written_moment
from gateway.webhooks.history import DeliveryUnknown, EndpointDisabled, History, Resent
from gateway.webhooks.opening import open_sender
from gateway.webhooks.outbox import Outbox
from gateway.webhooks.schedule import RETRY_DELAYS_S, RetrySchedule
from gateway.webhooks.sender import Answer, Message, RecordingSender, WebhookSender
from gateway.webhooks.signing import new_secret, signed_headers
from gateway.webhooks.trial import Trial

__all__ = [
    "EVENT_TYPES",
    "RETRY_DELAYS_S",
    "Answer",
    "Deliveries",
    "DeliveryUnknown",
    "Destinations",
    "Dispatcher",
    "EndpointDisabled",
    "EndpointUnknown",
    "EndpointWish",
    "Endpoints",
    "Happening",
    "History",
    "JsonValue",
    "Message",
    "Outbox",
    "RecordingSender",
    "Resent",
    "RetrySchedule",
    "TooManyEndpoints",
    "Trial",
    "WebhookSender",
    "WebhookUrlInvalid",
    "event_body",
    "new_secret",
    "open_sender",
    "signed_headers",
    "written_moment",
]

"""Telling callers that their picture is ready: who may be told, how it is signed, and that it arrives.

check_url -> event_body -> stored with the generation -> Deliveries -> signed -> sent -> recorded. Owns the rules of
destinations, signatures and retries; the events themselves belong to `storage`. Must never open a socket past the
guard, follow a redirect, or change a stored body.
"""

from gateway.webhooks.delivery import Deliveries
from gateway.webhooks.destination import Destinations, WebhookUrlInvalid
from gateway.webhooks.events import GenerationEnded, JsonValue, event_body
from gateway.webhooks.schedule import RETRY_DELAYS_S, RetrySchedule
from gateway.webhooks.sender import Answer, Message, RecordingSender, WebhookSender, open_sender
from gateway.webhooks.signing import new_secret, signed_headers

__all__ = [
    "RETRY_DELAYS_S",
    "Answer",
    "Deliveries",
    "Destinations",
    "GenerationEnded",
    "JsonValue",
    "Message",
    "RecordingSender",
    "RetrySchedule",
    "WebhookSender",
    "WebhookUrlInvalid",
    "event_body",
    "new_secret",
    "open_sender",
    "signed_headers",
]

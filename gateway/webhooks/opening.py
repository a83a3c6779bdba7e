"""Which sender production uses."""

from gateway.webhooks.destination import Destinations
from gateway.webhooks.sender import WebhookSender


def open_sender(destinations: Destinations) -> WebhookSender:
    """It opens the HTTP client when it is first needed, which the start is not."""
    from gateway.webhooks.http_sender import HttpSender  # noqa: PLC0415 - httpx2 costs a tenth of a second to import
    from gateway.webhooks.outbound import guarded_client  # noqa: PLC0415

    return HttpSender(destinations, client=guarded_client(destinations))

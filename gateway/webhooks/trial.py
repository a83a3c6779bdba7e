"""Trying an endpoint out: one signed event that means nothing, sent at once and once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.clock import Clock
from gateway.webhooks.destination import host_of
from gateway.webhooks.dispatching import Dispatcher
from gateway.webhooks.endpoints import EndpointUnknown, known_endpoint
from gateway.webhooks.events import TEST_EVENT, Happening, JsonValue
from gateway.webhooks.outbox import Outbox
from gateway.webhooks.schedule import RetrySchedule
from storage import Database, Delivery, Target
from storage.deliveries import add_delivery, claim_deliveries
from storage.delivery_log import DeliveryRecord, delivery_by_id
from storage.endpoints import endpoint_of

LEASE_S = 60.0
MEMBERS: Mapping[str, JsonValue] = {"message": "This is a test. Nothing has happened."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Sends test events by the way of all events, and waits for the answer; a disabled endpoint can be tried too."""

    database: Database
    outbox: Outbox
    dispatcher: Dispatcher
    clock: Clock

    async def __call__(self, account_id: str, endpoint_id: str) -> DeliveryRecord:
        """The delivery with what came back; a failed one is not tried again.

        Raises:
            EndpointUnknown.
        """
        delivery = await self._written(account_id, endpoint_id)
        await replace(self.dispatcher, schedule=RetrySchedule(delays_s=())).attempt(delivery)
        async with self.database.reading() as connection:
            record = await delivery_by_id(connection, account_id, delivery.id)
        if record is None:
            raise EndpointUnknown(f"The webhook endpoint {endpoint_id!r} was removed meanwhile.")
        return record

    async def _written(self, account_id: str, endpoint_id: str) -> Delivery:
        """Claimed in the transaction that writes it, so that the delivery loop leaves it to us."""
        now, new_id = self.clock(), self.outbox.new_id
        async with self.database.writing() as transaction:
            endpoint = known_endpoint(await endpoint_of(transaction, account_id, endpoint_id), endpoint_id)
            test = Happening(account_id=account_id, subject_id=new_id("test"), type=TEST_EVENT, at=now, members=MEMBERS)
            event = await self.outbox.write_event(transaction, test)
            target = Target(url=endpoint.url, host=host_of(endpoint.url), endpoint_id=endpoint.id)
            id = new_id("dlv")
            await add_delivery(transaction, id, event, target)
            (claimed,) = await claim_deliveries(transaction, [id], now=now, lease_s=LEASE_S)
        return claimed

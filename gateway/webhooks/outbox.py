"""Who is told of what: one event, one delivery for each receiver, inside the transaction of what has happened."""

from dataclasses import dataclass

from gateway.identity import NewId
from gateway.webhooks.destination import host_of
from gateway.webhooks.events import Happening, event_body
from storage import EndpointState, Event, Target, Transaction
from storage.deliveries import add_delivery
from storage.endpoints import endpoints_of
from storage.events import add_event, next_event_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """Writes events and their deliveries; the delivery loop takes them from there. Wake it after the commit."""

    new_id: NewId

    async def publish(self, transaction: Transaction, happening: Happening, *, own_url: str | None = None) -> bool:
        """Tell the account's endpoints that want this type, and `own_url`, the address that the request named.

        Without any of these nothing is written, and False is returned. For a disabled endpoint the delivery is held, to be sent if asked for.
        """
        targets = [
            Target(
                url=endpoint.url,
                host=host_of(endpoint.url),
                endpoint_id=endpoint.id,
                is_held=endpoint.state is EndpointState.DISABLED,
            )
            for endpoint in await endpoints_of(transaction, happening.account_id)
            if endpoint.wants(happening.type)
        ]
        if own_url is not None:
            targets.append(Target(url=own_url, host=host_of(own_url)))
        if not targets:
            return False
        event = await self.write_event(transaction, happening)
        for target in targets:
            await add_delivery(transaction, self.new_id("dlv"), event, target)
        return True

    async def publish_alone(self, transaction: Transaction, happening: Happening, body: bytes, *, url: str) -> None:
        """Tell one address alone, in words of its own; nobody counts these events."""
        event = self._event(happening, body)
        await add_event(transaction, event)
        await add_delivery(transaction, self.new_id("dlv"), event, Target(url=url, host=host_of(url)))

    async def write_event(self, transaction: Transaction, happening: Happening) -> Event:
        """The event alone, in the bytes that all its receivers get."""
        sequence = await next_event_number(transaction, happening.account_id)
        event = self._event(happening, event_body(happening, sequence=sequence))
        await add_event(transaction, event)
        return event

    def _event(self, happening: Happening, body: bytes) -> Event:
        return Event(
            id=self.new_id("evt"),
            account_id=happening.account_id,
            subject_id=happening.subject_id,
            type=happening.type,
            body=body,
            created_at=happening.at,
        )

"""What was sent and answered, for the account that it was sent for; and sending it again, in the same bytes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from gateway.clock import Clock
from gateway.webhooks.endpoints import known_endpoint
from models import Refused
from storage import Connection, Database, EndpointState, Transaction
from storage.delivery_log import (
    DeliveryFilter,
    DeliveryRecord,
    deliveries_page,
    delivery_by_id,
    send_again,
    send_range_again,
)
from storage.endpoints import endpoint_of, lock_endpoint

MOST_AT_ONCE = 10_000


class DeliveryUnknown(Refused):
    """There is no such delivery in this account."""

    code: ClassVar[str] = "not_found"


class EndpointDisabled(Refused):
    """Nothing is sent to this webhook endpoint before it is enabled."""

    code: ClassVar[str] = "endpoint_disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """How many deliveries are made once more; `has_more` when there were too many for one call."""

    count: int
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The log of deliveries. `wake` tells the delivery loop that something is due."""

    database: Database
    clock: Clock
    wake: Callable[[], None]

    async def page(
        self, account_id: str, wanted: DeliveryFilter, *, limit: int, before: int | None
    ) -> list[DeliveryRecord]:
        """Newest first, those with a number below `before`.

        Raises:
            EndpointUnknown: the filter names an endpoint that the account does not have.
        """
        async with self.database.reading() as connection:
            if (endpoint_id := wanted.endpoint_id) is not None:
                known_endpoint(await endpoint_of(connection, account_id, endpoint_id), endpoint_id)
            return await deliveries_page(connection, account_id, wanted, limit=limit, before=before)

    async def one(self, account_id: str, id: str) -> DeliveryRecord:
        """Raises DeliveryUnknown."""
        async with self.database.reading() as connection:
            return await _known_delivery(connection, account_id, id)

    async def resend(self, account_id: str, id: str) -> DeliveryRecord:
        """Make the delivery once more, from now on and with all its attempts.

        Raises:
            DeliveryUnknown, EndpointDisabled.
        """
        async with self.database.writing() as transaction:
            record = await _known_delivery(transaction, account_id, id)
            if record.endpoint_id is not None:
                await _lock_enabled(transaction, account_id, record.endpoint_id)
            await send_again(transaction, id, now=self.clock())
            again = await _known_delivery(transaction, account_id, id)
        self.wake()
        return again

    async def resend_range(self, account_id: str, endpoint_id: str, wanted: DeliveryFilter) -> Resent:
        """Make the endpoint's deliveries of the filter once more that are over, the oldest first.

        Raises:
            EndpointUnknown, EndpointDisabled.
        """
        async with self.database.writing() as transaction:
            await _lock_enabled(transaction, account_id, endpoint_id)
            own = replace(wanted, endpoint_id=endpoint_id)
            count = await send_range_again(transaction, own, now=self.clock(), limit=MOST_AT_ONCE)
        self.wake()
        return Resent(count=count, has_more=count == MOST_AT_ONCE)


async def _known_delivery(connection: Connection, account_id: str, id: str) -> DeliveryRecord:
    record = await delivery_by_id(connection, account_id, id)
    if record is None:
        raise DeliveryUnknown(f"There is no webhook delivery {id!r}.")
    return record


async def _lock_enabled(transaction: Transaction, account_id: str, endpoint_id: str) -> None:
    """The endpoint before its deliveries, as everybody does who locks both."""
    endpoint = known_endpoint(await lock_endpoint(transaction, account_id, endpoint_id), endpoint_id)
    if endpoint.state is EndpointState.DISABLED:
        raise EndpointDisabled(f"The webhook endpoint {endpoint_id!r} is disabled; enable it first.")

"""The addresses that an account wants told: made, changed, given new secrets, removed. Another account's do not exist."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from gateway.clock import Clock
from gateway.identity import NewId
from gateway.webhooks.destination import Destinations, host_of
from gateway.webhooks.events import EVENT_TYPES
from gateway.webhooks.signing import new_secret
from models import Refused, RequestInvalid
from storage import Database, Endpoint, EndpointState, Transaction
from storage.deliveries import give_up_on, redirect_deliveries
from storage.endpoints import (
    EVERY_EVENT,
    add_endpoint,
    change_endpoint,
    count_endpoints,
    endpoint_of,
    endpoints_of,
    lock_endpoint,
    remove_endpoint,
)

MAX_DESCRIPTION_CHARACTERS = 500
MAX_PAIRS = 16
MAX_NAME_CHARACTERS = 40
MAX_VALUE_CHARACTERS = 500
SWITCHED_OFF = "switched off"


class EndpointUnknown(Refused):
    """There is no such webhook endpoint in this account."""

    code: ClassVar[str] = "not_found"


class TooManyEndpoints(Refused):
    """The account has as many webhook endpoints as the operator allows."""

    code: ClassVar[str] = "too_many_endpoints"


class Witness(Protocol):
    """Who changes something, and puts it into the audit log in the transaction of the change."""

    async def note(
        self, transaction: Transaction, action: str, subject: str, *, account_id: str, now: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointWish:
    """What an endpoint shall be; None leaves a member as it is, or as a new one has it."""

    url: str | None = None
    events: Collection[str] | None = None
    description: str | None = None
    metadata: Mapping[str, str] | None = None
    is_enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """An account's endpoints. `overlap` is how long a replaced secret goes on signing beside its successor."""

    database: Database
    destinations: Destinations
    clock: Clock
    new_id: NewId
    random_bytes: Callable[[int], bytes]
    most: int
    overlap: timedelta

    async def create(self, account_id: str, wish: EndpointWish, *, by: Witness) -> Endpoint:
        """Raises WebhookUrlInvalid, RequestInvalid, TooManyEndpoints."""
        fresh = Endpoint(
            id=self.new_id("we"),
            account_id=account_id,
            url="",
            events=frozenset({EVERY_EVENT}),
            description="",
            metadata={},
            secret=new_secret(self.random_bytes),
            created_at=self.clock(),
        )
        endpoint = self._changed(fresh, wish)
        async with self.database.writing() as transaction:
            if await count_endpoints(transaction, account_id) >= self.most:
                raise TooManyEndpoints(f"An account has at most {self.most} webhook endpoints.")
            await add_endpoint(transaction, endpoint)
            await self._note(transaction, by, "webhook.created", endpoint)
        return endpoint

    async def all(self, account_id: str) -> list[Endpoint]:
        """Newest first."""
        async with self.database.reading() as connection:
            return await endpoints_of(connection, account_id)

    async def one(self, account_id: str, id: str) -> Endpoint:
        """Raises EndpointUnknown."""
        async with self.database.reading() as connection:
            return known_endpoint(await endpoint_of(connection, account_id, id), id)

    async def change(self, account_id: str, id: str, wish: EndpointWish, *, by: Witness) -> Endpoint:
        """What is under way to it goes to its new address, or is held while it is switched off.

        Raises:
            EndpointUnknown, WebhookUrlInvalid, RequestInvalid.
        """
        async with self.database.writing() as transaction:
            endpoint = self._changed(known_endpoint(await lock_endpoint(transaction, account_id, id), id), wish)
            await change_endpoint(transaction, endpoint)
            await self._note(transaction, by, "webhook.changed", endpoint)
            if wish.url is not None:
                await redirect_deliveries(transaction, id, url=endpoint.url, host=host_of(endpoint.url))
            if endpoint.state is EndpointState.DISABLED:
                await give_up_on(transaction, id, error=f"the endpoint was disabled: {endpoint.disabled_reason}")
        return endpoint

    async def rotate_secret(self, account_id: str, id: str, *, by: Witness) -> Endpoint:
        """Give it a new secret; the present one goes on signing for a while, one that was replaced before ends.

        Raises:
            EndpointUnknown.
        """
        async with self.database.writing() as transaction:
            endpoint = known_endpoint(await lock_endpoint(transaction, account_id, id), id)
            rotated = replace(
                endpoint,
                secret=new_secret(self.random_bytes),
                previous_secret=endpoint.secret,
                previous_valid_until=self.clock() + self.overlap,
            )
            await change_endpoint(transaction, rotated)
            await self._note(transaction, by, "webhook.secret_rotated", endpoint)
        return rotated

    async def remove(self, account_id: str, id: str, *, by: Witness) -> None:
        """With the log of its deliveries. Raises EndpointUnknown."""
        async with self.database.writing() as transaction:
            endpoint = known_endpoint(await lock_endpoint(transaction, account_id, id), id)
            await remove_endpoint(transaction, id)
            await self._note(transaction, by, "webhook.removed", endpoint)

    async def _note(self, transaction: Transaction, by: Witness, action: str, endpoint: Endpoint) -> None:
        await by.note(transaction, action, endpoint.id, account_id=endpoint.account_id, now=self.clock())

    def _changed(self, endpoint: Endpoint, wish: EndpointWish) -> Endpoint:
        """Raises WebhookUrlInvalid, RequestInvalid."""
        if wish.url is not None:
            self.destinations.check_url(wish.url, field="url")
            endpoint = replace(endpoint, url=wish.url)
        if wish.events is not None:
            endpoint = replace(endpoint, events=_checked_events(wish.events))
        if wish.description is not None:
            _check_text(wish.description, at_most=MAX_DESCRIPTION_CHARACTERS, field="description")
            endpoint = replace(endpoint, description=wish.description)
        if wish.metadata is not None:
            _check_metadata(wish.metadata)
            endpoint = replace(endpoint, metadata=dict(wish.metadata))
        return endpoint if wish.is_enabled is None else _switched(endpoint, is_enabled=wish.is_enabled)


def known_endpoint(found: Endpoint | None, id: str) -> Endpoint:
    """Raises EndpointUnknown."""
    if found is None:
        raise EndpointUnknown(f"There is no webhook endpoint {id!r}.")
    return found


def _switched(endpoint: Endpoint, *, is_enabled: bool) -> Endpoint:
    """Switching on forgets all failures; what is on already stays as it is."""
    if not is_enabled:
        return replace(endpoint, state=EndpointState.DISABLED, disabled_reason=SWITCHED_OFF)
    if endpoint.state is not EndpointState.DISABLED:
        return endpoint
    return replace(endpoint, state=EndpointState.ACTIVE, failing_since=None, disabled_reason=None)


def _checked_events(events: Collection[str]) -> frozenset[str]:
    known = (*EVENT_TYPES, EVERY_EVENT)
    unknown = sorted(set(events) - set(known))
    if unknown or not events:
        what = f"{unknown[0]!r} is not a type of event" if unknown else "must name at least one type of event"
        raise RequestInvalid(f"`events`: {what}; there are {', '.join(known)}.", field="events")
    return frozenset({EVERY_EVENT}) if EVERY_EVENT in events else frozenset(events)


def _check_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > MAX_PAIRS:
        raise RequestInvalid(f"`metadata` has more than {MAX_PAIRS} members.", field="metadata")
    for name, value in metadata.items():
        _check_text(name, at_most=MAX_NAME_CHARACTERS, field="metadata")
        _check_text(value, at_most=MAX_VALUE_CHARACTERS, field="metadata")


def _check_text(text: str, *, at_most: int, field: str) -> None:
    if len(text) > at_most or "\0" in text:
        raise RequestInvalid(f"`{field}`: a text has more than {at_most} characters, or a NUL in it.", field=field)

"""What routes ask for: the caller behind the key, and what serves them."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Header, Request
from starlette.requests import HTTPConnection

from gateway.access import Caller, Gatekeeper, KeyMissing, MinuteWindows, Plans, RateExceeded
from gateway.accounts import Accounts, Actor, Credits, Keys
from gateway.batches import Batches
from gateway.clock import Clock
from gateway.generations import (
    Cancel,
    Disconnects,
    Fetch,
    PictureFiles,
    PublicUrls,
    Remove,
    Replay,
    SourceImages,
    Submit,
    Variants,
    Watching,
)
from gateway.generations.showing.provenance import Provenance
from gateway.http.edge.proxy_signs import ProxySigns
from gateway.http.edge.rate_headers import rate_headers
from gateway.http.reading.own_address import OwnAddress
from gateway.metrics import Metrics
from gateway.readiness import Readiness
from gateway.settings import Settings
from gateway.webhooks import Destinations, Endpoints, History, Trial
from models import Catalogue, Engine, RequestInvalid
from router import Styles
from storage import Database

MAX_IDEMPOTENCY_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What `wiring` hands to the routes; nothing here is made on the spot.

    `stopped` names what should run beside the requests and has ended by a defect; it grows. `stopping` is set when the
    server begins to stop.
    """

    settings: Settings
    proxy_signs: ProxySigns
    own_address: OwnAddress
    stopping: asyncio.Event
    clock: Clock
    database: Database
    engine: Engine
    catalogue: Catalogue
    styles: Styles
    gatekeeper: Gatekeeper
    windows: MinuteWindows
    plans: Plans
    accounts: Accounts
    keys: Keys
    credits: Credits
    destinations: Destinations
    urls: PublicUrls
    submit: Submit
    fetch: Fetch
    cancel: Cancel
    watching: Watching
    files: PictureFiles
    variants: Variants
    disconnects: Disconnects
    source_images: SourceImages
    remove: Remove
    metrics: Metrics
    provenance: Provenance
    stopped: Sequence[str]
    readiness: Readiness
    webhook_endpoints: Endpoints
    webhook_history: History
    webhook_trial: Trial
    replay: Replay
    batches: Batches


async def services(request: Request) -> Services:
    """Asynchronous, as every dependency must be: FastAPI runs the others in a thread."""
    return services_of(request)


def services_of(request: HTTPConnection) -> Services:
    """With the addresses by which this call reached us."""
    found: Services = request.app.state.services
    root = found.own_address.root_of(request)
    return found if root == found.urls.root else replace(found, urls=replace(found.urls, root=root))


Given = Annotated[Services, Depends(services)]


async def known_caller(request: Request, given: Given) -> Caller:
    """The caller behind `Authorization: Bearer`, `Basic` with the key as password, or `X-API-Key`.

    Its rate window goes into every answer.

    Raises:
        KeyMissing, KeyRejected, AccountSuspended, ScopeMissing.
    """
    now = given.clock()
    token = token_of(request)
    if not token:
        raise KeyMissing("Send your API key as `Authorization: Bearer px_live_…`.")
    address = request.client.host if request.client else None
    caller = await given.gatekeeper.caller(token, now=now, address=address)
    request.state.account, request.state.key = caller.account.id, caller.key.id  # for the log
    window = given.windows.look(caller.key.id, caller.requests_per_minute, now=now)
    request.state.rate_headers = rate_headers(window, now=now)
    return caller


def token_of(request: Request) -> str:
    """The key as sent, empty when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"bearer", "token"}:  # the second is what older clients of Replicate say
        return token.strip()
    if scheme.lower() == "basic":
        return _password_of(token)
    return request.headers.get("x-api-key", "").strip()


def _password_of(credentials: str) -> str:
    """Of clients that know only name and password; whatever name stands before the key. Empty where there is none."""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2].strip()
    except ValueError:  # not base64, or not UTF-8
        return ""


AnyCaller = Annotated[Caller, Depends(known_caller)]


def caller_with(scope: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency that also asks for a scope."""

    async def scoped(request: Request, given: Given) -> Caller:
        caller = await known_caller(request, given)
        caller.must_have(scope)
        return caller

    return scoped


def counted_caller_with(scope: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency as `caller_with`, which uses one request of the minute, whatever becomes of it.

    It calls that one itself: for each dependency of a dependency FastAPI takes longer than it takes to know a key.
    """
    scoped = caller_with(scope)

    async def counted(request: Request, given: Given) -> Caller:
        """Raises RateExceeded."""
        caller, now = await scoped(request, given), given.clock()
        try:
            window = given.windows.take(caller.key.id, caller.requests_per_minute, now=now)
        except RateExceeded as refused:
            request.state.rate_headers = rate_headers(refused.window, now=now)
            raise
        request.state.rate_headers = rate_headers(window, now=now)
        return caller

    return counted


painting_caller = counted_caller_with("generate")


async def checked_idempotency_key(idempotency_key: Annotated[str | None, Header()] = None) -> str | None:
    """Raises RequestInvalid."""
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= MAX_IDEMPOTENCY_KEY:
        raise RequestInvalid(
            f"`Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY} characters.", field="Idempotency-Key"
        )
    return idempotency_key


IdempotencyKey = Annotated[str | None, Depends(checked_idempotency_key)]


def actor_of(caller: Caller, request: Request) -> Actor:
    """For the audit log."""
    return Actor(id=caller.key.id, request_id=request.state.request_id)

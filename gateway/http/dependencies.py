"""What routes ask for: the caller behind the key, and the body in its declared form."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import ValidationError

from gateway.access import Caller, Gatekeeper, KeyMissing, MinuteWindows, RateExceeded
from gateway.clock import Clock
from gateway.generations import Cancel, Departures, Fetch, PublicUrls, Remove, Replay, Submit, Watching
from gateway.http.rate_headers import rate_headers
from gateway.http.refusals import JsonInvalid, MediaTypeUnsupported
from gateway.orders import GenerateBody
from gateway.settings import Settings
from gateway.webhooks import Destinations
from models import Catalogue, Engine, ParameterMissing, ParameterUnknown, RequestInvalid
from router import Styles
from storage import Blobs, Database

MAX_IDEMPOTENCY_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What `wiring` hands to the routes; nothing here is made on the spot.

    `stopped` names what should run beside the requests and has ended by a defect; it grows.
    """

    settings: Settings
    clock: Clock
    database: Database
    blobs: Blobs
    engine: Engine
    catalogue: Catalogue
    styles: Styles
    gatekeeper: Gatekeeper
    windows: MinuteWindows
    destinations: Destinations
    urls: PublicUrls
    submit: Submit
    fetch: Fetch
    cancel: Cancel
    watching: Watching
    departures: Departures
    remove: Remove
    stopped: Sequence[str]
    replay: Replay


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


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

    async def scoped(caller: AnyCaller) -> Caller:
        caller.must_have(scope)
        return caller

    return scoped


async def painting_caller(
    request: Request, given: Given, caller: Annotated[Caller, Depends(caller_with("generate"))]
) -> Caller:
    """A caller who uses one request of the minute, whatever becomes of it.

    Raises:
        RateExceeded.
    """
    now = given.clock()
    try:
        window = given.windows.take(caller.key.id, caller.requests_per_minute, now=now)
    except RateExceeded as refused:
        request.state.rate_headers = rate_headers(refused.window, now=now)
        raise
    request.state.rate_headers = rate_headers(window, now=now)
    return caller


async def checked_idempotency_key(idempotency_key: Annotated[str | None, Header()] = None) -> str | None:
    """Raises RequestInvalid."""
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= MAX_IDEMPOTENCY_KEY:
        raise RequestInvalid(
            f"`Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY} characters.", field="Idempotency-Key"
        )
    return idempotency_key


IdempotencyKey = Annotated[str | None, Depends(checked_idempotency_key)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A parsed body and the hash of its bytes."""

    body: GenerateBody
    sha256: str


async def sent_body(request: Request) -> Sent:
    """Raises JsonInvalid, MediaTypeUnsupported, ParameterMissing, ParameterUnknown, RequestInvalid."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise MediaTypeUnsupported("Send the body as `Content-Type: application/json`.")
    content = await request.body()
    try:
        body = GenerateBody.model_validate_json(content)
    except ValidationError as wrong:
        raise refusal_of(wrong.errors(include_url=False, include_context=False, include_input=False)[0]) from None
    return Sent(body=body, sha256=hashlib.sha256(content).hexdigest())


def refusal_of(problem: Any) -> RequestInvalid:
    """The contract's word for pydantic's first complaint."""
    field = _member_at(problem["loc"]) if problem["loc"] else None
    if problem["type"] == "json_invalid":
        return JsonInvalid(f"The body is not valid JSON: {problem['msg'].removeprefix('Invalid JSON: ')}.")
    if field is None:
        return JsonInvalid("The body must be a JSON object.")
    if problem["type"] == "missing":
        return ParameterMissing(f"`{field}` is needed.", field=field)
    if problem["type"] == "extra_forbidden":
        return ParameterUnknown(f"`{field}` is not a parameter of this endpoint.", field=field)
    return RequestInvalid(f"`{field}`: {problem['msg']}.", field=field)


def _member_at(place: Sequence[str | int]) -> str:
    """As a caller would write it, `loras[0].weight`; behind another member stands only what pydantic tried."""
    match place:
        case (str(member), int(index), str(inner), *_):
            return f"{member}[{index}].{inner}"
        case _:
            return str(place[0])

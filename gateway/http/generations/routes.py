"""Paint, list, read and delete: the native contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel

from gateway.access import Caller, expiry
from gateway.generations import Ask, PublicUrls, View
from gateway.http.answering.answers import answer, described
from gateway.http.generations.bodies import Sent, sent_body
from gateway.http.generations.presenting import accepted_body, generation_body, quote_body, recipes_body
from gateway.http.generations.waiting import submit_and_wait
from gateway.http.reading.dependencies import (
    Given,
    IdempotencyKey,
    Services,
    caller_with,
    painting_caller,
)
from gateway.http.reading.listing import METADATA_PARAMETER, AskedFilters
from gateway.http.reading.preferring import Preference, read_preference
from gateway.wire import AcceptedBody, DeletedBody, GenerationBody, GenerationListBody, QuoteBody, RecipesBody
from router import AUTO
from safety import Surface
from storage import Priority

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/GenerateBody"}},
            "multipart/form-data": {"schema": {"$ref": "#/components/schemas/GenerateForm"}},
        },
    }
}

routes = APIRouter(prefix="/v1", tags=["generations"])

Painter = Annotated[Caller, Depends(painting_caller)]
Reader = Annotated[Caller, Depends(caller_with("read"))]
Canceler = Annotated[Caller, Depends(caller_with("generate"))]
Deleter = Annotated[Caller, Depends(caller_with("delete"))]
Body = Annotated[Sent, Depends(sent_body)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintCall:
    """A call of the native contract that paints; `prefer` is its header of that name."""

    request: Request
    given: Services
    caller: Caller
    sent: Sent
    prefer: str
    idempotency_key: str | None

    async def answer(self, show: Callable[[View, PublicUrls], BaseModel]) -> Response:
        """The generation as `show` shows it; a quote, or where to ask for it later.

        Raises:
            Refused, Failed: as `asked` and `submit_and_wait`.
        """
        given, sent = self.given, self.sent
        ask = await asked(given, self.caller, sent, self.idempotency_key)
        if sent.body.dry_run:
            return answer(quote_body(await given.submit.decide.look(self.caller, ask)))
        wait_s = _wait_s(given, sent, read_preference(self.prefer))
        waited = await submit_and_wait(self.request, given, self.caller, ask, wait_s=wait_s)
        if waited.ended is not None:
            return answer(show(waited.ended, given.urls))
        body = accepted_body(waited.accepted, given.urls)
        return answer(body, status=202, headers={"Location": body.poll_url})


@routes.post(
    "/generate",
    summary="Paint",
    response_model=GenerationBody | QuoteBody,
    responses={
        202: {"model": AcceptedBody},
        **described(400, 401, 402, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503),
    },
    openapi_extra=BODY,
)
async def generate(
    request: Request,
    given: Given,
    caller: Painter,
    sent: Body,
    prefer: Annotated[str, Header()] = "",
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Paint and answer with the picture; or answer 202 at once with `webhook_url`, `async` or `Prefer: respond-async`.

    A painting that takes longer than the wait (60 s, or `Prefer: wait=n`) turns into the 202 answer and goes on.
    """
    call = PaintCall(
        request=request, given=given, caller=caller, sent=sent, prefer=prefer, idempotency_key=idempotency_key
    )
    return await call.answer(generation_body)


@routes.post(
    "/quote",
    summary="Price a request without painting",
    response_model=QuoteBody,
    responses=described(400, 401, 403, 404, 410, 413, 415, 429, 503),
    openapi_extra=BODY,
)
async def quote(given: Given, caller: Painter, sent: Body) -> Response:
    """Every check that a real request runs except balance and quota."""
    return answer(quote_body(await given.submit.decide.look(caller, await asked(given, caller, sent, None))))


@routes.get(
    "/generations",
    summary="List, newest first",
    response_model=GenerationListBody,
    responses=described(400, 401, 403),
    openapi_extra=METADATA_PARAMETER,
)
async def list_generations(
    given: Given,
    caller: Reader,
    filters: AskedFilters,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Response:
    """One page; the cursor stays good while new generations are added."""
    if filters.style not in (None, AUTO):
        given.styles.get(filters.style)
    page = await given.fetch.page(caller, limit=limit, cursor=cursor, filters=filters)
    data = [generation_body(view, given.urls) for view in page.views]
    return answer(GenerationListBody(data=data, has_more=page.cursor is not None, next_cursor=page.cursor))


@routes.get(
    "/generations/{generation_id}",
    summary="Read one",
    response_model=GenerationBody,
    responses=described(401, 403, 404),
)
async def read_generation(given: Given, caller: Reader, generation_id: str) -> Response:
    """One generation in any state, with progress while it is painted."""
    return answer(generation_body(await given.fetch.one(caller, generation_id), given.urls))


@routes.get(
    "/generations/{generation_id}/recipe",
    summary="Read how it was painted",
    response_model=RecipesBody,
    responses=described(401, 403, 404),
)
async def read_recipe(given: Given, caller: Reader, generation_id: str) -> Response:
    """Everything that decided the pixels of each picture, as it also stands inside its file; empty until completed.

    `pinxit replay` paints it again without this server.
    """
    return answer(recipes_body((await given.fetch.one(caller, generation_id)).generation))


@routes.post(
    "/generations/{generation_id}/cancel",
    summary="Cancel",
    response_model=GenerationBody,
    responses=described(401, 403, 404, 409),
)
async def cancel_generation(given: Given, caller: Canceler, generation_id: str) -> Response:
    """Stop this one between two steps and nothing else; held credits come back. Takes no body.

    The answer shows how it ended: a painting that was finished first is `completed` here. One that had ended before
    the call is refused with `already_finished`, and one that is canceled already is shown again.
    """
    return answer(generation_body(await given.cancel(caller, generation_id), given.urls))


@routes.delete(
    "/generations/{generation_id}",
    summary="Delete record and pictures",
    response_model=DeletedBody,
    responses=described(401, 403, 404),
)
async def delete_generation(given: Given, caller: Deleter, generation_id: str) -> Response:
    """Whatever still works on it is stopped, and held credits come back; its price stays in the ledger."""
    await given.remove(caller, generation_id)
    return answer(DeletedBody(generation_id=generation_id))


async def asked(given: Services, caller: Caller, sent: Sent, idempotency_key: str | None) -> Ask:
    """What is asked for, with the pictures that it begins from read. Words are checked before pictures are unpacked.

    Raises:
        PlanTooSmall, RequestInvalid, GenerationUnknown, BlobUnavailable, DecoderStopped.
    """
    if sent.body.webhook_url is not None:
        given.destinations.check_url(sent.body.webhook_url)
    body, request = sent.body, sent.body.request()
    expiry(caller.plan, body.ttl, now=given.clock())
    source = await given.source_images.read(caller, sent.given())
    ask = Ask(
        surface=Surface.NATIVE,
        request=request,
        webhook_url=sent.body.webhook_url,
        idempotency_key=idempotency_key,
        body_sha256=sent.sha256,
        priority=Priority.BATCH if body.priority == "batch" else Priority.INTERACTIVE,
        metadata=body.metadata or {},
        ttl_s=body.ttl,
        may_share=sent.body.cache is not False,
        notices=body.notices(),
    )
    return ask.beginning_from(source)


def _wait_s(given: Services, sent: Sent, preference: Preference) -> float:
    """How long this call is held open; 0 means it answers 202 at once."""
    if sent.body.webhook_url is not None or sent.body.is_async:
        return 0
    return preference.wait_within(given.settings.sync_wait_s)

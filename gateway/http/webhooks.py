"""Webhook endpoints of the caller's account, their secrets, and the log of what was sent to them."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from gateway.access import Caller
from gateway.generations.cursors import cursor_of, number_of
from gateway.http.answering import answer, described
from gateway.http.dependencies import Given, Services, caller_with, counted_caller_with
from gateway.http.dialects.reading import read_json
from gateway.http.webhook_bodies import (
    ChangedWebhookBody,
    CreatedWebhookBody,
    DeletedWebhookBody,
    DeliveryBody,
    DeliveryListBody,
    NewWebhookBody,
    ResendBody,
    ResentBody,
    SecretBody,
    WebhookBody,
    WebhookListBody,
    created_body,
    delivery_body,
    secret_body,
    webhook_body,
)
from storage.delivery_log import DeliveryFilter, Outcome

SCOPE = "webhooks:write"

routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

Owner = Annotated[Caller, Depends(caller_with(SCOPE))]
Tester = Annotated[Caller, Depends(counted_caller_with(SCOPE))]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSlice:
    """At most `limit` with a number below `before`."""

    limit: int
    before: int | None


async def wanted_slice(limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: str | None = None) -> PageSlice:
    """Raises CursorInvalid."""
    return PageSlice(limit=limit, before=None if cursor is None else number_of(cursor))


async def wanted_deliveries(
    event: Annotated[str | None, Query(description="The event's id: the header webhook-id.")] = None,
    subject: Annotated[str | None, Query(description="What it is about, such as a generation's id.")] = None,
    status: Outcome | None = None,
) -> DeliveryFilter:
    outcomes = frozenset(Outcome) if status is None else frozenset({status})
    return DeliveryFilter(event_id=event, subject_id=subject, outcomes=outcomes)


Slice = Annotated[PageSlice, Depends(wanted_slice)]
Wanted = Annotated[DeliveryFilter, Depends(wanted_deliveries)]


def _body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """How the document shows a body that is parsed by hand."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@routes.post(
    "",
    summary="Add an endpoint",
    response_model=CreatedWebhookBody,
    responses=described(400, 401, 403, 413, 415, 503),
    openapi_extra=_body_of(NewWebhookBody),
)
async def create_webhook(request: Request, given: Given, caller: Owner) -> Response:
    """Its secret is in this answer, and at `GET /v1/webhooks/{id}/secret`; nowhere else."""
    sent = await read_json(request, NewWebhookBody)
    return answer(created_body(await given.webhook_endpoints.create(caller.account.id, sent.body.wish())))


@routes.get("", summary="List endpoints", response_model=WebhookListBody, responses=described(401, 403))
async def list_webhooks(given: Given, caller: Owner) -> Response:
    """All of the account, newest first."""
    found = await given.webhook_endpoints.all(caller.account.id)
    return answer(WebhookListBody(data=[webhook_body(endpoint) for endpoint in found]))


@routes.get(
    "/deliveries",
    summary="List deliveries of all endpoints",
    response_model=DeliveryListBody,
    responses=described(400, 401, 403),
)
async def list_deliveries(given: Given, caller: Owner, wanted: Wanted, part: Slice) -> Response:
    """Those to addresses that requests named, too; newest first, kept for 30 days."""
    return await _page(given, caller, wanted, part)


@routes.get(
    "/deliveries/{delivery_id}",
    summary="Read one delivery",
    response_model=DeliveryBody,
    responses=described(401, 403, 404),
)
async def read_delivery(given: Given, caller: Owner, delivery_id: str) -> Response:
    """With the attempts that were made."""
    return answer(delivery_body(await given.webhook_history.one(caller.account.id, delivery_id)))


@routes.post(
    "/deliveries/{delivery_id}/resend",
    summary="Send one event again",
    response_model=DeliveryBody,
    responses=described(401, 403, 404, 409, 503),
)
async def resend_delivery(given: Given, caller: Owner, delivery_id: str) -> Response:
    """The same bytes under the same `webhook-id`, from now on and with all attempts."""
    return answer(delivery_body(await given.webhook_history.resend(caller.account.id, delivery_id)))


@routes.get(
    "/default/secret",
    summary="Read the account's secret",
    response_model=SecretBody,
    responses=described(401, 403),
)
async def read_account_secret(given: Given, caller: Owner) -> Response:
    """What signs deliveries to a `webhook_url` that a request names."""
    return answer(secret_body(await given.webhook_endpoints.account_secret(caller.account.id)))


@routes.get("/{webhook_id}", summary="Read one", response_model=WebhookBody, responses=described(401, 403, 404))
async def read_webhook(given: Given, caller: Owner, webhook_id: str) -> Response:
    """One endpoint and how it does."""
    return answer(webhook_body(await given.webhook_endpoints.one(caller.account.id, webhook_id)))


@routes.patch(
    "/{webhook_id}",
    summary="Change one",
    response_model=WebhookBody,
    responses=described(400, 401, 403, 404, 413, 415, 503),
    openapi_extra=_body_of(ChangedWebhookBody),
)
async def change_webhook(request: Request, given: Given, caller: Owner, webhook_id: str) -> Response:
    """`enabled: true` brings a disabled endpoint back; what was held meanwhile is sent by `resend`."""
    sent = await read_json(request, ChangedWebhookBody)
    return answer(webhook_body(await given.webhook_endpoints.change(caller.account.id, webhook_id, sent.body.wish())))


@routes.delete(
    "/{webhook_id}", summary="Remove one", response_model=DeletedWebhookBody, responses=described(401, 403, 404, 503)
)
async def delete_webhook(given: Given, caller: Owner, webhook_id: str) -> Response:
    """With its secret and its log; what still waits for it is not sent."""
    await given.webhook_endpoints.remove(caller.account.id, webhook_id)
    return answer(DeletedWebhookBody(id=webhook_id))


@routes.get(
    "/{webhook_id}/secret", summary="Read its secret", response_model=SecretBody, responses=described(401, 403, 404)
)
async def read_secret(given: Given, caller: Owner, webhook_id: str) -> Response:
    """The secret that signs, for a library that verifies Standard Webhooks."""
    endpoint = await given.webhook_endpoints.one(caller.account.id, webhook_id)
    until = endpoint.previous_valid_until
    is_overlapping = until is not None and until > given.clock()
    return answer(secret_body(endpoint.secret, previous_valid_until=until if is_overlapping else None))


@routes.post(
    "/{webhook_id}/rotate-secret",
    summary="Give it a new secret",
    response_model=SecretBody,
    responses=described(401, 403, 404, 503),
)
async def rotate_secret(given: Given, caller: Owner, webhook_id: str) -> Response:
    """For a day the old one signs too: `webhook-signature` then holds two signatures, and either secret verifies."""
    endpoint = await given.webhook_endpoints.rotate_secret(caller.account.id, webhook_id)
    return answer(secret_body(endpoint.secret, previous_valid_until=endpoint.previous_valid_until))


@routes.post(
    "/{webhook_id}/test",
    summary="Send a test event",
    response_model=DeliveryBody,
    responses=described(401, 403, 404, 429, 503),
)
async def test_webhook(given: Given, caller: Tester, webhook_id: str) -> Response:
    """A signed `webhook.test`, sent at once and once; answers with what came back. Counts as a request of the minute."""
    return answer(delivery_body(await given.webhook_trial(caller.account.id, webhook_id)))


@routes.get(
    "/{webhook_id}/deliveries",
    summary="List its deliveries",
    response_model=DeliveryListBody,
    responses=described(400, 401, 403, 404),
)
async def list_deliveries_of(given: Given, caller: Owner, webhook_id: str, wanted: Wanted, part: Slice) -> Response:
    """Newest first, kept for 30 days."""
    return await _page(given, caller, replace(wanted, endpoint_id=webhook_id), part)


@routes.post(
    "/{webhook_id}/resend",
    summary="Send a range of events again",
    response_model=ResentBody,
    responses=described(400, 401, 403, 404, 409, 413, 415, 503),
    openapi_extra=_body_of(ResendBody),
)
async def resend_range(request: Request, given: Given, caller: Owner, webhook_id: str) -> Response:
    """What did not arrive, and what was held while it was disabled; the oldest first."""
    body = (await read_json(request, ResendBody)).body
    outcomes = frozenset({Outcome.FAILED, Outcome.DELIVERED} if body.delivered else {Outcome.FAILED})
    wanted = DeliveryFilter(since=body.since, until=body.until, outcomes=outcomes)
    resent = await given.webhook_history.resend_range(caller.account.id, webhook_id, wanted)
    return answer(ResentBody(resent=resent.count, has_more=resent.has_more))


async def _page(given: Services, caller: Caller, wanted: DeliveryFilter, part: PageSlice) -> Response:
    """Raises EndpointUnknown."""
    found = await given.webhook_history.page(caller.account.id, wanted, limit=part.limit + 1, before=part.before)
    next_cursor = cursor_of(found[part.limit - 1].number) if len(found) > part.limit else None
    data = [delivery_body(record) for record in found[: part.limit]]
    return answer(DeliveryListBody(data=data, has_more=next_cursor is not None, next_cursor=next_cursor))

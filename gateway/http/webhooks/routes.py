"""Webhook endpoints of the caller's account, their secrets, and the log of what was sent to them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from gateway.access import Caller
from gateway.http.answering.answers import answer, described
from gateway.http.reading.dependencies import Given, Services, actor_of, caller_with, counted_caller_with
from gateway.http.reading.json_bodies import body_of, in_json
from gateway.http.reading.paging import ListBody, Wanted, WantedPage
from gateway.http.webhooks.bodies import (
    ChangedWebhookBody,
    CreatedWebhookBody,
    DeletedWebhookBody,
    DeliveryBody,
    NewWebhookBody,
    ResendBody,
    ResentBody,
    SecretBody,
    WebhookBody,
    created_body,
    delivery_body,
    secret_body,
    webhook_body,
)
from storage import Account
from storage.delivery_log import DeliveryFilter, Outcome

SCOPE = "webhooks:write"

routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

Owner = Annotated[Caller, Depends(caller_with(SCOPE))]
Order = Annotated[NewWebhookBody, Depends(body_of(NewWebhookBody))]
Change = Annotated[ChangedWebhookBody, Depends(body_of(ChangedWebhookBody))]
Range = Annotated[ResendBody, Depends(body_of(ResendBody))]
Tester = Annotated[Caller, Depends(counted_caller_with(SCOPE))]


async def wanted_deliveries(
    event: Annotated[str | None, Query(description="The event's id: the header webhook-id.")] = None,
    subject: Annotated[str | None, Query(description="What it is about, such as a generation's id.")] = None,
    status: Outcome | None = None,
) -> DeliveryFilter:
    outcomes = frozenset(Outcome) if status is None else frozenset({status})
    return DeliveryFilter(event_id=event, subject_id=subject, outcomes=outcomes)


Meant = Annotated[DeliveryFilter, Depends(wanted_deliveries)]


@routes.post(
    "",
    summary="Add an endpoint",
    status_code=201,
    response_model=CreatedWebhookBody,
    responses=described(400, 401, 403, 413, 415, 503),
    openapi_extra=in_json(NewWebhookBody),
)
async def create_webhook(request: Request, given: Given, caller: Owner, order: Order) -> Response:
    """Its secret is in this answer, and at `GET /v1/webhooks/{id}/secret`; nowhere else."""
    made = await given.webhook_endpoints.create(caller.account.id, order.wish(), by=actor_of(caller, request))
    return answer(created_body(made), status=201, headers={"Location": f"/v1/webhooks/{made.id}"})


@routes.get("", summary="List endpoints", response_model=ListBody[WebhookBody], responses=described(401, 403))
async def list_webhooks(given: Given, caller: Owner) -> Response:
    """All of the account, newest first; there are few, so one page holds them."""
    found = await given.webhook_endpoints.all(caller.account.id)
    data = [webhook_body(endpoint) for endpoint in found]
    return answer(ListBody(data=data, has_more=False, next_cursor=None))


@routes.get(
    "/deliveries",
    summary="List deliveries of all endpoints",
    response_model=ListBody[DeliveryBody],
    responses=described(400, 401, 403),
)
async def list_deliveries(given: Given, caller: Owner, meant: Meant, wanted: WantedPage) -> Response:
    """Those to addresses that requests named, too; newest first, kept for 30 days."""
    return await _page(given, caller, meant, wanted)


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
    account, _ = await given.accounts.one(caller.account.id)
    return answer(_account_secret(given, account))


@routes.post(
    "/default/rotate-secret",
    summary="Give the account a new secret",
    response_model=SecretBody,
    responses=described(401, 403, 503),
)
async def rotate_account_secret(request: Request, given: Given, caller: Owner) -> Response:
    """As an endpoint's: for a day the old one signs too."""
    overlap = timedelta(seconds=given.settings.webhook_overlap_s)
    by = actor_of(caller, request)
    account = await given.accounts.rotate_webhook_secret(caller.account.id, overlap=overlap, by=by)
    return answer(_account_secret(given, account))


@routes.get("/{webhook_id}", summary="Read one", response_model=WebhookBody, responses=described(401, 403, 404))
async def read_webhook(given: Given, caller: Owner, webhook_id: str) -> Response:
    """One endpoint and how it does."""
    return answer(webhook_body(await given.webhook_endpoints.one(caller.account.id, webhook_id)))


@routes.patch(
    "/{webhook_id}",
    summary="Change one",
    response_model=WebhookBody,
    responses=described(400, 401, 403, 404, 413, 415, 503),
    openapi_extra=in_json(ChangedWebhookBody),
)
async def change_webhook(request: Request, given: Given, caller: Owner, webhook_id: str, change: Change) -> Response:
    """`enabled: true` brings a disabled endpoint back; what was held meanwhile is sent by `resend`."""
    by = actor_of(caller, request)
    return answer(
        webhook_body(await given.webhook_endpoints.change(caller.account.id, webhook_id, change.wish(), by=by))
    )


@routes.delete(
    "/{webhook_id}", summary="Remove one", response_model=DeletedWebhookBody, responses=described(401, 403, 404, 503)
)
async def delete_webhook(request: Request, given: Given, caller: Owner, webhook_id: str) -> Response:
    """With its secret and its log; what still waits for it is not sent."""
    await given.webhook_endpoints.remove(caller.account.id, webhook_id, by=actor_of(caller, request))
    return answer(DeletedWebhookBody(id=webhook_id))


@routes.get(
    "/{webhook_id}/secret", summary="Read its secret", response_model=SecretBody, responses=described(401, 403, 404)
)
async def read_secret(given: Given, caller: Owner, webhook_id: str) -> Response:
    """The secret that signs, for a library that verifies Standard Webhooks."""
    endpoint = await given.webhook_endpoints.one(caller.account.id, webhook_id)
    until = _if_ahead(given, endpoint.previous_valid_until)
    return answer(secret_body(endpoint.secret, previous_valid_until=until))


@routes.post(
    "/{webhook_id}/rotate-secret",
    summary="Give it a new secret",
    response_model=SecretBody,
    responses=described(401, 403, 404, 503),
)
async def rotate_secret(request: Request, given: Given, caller: Owner, webhook_id: str) -> Response:
    """For a day the old one signs too: `webhook-signature` then holds two signatures, and either secret verifies."""
    by = actor_of(caller, request)
    endpoint = await given.webhook_endpoints.rotate_secret(caller.account.id, webhook_id, by=by)
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
    response_model=ListBody[DeliveryBody],
    responses=described(400, 401, 403, 404),
)
async def list_deliveries_of(
    given: Given, caller: Owner, webhook_id: str, meant: Meant, wanted: WantedPage
) -> Response:
    """Newest first, kept for 30 days."""
    return await _page(given, caller, replace(meant, endpoint_id=webhook_id), wanted)


@routes.post(
    "/{webhook_id}/resend",
    summary="Send a range of events again",
    response_model=ResentBody,
    responses=described(400, 401, 403, 404, 409, 413, 415, 503),
    openapi_extra=in_json(ResendBody),
)
async def resend_range(given: Given, caller: Owner, webhook_id: str, sent: Range) -> Response:
    """What did not arrive, and what was held while it was disabled; the oldest first."""
    resent = await given.webhook_history.resend_range(caller.account.id, webhook_id, sent.meant())
    return answer(ResentBody(resent=resent.count, has_more=resent.has_more))


def _account_secret(given: Services, account: Account) -> SecretBody:
    until = _if_ahead(given, account.previous_webhook_secret_until)
    return secret_body(account.webhook_secret, previous_valid_until=until)


def _if_ahead(given: Services, until: datetime | None) -> datetime | None:
    return until if until is not None and until > given.clock() else None


async def _page(given: Services, caller: Caller, meant: DeliveryFilter, wanted: Wanted) -> Response:
    """Raises CursorInvalid, EndpointUnknown."""
    found = await given.webhook_history.page(caller.account.id, meant, limit=wanted.rows, before=wanted.before_number())
    return answer(wanted.page(found, delivery_body, lambda record: record.number))

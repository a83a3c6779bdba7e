"""Keys of any account."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from gateway.accounts import DEFAULT_OVERLAP_S
from gateway.http.account.key_bodies import (
    ChangedKeyBody,
    KeyBody,
    KeyOrderBody,
    NewKeyBody,
    RotationBody,
    key_body,
    new_key_body,
)
from gateway.http.admin.callers import Operator
from gateway.http.answering.answers import answer, described
from gateway.http.reading.dependencies import Given
from gateway.http.reading.json_bodies import body_of, in_json, optional_body_of
from gateway.http.reading.paging import ListBody, WantedPage

routes = APIRouter(prefix="/v1/admin", tags=["admin"])


@routes.get(
    "/keys",
    summary="List keys of all accounts",
    response_model=ListBody[KeyBody],
    responses=described(400, 401, 403, 404),
)
async def list_keys(
    given: Given, _: Operator, wanted: WantedPage, account: Annotated[str | None, Query(description="Only its.")] = None
) -> Response:
    account_id = None if account is None else (await given.accounts.one(account))[0].id
    found = await given.keys.page(account_id, limit=wanted.rows, before=wanted.before_id())
    return answer(wanted.page(found, key_body, lambda key: key.id))


@routes.post(
    "/accounts/{account_id}/keys",
    summary="Make a key for an account",
    status_code=201,
    response_model=NewKeyBody,
    responses=described(400, 401, 403, 404, 413, 415),
    openapi_extra=in_json(KeyOrderBody),
)
async def make_key(
    given: Given,
    operator: Operator,
    account_id: str,
    order: Annotated[KeyOrderBody, Depends(body_of(KeyOrderBody))],
) -> Response:
    """The answer holds the secret, this once."""
    account, _ = await given.accounts.one(account_id)
    made = await given.keys.make_for(account, order.terms(), by=operator)
    return answer(new_key_body(made), status=201, headers={"Location": f"/v1/admin/keys/{made.key.id}"})


@routes.get("/keys/{key_id}", summary="Read any key", response_model=KeyBody, responses=described(401, 403, 404))
async def read_key(given: Given, _: Operator, key_id: str) -> Response:
    return answer(key_body(await given.keys.one(key_id)))


@routes.patch(
    "/keys/{key_id}",
    summary="Change any key",
    response_model=KeyBody,
    responses=described(400, 401, 403, 404, 413, 415),
    openapi_extra=in_json(ChangedKeyBody),
)
async def change_key(
    given: Given,
    operator: Operator,
    key_id: str,
    change: Annotated[ChangedKeyBody, Depends(body_of(ChangedKeyBody))],
) -> Response:
    """Its name, scopes and bounds; nothing limits them here, and nothing is taken out of another key's cap."""
    return answer(key_body(await given.keys.change(key_id, change.change(), by=operator)))


@routes.post(
    "/keys/{key_id}/rotate",
    summary="Give any key a new secret",
    response_model=NewKeyBody,
    responses=described(400, 401, 403, 404, 413, 415),
    openapi_extra=in_json(RotationBody, is_needed=False),
)
async def rotate_key(
    given: Given,
    operator: Operator,
    key_id: str,
    rotation: Annotated[RotationBody, Depends(optional_body_of(RotationBody))],
) -> Response:
    overlap_s = DEFAULT_OVERLAP_S if rotation.overlap_s is None else rotation.overlap_s
    return answer(new_key_body(await given.keys.rotate(key_id, by=operator, overlap_s=overlap_s)))


@routes.post(
    "/keys/{key_id}/revoke", summary="Revoke any key", response_model=KeyBody, responses=described(401, 403, 404)
)
async def revoke_key(given: Given, operator: Operator, key_id: str) -> Response:
    return answer(key_body(await given.keys.revoke(key_id, by=operator)))

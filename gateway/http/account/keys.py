"""A caller's own keys. What is made or rotated here may do at most what the key that asks may do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.access import Caller
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
from gateway.http.answering.answers import answer, described
from gateway.http.reading.dependencies import Given, actor_of, caller_with
from gateway.http.reading.json_bodies import body_of, in_json, optional_body_of
from gateway.http.reading.paging import ListBody, WantedPage

routes = APIRouter(prefix="/v1/keys", tags=["keys"])

Holder = Annotated[Caller, Depends(caller_with("keys:write"))]
Order = Annotated[KeyOrderBody, Depends(body_of(KeyOrderBody))]
Change = Annotated[ChangedKeyBody, Depends(body_of(ChangedKeyBody))]
Rotation = Annotated[RotationBody, Depends(optional_body_of(RotationBody))]


@routes.post(
    "",
    summary="Make a key",
    status_code=201,
    response_model=NewKeyBody,
    responses=described(400, 401, 403, 413, 415),
    openapi_extra=in_json(KeyOrderBody),
)
async def make_key(request: Request, given: Given, caller: Holder, order: Order) -> Response:
    """The answer holds the secret, this once. Bounds that are not given are those of the key that asks."""
    made = await given.keys.make(order.terms(), by=actor_of(caller, request), maker=caller)
    return answer(new_key_body(made), status=201, headers={"Location": f"/v1/keys/{made.key.id}"})


@routes.get("", summary="List keys", response_model=ListBody[KeyBody], responses=described(400, 401, 403))
async def list_keys(given: Given, caller: Holder, wanted: WantedPage) -> Response:
    """The account's keys, revoked ones too, newest first."""
    found = await given.keys.page(caller.account.id, limit=wanted.rows, before=wanted.before_id())
    return answer(wanted.page(found, key_body, lambda key: key.id))


@routes.get("/{key_id}", summary="Read a key", response_model=KeyBody, responses=described(401, 403, 404))
async def read_key(given: Given, caller: Holder, key_id: str) -> Response:
    return answer(key_body(await given.keys.one(key_id, account_id=caller.account.id)))


@routes.patch(
    "/{key_id}",
    summary="Change a key",
    response_model=KeyBody,
    responses=described(400, 401, 403, 404, 413, 415),
    openapi_extra=in_json(ChangedKeyBody),
)
async def change_key(request: Request, given: Given, caller: Holder, key_id: str, change: Change) -> Response:
    """Its name, scopes and bounds, to at most what the key that asks has; no key gives itself more."""
    by = actor_of(caller, request)
    return answer(key_body(await given.keys.change(key_id, change.change(), by=by, maker=caller)))


@routes.post(
    "/{key_id}/rotate",
    summary="Give a key a new secret",
    response_model=NewKeyBody,
    responses=described(400, 401, 403, 404, 413, 415),
    openapi_extra=in_json(RotationBody, is_needed=False),
)
async def rotate_key(request: Request, given: Given, caller: Holder, key_id: str, rotation: Rotation) -> Response:
    """Both secrets are good for `overlap_s`, so that nothing stands still while clients change over."""
    overlap_s = DEFAULT_OVERLAP_S if rotation.overlap_s is None else rotation.overlap_s
    by = actor_of(caller, request)
    return answer(new_key_body(await given.keys.rotate(key_id, by=by, overlap_s=overlap_s, maker=caller)))


@routes.post("/{key_id}/revoke", summary="Revoke a key", response_model=KeyBody, responses=described(401, 403, 404))
async def revoke_key(request: Request, given: Given, caller: Holder, key_id: str) -> Response:
    """For good, within five seconds on every server; a key that is revoked already stays as it is."""
    return answer(key_body(await given.keys.revoke(key_id, by=actor_of(caller, request), maker=caller)))

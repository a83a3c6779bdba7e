"""Accounts and their credits."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from gateway.accounts import DEFAULT_PLAN
from gateway.http.account.credit_bodies import EntryBody, entry_body
from gateway.http.admin.bodies import (
    AccountRowBody,
    ChangedAccountBody,
    CreditsBody,
    NewAccountBody,
    account_row,
)
from gateway.http.admin.callers import Operator
from gateway.http.answering.answers import answer, described
from gateway.http.reading.dependencies import Given
from gateway.http.reading.json_bodies import body_of, in_json
from gateway.http.reading.paging import ListBody, WantedPage

routes = APIRouter(prefix="/v1/admin/accounts", tags=["admin"])


@routes.get("", summary="List accounts", response_model=ListBody[AccountRowBody], responses=described(400, 401, 403))
async def list_accounts(given: Given, _: Operator, wanted: WantedPage) -> Response:
    found = await given.accounts.page(limit=wanted.rows, before=wanted.before_id())
    return answer(wanted.page(found, account_row, lambda row: row[0].id))


@routes.post(
    "",
    summary="Make an account",
    status_code=201,
    response_model=AccountRowBody,
    responses=described(400, 401, 403, 413, 415),
    openapi_extra=in_json(NewAccountBody),
)
async def make_account(
    given: Given, operator: Operator, order: Annotated[NewAccountBody, Depends(body_of(NewAccountBody))]
) -> Response:
    """Without credits and without keys."""
    made = await given.accounts.create(order.name, order.plan or DEFAULT_PLAN, by=operator)
    body = account_row(await given.accounts.one(made.id))
    return answer(body, status=201, headers={"Location": f"/v1/admin/accounts/{made.id}"})


@routes.get(
    "/{account_id}", summary="Read an account", response_model=AccountRowBody, responses=described(401, 403, 404)
)
async def read_account(given: Given, _: Operator, account_id: str) -> Response:
    """By id, or by name."""
    return answer(account_row(await given.accounts.one(account_id)))


@routes.patch(
    "/{account_id}",
    summary="Move an account to another plan",
    response_model=AccountRowBody,
    responses=described(400, 401, 403, 404, 413, 415),
    openapi_extra=in_json(ChangedAccountBody),
)
async def change_account(
    given: Given,
    operator: Operator,
    account_id: str,
    change: Annotated[ChangedAccountBody, Depends(body_of(ChangedAccountBody))],
) -> Response:
    await given.accounts.move(account_id, change.plan, by=operator)
    return answer(account_row(await given.accounts.one(account_id)))


@routes.post(
    "/{account_id}/suspend",
    summary="Suspend an account",
    response_model=AccountRowBody,
    responses=described(401, 403, 404),
)
async def suspend_account(given: Given, operator: Operator, account_id: str) -> Response:
    """Its keys are refused with `account_suspended`; what it has queued is still painted."""
    await given.accounts.suspend(account_id, by=operator)
    return answer(account_row(await given.accounts.one(account_id)))


@routes.post(
    "/{account_id}/resume",
    summary="Resume an account",
    response_model=AccountRowBody,
    responses=described(401, 403, 404),
)
async def resume_account(given: Given, operator: Operator, account_id: str) -> Response:
    await given.accounts.resume(account_id, by=operator)
    return answer(account_row(await given.accounts.one(account_id)))


@routes.get(
    "/{account_id}/credits",
    summary="List an account's ledger",
    response_model=ListBody[EntryBody],
    responses=described(400, 401, 403, 404),
)
async def list_credits(given: Given, _: Operator, account_id: str, wanted: WantedPage) -> Response:
    found = await given.credits.entries(account_id, limit=wanted.rows, before=wanted.before_number())
    return answer(wanted.page(found, entry_body, lambda entry: entry.number))


@routes.post(
    "/{account_id}/credits",
    summary="Grant credits, or take some back",
    response_model=AccountRowBody,
    responses=described(400, 401, 402, 403, 404, 413, 415),
    openapi_extra=in_json(CreditsBody),
)
async def change_credits(
    given: Given,
    operator: Operator,
    account_id: str,
    change: Annotated[CreditsBody, Depends(body_of(CreditsBody))],
) -> Response:
    """A new row in the ledger. 402: fewer are available than shall be taken back."""
    return answer(
        account_row(await given.credits.change(account_id, change.credits, note=change.note or "", by=operator))
    )

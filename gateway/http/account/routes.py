"""The caller's own account."""

from fastapi import APIRouter, Response

from gateway.access import Caller
from gateway.access.quota import requests_used
from gateway.http.account.credit_bodies import EntryBody, entry_body
from gateway.http.answering.answers import answer, described
from gateway.http.generations.routes import Reader
from gateway.http.reading.dependencies import Given
from gateway.http.reading.paging import ListBody, WantedPage
from gateway.wire import AccountBody, LimitsBody, OwnKeyBody, UsageBody
from storage.accounts import balances
from storage.keys import key_by_id

routes = APIRouter(prefix="/v1", tags=["account"])


@routes.get("/account", summary="Plan, credits, use", response_model=AccountBody, responses=described(401, 403))
async def read_account(given: Given, caller: Reader) -> Response:
    """What is left: credits, and requests of this minute, day and month."""
    now, plan = given.clock(), caller.plan
    async with given.database.reading() as connection:
        used = await requests_used(connection, caller, now=now)
        balance = (await balances(connection, [caller.account.id]))[caller.account.id]
        key = await key_by_id(connection, caller.key.id)
    window = given.windows.look(caller.key.id, caller.requests_per_minute, now=now)
    return answer(
        AccountBody(
            account_id=caller.account.id,
            name=caller.account.name,
            plan=plan.id,
            livemode=caller.is_live,
            scopes=sorted(caller.key.scopes),
            credits=balance.available if plan.counts_credits else None,
            credits_held=balance.held,
            credits_captured=balance.captured,
            usage=UsageBody(
                minute=window.limit - window.remaining if window else 0, day=used["day"], month=used["month"]
            ),
            limits=_limits(caller),
            key=_own_key(caller, today=used["day of this key"], spent=key.spent if key else 0),
        )
    )


@routes.get(
    "/account/credits",
    summary="List the account's ledger",
    response_model=ListBody[EntryBody],
    responses=described(400, 401, 403),
)
async def list_credits(given: Given, caller: Reader, wanted: WantedPage) -> Response:
    """Every row that moved credits, newest first: what was granted, held, captured and released."""
    found = await given.credits.entries(caller.account.id, limit=wanted.rows, before=wanted.before_number())
    return answer(wanted.page(found, entry_body, lambda entry: entry.number))


def _limits(caller: Caller) -> LimitsBody:
    """The plan's, but for the minute, which is each key's own."""
    of_plan = LimitsBody.model_validate(caller.plan, from_attributes=True)
    return of_plan.model_copy(update={"requests_per_minute": caller.requests_per_minute})


def _own_key(caller: Caller, *, today: int, spent: int) -> OwnKeyBody:
    key = caller.key
    return OwnKeyBody(
        id=key.id,
        name=key.name,
        expires_at=key.expires_at,
        requests_per_minute=key.rpm,
        requests_per_day=key.rpd,
        requests_today=today,
        max_open=key.max_open,
        spend_cap=key.spend_cap,
        credits_spent=spent,
        models=None if key.models is None else sorted(key.models),
        styles=None if key.styles is None else sorted(key.styles),
        networks=None if key.networks is None else sorted(key.networks),
    )

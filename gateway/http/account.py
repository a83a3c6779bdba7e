"""The caller's own account."""

from fastapi import APIRouter, Response

from gateway.access.quota import requests_used
from gateway.http.answering import answer, described
from gateway.http.dependencies import Given
from gateway.http.generations import Reader
from gateway.wire import AccountBody, LimitsBody, UsageBody
from storage.accounts import balances

routes = APIRouter(prefix="/v1", tags=["account"])


@routes.get("/account", summary="Plan, credits, use", response_model=AccountBody, responses=described(401, 403))
async def read_account(given: Given, caller: Reader) -> Response:
    """What is left: credits, and requests of this minute, day and month."""
    now, plan = given.clock(), caller.plan
    async with given.database.reading() as connection:
        used = await requests_used(connection, caller, now=now)
        balance = (await balances(connection, [caller.account.id]))[caller.account.id]
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
            limits=LimitsBody(
                requests_per_minute=caller.requests_per_minute,
                requests_per_day=plan.requests_per_day if caller.key.rpd is None else caller.key.rpd,
                requests_per_month=plan.requests_per_month,
                max_side=plan.max_side,
                max_images=plan.max_images,
                max_inference_steps=plan.max_inference_steps,
                upscale=plan.upscale,
            ),
        )
    )

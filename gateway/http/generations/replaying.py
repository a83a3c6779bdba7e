"""Paint a generation again and answer whether the same pixels came out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from gateway.access import Caller
from gateway.http.answering.answers import answer, described
from gateway.http.generations.presenting import accepted_body, replay_body
from gateway.http.generations.waiting import wait_for
from gateway.http.reading.dependencies import Given, IdempotencyKey, caller_with, painting_caller
from gateway.http.reading.preferring import read_preference
from gateway.wire import AcceptedBody, ReplayBody

routes = APIRouter(prefix="/v1", tags=["generations"])


@routes.post(
    "/generations/{generation_id}/replay",
    summary="Paint it again and compare",
    response_model=ReplayBody,
    responses={202: {"model": AcceptedBody}, **described(400, 401, 402, 403, 404, 409, 410, 422, 429, 500, 503)},
)
async def replay(
    request: Request,
    given: Given,
    caller: Annotated[Caller, Depends(painting_caller)],
    generation_id: str,
    prefer: Annotated[str, Header()] = "",
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Paint a completed generation again from its stored recipe, as a new generation, and answer what differs.

    It costs what the first one cost, and takes no body. `identical` is true when every pixel of every picture is the
    same. When the wait is over before the painting (60 s, or `Prefer: wait=n`) the answer is 202; the comparison then
    stands at `/v1/generations/{new id}/replay`.
    """
    accepted = await given.replay(caller, generation_id, idempotency_key=idempotency_key)
    wait_s = read_preference(prefer).wait_within(given.settings.sync_wait_s)
    waited = await wait_for(request, given, caller, accepted, wait_s=wait_s)
    if waited.ended is not None:
        return answer(replay_body(await given.replay.outcome(caller, accepted.generation_id)))
    body = accepted_body(accepted, given.urls)
    return answer(body, status=202, headers={"Location": body.poll_url})


@routes.get(
    "/generations/{generation_id}/replay",
    summary="Compare a replay with its original",
    response_model=ReplayBody,
    responses=described(401, 403, 404, 409),
)
async def read_replay(
    given: Given, caller: Annotated[Caller, Depends(caller_with("read"))], generation_id: str
) -> Response:
    """The comparison of a generation that painted another one again (`replay_of` names it), once it is completed."""
    return answer(replay_body(await given.replay.outcome(caller, generation_id)))

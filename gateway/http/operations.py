"""For whoever runs this: is the process alive, can it paint, what has it counted."""

import hmac
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from gateway.http.answering.answers import answer
from gateway.http.edge.refusals import PathUnknown
from gateway.http.reading.dependencies import Given, token_of
from gateway.metrics import CONTENT_TYPE
from gateway.settings import Settings
from storage.generations import count_open_states

routes = APIRouter(tags=["operations"])


class AliveBody(BaseModel):
    status: Literal["ok"] = "ok"


class EngineBody(BaseModel):
    """`why` says why this device was taken, or why it is not ready.

    `slots` is how many pictures it holds at a time; `notes` says, a line each, how models are held that are not plainly
    whole on the device.
    """

    ready: bool
    device: str
    device_name: str
    models: list[str]
    why: str
    slots: int
    notes: list[str]


class ReadyBody(BaseModel):
    """`stopped` names what should run beside the requests and has broken; only a restart brings it back.

    `faults` says of what was tried and does not work why: `database`, `workspace` (the folder where is painted) and
    `pictures` (the store). `warnings` are for the operator, a sentence each; they do not make it less ready.
    """

    ready: bool
    database: bool
    faults: dict[str, str]
    engine: EngineBody
    stopped: list[str]
    warnings: list[str]


@routes.get("/healthz", summary="The process answers", response_model=AliveBody)
async def alive() -> Response:
    return answer(AliveBody())


@routes.get(
    "/readyz",
    summary="Everything needed to paint is there",
    response_model=ReadyBody,
    responses={503: {"model": ReadyBody, "description": "Not yet, or not any more; work is accepted and waits."}},
)
async def ready(given: Given) -> Response:
    state, faults = given.engine.state(), await given.readiness.faults()
    body = ReadyBody(
        ready=False,
        database="database" not in faults,
        faults=dict(faults),
        engine=EngineBody(
            ready=state.is_ready,
            device=state.device,
            device_name=state.device_name,
            models=list(state.resident_models),
            why=state.why,
            slots=state.slots,
            notes=list(state.notes),
        ),
        stopped=list(given.stopped),
        warnings=[said for said in (given.proxy_signs.warning, given.own_address.warning) if said is not None],
    )
    body.ready = not body.faults and body.engine.ready and not body.stopped
    return answer(body, status=200 if body.ready else 503)


@routes.get("/metrics", include_in_schema=False)
async def read_metrics(request: Request, given: Given) -> Response:
    """For whoever operates this: with `PINXIT_METRICS_TOKEN` as a bearer token, or, where none is set, on an
    installation that only its own machine can reach. For anybody else there is no such path."""
    if not _may_read(request, given.settings):
        raise PathUnknown("Nothing is served at /metrics.")
    async with given.database.reading() as connection:
        given.metrics.set_open(await count_open_states(connection))
    return Response(given.metrics.written(), media_type=CONTENT_TYPE)


def _may_read(request: Request, settings: Settings) -> bool:
    if settings.metrics_token is None:
        return settings.is_local and not request.state.is_proxied
    return hmac.compare_digest(token_of(request).encode(), settings.metrics_token.get_secret_value().encode())

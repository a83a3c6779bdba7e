"""For whoever runs this: is the process alive, can it paint."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.http.answering import answer
from gateway.http.dependencies import Given
from models import Failed
from storage import Database

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
    """`stopped` names what should run beside the requests and has broken; only a restart brings it back."""

    ready: bool
    database: bool
    engine: EngineBody
    stopped: list[str]


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
    state = given.engine.state()
    body = ReadyBody(
        ready=False,
        database=await _answers(given.database),
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
    )
    body.ready = body.database and body.engine.ready and not body.stopped
    return answer(body, status=200 if body.ready else 503)


async def _answers(database: Database) -> bool:
    try:
        async with database.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")
    except Failed:
        return False
    return True

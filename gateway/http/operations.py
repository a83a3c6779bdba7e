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
    """`why` says why this device was taken, or why it is not ready."""

    ready: bool
    device: str
    device_name: str
    models: list[str]
    why: str


class ReadyBody(BaseModel):
    ready: bool
    database: bool
    engine: EngineBody


@routes.get("/healthz", summary="The process answers", response_model=AliveBody)
async def alive() -> Response:
    return answer(AliveBody())


@routes.get(
    "/readyz",
    summary="Everything needed to paint is there",
    response_model=ReadyBody,
    responses={503: {"model": ReadyBody, "description": "Not yet; work is accepted and waits."}},
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
        ),
    )
    body.ready = body.database and body.engine.ready
    return answer(body, status=200 if body.ready else 503)


async def _answers(database: Database) -> bool:
    try:
        async with database.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")
    except Failed:
        return False
    return True

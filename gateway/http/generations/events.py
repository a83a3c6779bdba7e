"""`GET /v1/generations/{id}/events`: a generation followed live, by server-sent events."""

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field

from gateway.access import Caller
from gateway.generations import PublicUrls
from gateway.generations.showing.watching import (
    BEGINNING,
    PREVIEW_EVERY,
    Ended,
    Mark,
    Progressed,
    Queued,
    Started,
    WatchEvent,
)
from gateway.http.answering.answers import described
from gateway.http.answering.event_stream import MEDIA_TYPE, EventStream, KeepAlive, written_event
from gateway.http.edge.problems import problem_body
from gateway.http.generations.presenting import generation_body
from gateway.http.reading.dependencies import Given, caller_with, services_of
from gateway.wire import AHEAD, GenerationBody, Moment, ProgressBody
from models import DomainError, Progress

routes = APIRouter(prefix="/v1", tags=["generations"])

Reader = Annotated[Caller, Depends(caller_with("read"))]


class QueuedEvent(BaseModel):
    """`queued`: it waits; told again when its place has changed."""

    generation_id: str
    status: Literal["queued"] = "queued"
    queue_position: int = Field(description=AHEAD)
    eta_ms: int = Field(description="About how long until it is completed.")


class StartedEvent(BaseModel):
    """`started`: its painting has begun."""

    generation_id: str
    status: Literal["processing"] = "processing"
    started_at: Moment | None


class ProgressEvent(ProgressBody):
    """`progress`: how far its pictures are together.

    `preview` is a data URL of a small JPEG, every few steps: what picture `preview_index` of `images` will look like.
    """

    generation_id: str
    status: Literal["processing"] = "processing"
    preview: str | None
    preview_index: int | None


EventBody = QueuedEvent | StartedEvent | ProgressEvent | GenerationBody
EVENT_SCHEMA = {
    "type": "object",
    "description": "One event, by the names of its fields.",
    "properties": {
        "event": {"enum": ["queued", "started", "progress", "completed", "failed", "canceled", "error"]},
        "id": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {
                "anyOf": [{"$ref": f"#/components/schemas/{body.__name__}"} for body in get_args(EventBody)]
            },
        },
    },
    "required": ["event", "data"],
}

DESCRIPTION = """Server-sent events from where the generation stands to its end, then the stream closes: `queued` (again
when its place changes), `started`, `progress`, and one of `completed`, `failed` and `canceled` with the generation as
`GET /v1/generations/{generation_id}` shows it. `error`, with an error body, ends a stream that cannot go on.

Ids grow. Come back with `Last-Event-ID` to hear what you have missed and still matters; after the end that is 204, upon
which a browser's `EventSource` stays away. Comments in between are signs of life."""

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events, one after the other.", "content": {MEDIA_TYPE: {"schema": EVENT_SCHEMA}}},
    204: {"description": "`Last-Event-ID` is of the last event: there is nothing more to hear."},
    **described(400, 401, 403, 404, 503),
}


@routes.get(
    "/generations/{generation_id}/events",
    summary="Follow one live",
    description=DESCRIPTION,
    status_code=200,
    response_class=Response,
    responses=ANSWERS,
)
async def follow_generation(
    request: Request,
    given: Given,
    caller: Reader,
    generation_id: str,
    previews: Annotated[bool, Query(description="Small pictures of what it will look like, every few steps.")] = True,
    last_event_id: Annotated[str, Header(description="The `id` of the last event you have heard.")] = "",
) -> Response:
    after = Mark.read(last_event_id) or BEGINNING
    every = PREVIEW_EVERY if previews else 0
    events = given.watching(caller, generation_id, after=after, preview_every=every)
    first = await anext(events, None)  # what is wrong with the call is answered as to any other call
    if first is None:
        return Response(status_code=204)
    keep_alive = KeepAlive(heartbeat_s=given.settings.heartbeat_s, stopping=given.stopping)
    return EventStream(_written(first, events, request), keep_alive)


async def _written(first: WatchEvent, events: AsyncGenerator[WatchEvent], request: Request) -> AsyncGenerator[bytes]:
    """The status has been sent; what goes wrong from here on can only be an event."""
    urls, generation_id = services_of(request).urls, request.path_params["generation_id"]
    async with aclosing(events):
        yield _event(first, generation_id, urls)
        try:
            async for event in events:
                yield _event(event, generation_id, urls)
        except DomainError as error:
            body = problem_body(error, request_id=request.state.request_id, types=urls.errors)
            yield written_event(body.model_dump_json(), name="error")


def _event(event: WatchEvent, generation_id: str, urls: PublicUrls) -> bytes:
    name, body = _named_body(event, generation_id, urls)
    return written_event(body.model_dump_json(), name=name, id=str(event.mark))


def _named_body(event: WatchEvent, generation_id: str, urls: PublicUrls) -> tuple[str, EventBody]:
    match event:
        case Queued():
            return "queued", QueuedEvent(
                generation_id=generation_id, queue_position=event.position, eta_ms=event.eta_ms
            )
        case Started():
            return "started", StartedEvent(generation_id=generation_id, started_at=event.generation.started_at)
        case Progressed():
            return "progress", _progress_event(event, event.progress, generation_id)
        case Ended():
            return event.view.generation.state.value, generation_body(event.view, urls)


def _progress_event(event: Progressed, progress: Progress, generation_id: str) -> ProgressEvent:
    preview = None if event.preview is None else base64.b64encode(event.preview).decode()
    return ProgressEvent(
        generation_id=generation_id,
        phase=progress.phase.value,
        step=progress.step,
        steps=progress.steps,
        eta_ms=progress.eta_ms,
        preview=preview and f"data:image/jpeg;base64,{preview}",
        preview_index=event.position,
    )

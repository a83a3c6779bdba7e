"""`/sdapi/v1`, A1111's web UI: paint, look at the progress, interrupt, read what is written in a picture.

What it lists for menus stands in `lists`. Every key sees and stops only what itself has asked for.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from gateway.access import Caller
from gateway.generations import AlreadyFinished, Ask, View
from gateway.generations.inputs.sources import content_of
from gateway.http.answering.answers import answer
from gateway.http.dialects.a1111.answers import PictureTextAnswer, picture_text, pictures_answer
from gateway.http.dialects.a1111.lists import chosen_models
from gateway.http.dialects.a1111.orders import ImageToImageBody, TextToImageBody
from gateway.http.dialects.members import in_words
from gateway.http.dialects.model_names import model_names
from gateway.http.dialects.samplers import spaced
from gateway.http.dialects.source_images import with_source_images
from gateway.http.dialects.warnings import warning_headers, warnings_of
from gateway.http.generations.waiting import picture_or_refusal
from gateway.http.reading.dependencies import AnyCaller, Given, Services, caller_with, painting_caller
from gateway.http.reading.lenient import Read, read_json
from gateway.image_decoder import ImageInvalid
from gateway.image_decoder.containers import container_of
from models import Phase, Progress
from safety import Surface
from storage import Filters, State
from storage.encoding import read_text

routes = APIRouter(prefix="/sdapi/v1", include_in_schema=False)

Painter = Annotated[Caller, Depends(painting_caller)]
Stopper = Annotated[Caller, Depends(caller_with("generate"))]
Reader = Annotated[Caller, Depends(caller_with("read"))]


Asked = Read[TextToImageBody] | Read[ImageToImageBody]


class PictureBody(BaseModel):
    image: str


class ProgressState(BaseModel):
    """Their own words; `job` is the generation's id."""

    skipped: bool = False
    interrupted: bool = False
    job: str = ""
    job_count: int = 0
    job_no: int = 0
    sampling_step: int = 0
    sampling_steps: int = 0


class ProgressAnswer(BaseModel):
    """`progress` from 0 to 1, `eta_relative` in seconds; both 0 while the caller has nothing in the making."""

    progress: float
    eta_relative: float
    state: ProgressState
    current_image: str | None = None
    textinfo: str | None = None


async def text_body(request: Request) -> Read[TextToImageBody]:
    return await read_json(request, TextToImageBody)


async def image_body(request: Request) -> Read[ImageToImageBody]:
    return await read_json(request, ImageToImageBody)


async def picture_body(request: Request) -> Read[PictureBody]:
    return await read_json(request, PictureBody)


@routes.post("/txt2img")
async def text_to_image(
    request: Request, given: Given, caller: Painter, sent: Annotated[Read[TextToImageBody], Depends(text_body)]
) -> Response:
    with in_words(sent.body.words()):
        return await _painted(request, given, caller, sent, _ask(request, given, caller, sent))


@routes.post("/img2img")
async def image_to_image(
    request: Request, given: Given, caller: Painter, sent: Annotated[Read[ImageToImageBody], Depends(image_body)]
) -> Response:
    with in_words(sent.body.words()):
        ask = _ask(request, given, caller, sent)
        begun = await with_source_images(given, caller, ask, sent.body.pictures())
        return await _painted(request, given, caller, sent, begun)


def _ask(request: Request, given: Services, caller: Caller, sent: Asked) -> Ask:
    """Raises RequestInvalid."""
    body, chosen = sent.body, chosen_models(request).of(caller.key.id)
    asked = body.request(model_names(given), chosen_model=chosen)
    if body.scheduler:
        taken = given.submit.decide.sampler_of(asked)
        asked = replace(asked, sampler=spaced(taken, body.scheduler))
    return Ask(surface=Surface.A1111, request=asked, body_sha256=sent.sha256, notices=body.notices(asked))


async def _painted(request: Request, given: Services, caller: Caller, sent: Asked, ask: Ask) -> Response:
    """`parameters` repeats the call, but for the pictures in it."""
    view = await picture_or_refusal(request, given, caller, ask, wait_s=given.settings.sync_wait_s)
    parameters = sent.body.model_dump(exclude_unset=True, exclude={"init_images", "mask"})
    found = warnings_of(view, sent.body.words())
    body = await pictures_answer(view, given.files, parameters=parameters, warnings=found)
    return answer(body, headers=warning_headers(found))


@routes.get("/progress")
async def read_progress(given: Given, caller: Reader) -> Response:
    views = await _in_the_making(given, caller)
    return answer(_progress_answer(views[0] if views else None))


@routes.post("/interrupt")
@routes.post("/skip")
async def interrupt(given: Given, caller: Stopper) -> Response:
    """Cancel what this key has in the making; nobody else's, and nothing that waits."""
    for view in await _in_the_making(given, caller):
        with suppress(AlreadyFinished):  # it was quicker
            await given.cancel(caller, view.generation.id)
    return JSONResponse({})


@routes.post("/png-info")
async def read_picture_text(_: AnyCaller, sent: Annotated[Read[PictureBody], Depends(picture_body)]) -> Response:
    """Raises RequestInvalid: this is no picture."""
    content = content_of(sent.body.image, field="image")
    container_of(content, field="image")  # Pillow shall only see what is whole, and then reads the words alone
    try:
        texts = await asyncio.to_thread(read_text, content)
    except ValueError:
        raise ImageInvalid("`image` cannot be read.", field="image") from None
    try:
        return answer(picture_text(texts))
    except msgspec.DecodeError:  # somebody else's text under our name
        return answer(PictureTextAnswer(info="", items=dict(texts), parameters={}))


async def _in_the_making(given: Services, caller: Caller) -> list[View]:
    """What is being painted for this key, the newest first."""
    page = await given.fetch.page(caller, limit=100, cursor=None, filters=Filters(state=State.PROCESSING))
    return [view for view in page.views if view.generation.key_id == caller.key.id]


def _progress_answer(current: View | None) -> ProgressAnswer:
    if current is None:
        return ProgressAnswer(progress=0, eta_relative=0, state=ProgressState())
    progress = current.progress or Progress(phase=Phase.WAITING)
    return ProgressAnswer(
        progress=progress.step / progress.steps if progress.steps else 0,
        eta_relative=(progress.eta_ms or 0) / 1000,
        state=ProgressState(
            job=current.generation.id,
            job_count=1,
            sampling_step=progress.step,
            sampling_steps=progress.steps,
        ),
    )

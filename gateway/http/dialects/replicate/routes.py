"""Replicate's predictions: nearly our own generations, under other words. Every model here belongs to `local`."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from gateway.access import Caller
from gateway.generations import AlreadyFinished, Ask
from gateway.http.answering.answers import answer
from gateway.http.dialects.members import in_words
from gateway.http.dialects.model_names import model_names
from gateway.http.dialects.replicate.answers import INPUT_WORDS, prediction_answer, prediction_page, prediction_url
from gateway.http.dialects.replicate.orders import PredictionBody, read_version
from gateway.http.dialects.source_images import with_source_images
from gateway.http.dialects.warnings import warning_headers, warnings_of
from gateway.http.generations.waiting import accepted_from, ended
from gateway.http.reading.dependencies import Given, IdempotencyKey, Services, caller_with, painting_caller
from gateway.http.reading.lenient import Read, read_json
from gateway.http.reading.preferring import read_preference
from models import GenerationRequest, ParameterMissing
from models.notices import Notices, ignored
from safety import Surface

LONGEST_WAIT_S = 60.0
NO_DEADLINE = (ignored("Cancel-After", "a prediction ends when it has ended, or is canceled."),)
WAITS = re.compile(r"(?:^|,)\s*wait\b")

routes = APIRouter(prefix="/v1", include_in_schema=False)

Painter = Annotated[Caller, Depends(painting_caller)]
Reader = Annotated[Caller, Depends(caller_with("read"))]
Canceler = Annotated[Caller, Depends(caller_with("generate"))]


async def prediction_body(request: Request) -> Read[PredictionBody]:
    return await read_json(request, PredictionBody)


Sent = Annotated[Read[PredictionBody], Depends(prediction_body)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What comes with a prediction's body: how long to wait, and what makes asking twice harmless."""

    request: Request
    prefer: str
    idempotency_key: str | None

    @property
    def wait_s(self) -> float:
        """Without `Prefer: wait` nobody waits; without a number in it, a minute."""
        return read_preference(self.prefer).wait_within(LONGEST_WAIT_S) if WAITS.search(self.prefer) else 0

    @property
    def notices(self) -> Notices:
        """Replicate's deadline for a prediction; here one ends when it has ended, or is canceled."""
        return NO_DEADLINE if "cancel-after" in self.request.headers else ()


async def call_of(request: Request, idempotency_key: IdempotencyKey, prefer: Annotated[str, Header()] = "") -> Call:
    return Call(request=request, prefer=prefer, idempotency_key=idempotency_key)


Calling = Annotated[Call, Depends(call_of)]


@routes.post("/models/{owner}/{name}/predictions")
async def predict_with_model(
    given: Given, caller: Painter, sent: Sent, calling: Calling, owner: str, name: str
) -> Response:
    return await _predicted(given, caller, sent, calling, version=f"{owner}/{name}")


@routes.post("/predictions")
async def predict(given: Given, caller: Painter, sent: Sent, calling: Calling) -> Response:
    """Raises ParameterMissing: no `version`."""
    if sent.body.version is None:
        raise ParameterMissing("`version` is needed: a model's name.", field="version")
    return await _predicted(given, caller, sent, calling, version=sent.body.version)


@routes.get("/predictions")
async def list_predictions(
    given: Given,
    caller: Reader,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> Response:
    """Every generation of the account, newest first, however it was asked for."""
    page = await given.fetch.page(caller, limit=limit, cursor=cursor)
    return answer(prediction_page(page, given.urls))


@routes.get("/predictions/{prediction_id}")
async def read_prediction(given: Given, caller: Reader, prediction_id: str) -> Response:
    return answer(prediction_answer(await given.fetch.one(caller, prediction_id), given.urls))


@routes.post("/predictions/{prediction_id}/cancel")
async def cancel_prediction(given: Given, caller: Canceler, prediction_id: str) -> Response:
    """Cancelling what has ended changes nothing, there as here."""
    with suppress(AlreadyFinished):
        await given.cancel(caller, prediction_id)
    return answer(prediction_answer(await given.fetch.one(caller, prediction_id), given.urls))


async def _predicted(
    given: Services, caller: Caller, sent: Read[PredictionBody], call: Call, *, version: str
) -> Response:
    """The prediction as it stands when the wait is over, 201 in any case: a failed one too has been made.

    Whoever leaves meanwhile may come back to it: nothing is canceled by that.
    """
    body, names = sent.body, model_names(given)
    if body.webhook is not None:
        given.destinations.check_url(body.webhook)
    with in_words(body.input.words()):
        body.check_supported()
        model = read_version(version, names)
        pixels = (given.catalogue.default if model is None else given.catalogue.get(model)).default_size.pixels
        ask = _ask(sent, call, body.input.request(model, pixels=pixels))
        begun = await with_source_images(given, caller, ask, body.input.pictures())
        accepted = await accepted_from(call.request, given, caller, begun)
    view = await ended(given, caller, accepted.generation_id, wait_s=call.wait_s)
    headers = {
        "Location": prediction_url(accepted.generation_id, given.urls),
        **warning_headers(warnings_of(view, INPUT_WORDS)),
    }
    prediction = prediction_answer(view, given.urls)
    if prediction.status == "processing":
        prediction.status = "starting"  # to a call that waited, their client takes any other word for the end
    return answer(prediction, status=201, headers=headers)


def _ask(sent: Read[PredictionBody], call: Call, asked: GenerationRequest) -> Ask:
    body = sent.body
    return Ask(
        surface=Surface.REPLICATE,
        request=asked,
        webhook_url=body.webhook,
        prediction_events=body.events,
        idempotency_key=call.idempotency_key,
        body_sha256=sent.sha256,
        notices=(*body.notices(asked), *call.notices),
    )

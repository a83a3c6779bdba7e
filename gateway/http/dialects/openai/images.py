"""`POST /v1/images/generations`: paint, for clients of OpenAI's image endpoints and together's."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from gateway.access import Caller
from gateway.generations import Ask
from gateway.http.answering.answers import described
from gateway.http.dialects.members import in_words
from gateway.http.dialects.model_names import ModelNames, model_names
from gateway.http.dialects.openai.answers import ImagesAnswer, images_answer
from gateway.http.dialects.openai.orders import ImagesBody
from gateway.http.dialects.openai.stream import Streaming, Verb
from gateway.http.dialects.warnings import warning_headers, warnings_of
from gateway.http.edge.refusals import ModerationBlocked
from gateway.http.generations.waiting import accepted_from, picture_or_refusal
from gateway.http.reading.dependencies import Given, IdempotencyKey, Services, painting_caller
from gateway.http.reading.lenient import Read, read_json
from safety import PromptBlocked, Surface

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ImagesBody"}}},
    }
}

routes = APIRouter(prefix="/v1", tags=["openai"])

Painter = Annotated[Caller, Depends(painting_caller)]


async def images_body(request: Request) -> Read[ImagesBody]:
    return await read_json(request, ImagesBody)


@routes.post(
    "/images/generations",
    summary="Paint, in the words of OpenAI's clients",
    response_model=ImagesAnswer,
    responses=described(400, 401, 402, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503, 504),
    openapi_extra=BODY,
)
async def generate_images(
    request: Request,
    given: Given,
    caller: Painter,
    sent: Annotated[Read[ImagesBody], Depends(images_body)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Paint and answer with the pictures: it waits, and never answers 202. With `stream` the answer is server-sent
    events: up to `partial_images` pictures in the making, then the pictures.

    Members that changed nothing are named in `warnings`, and in the header `X-Pinxit-Ignored`.
    """
    call = ImagesCall(request=request, given=given, caller=caller, body=sent.body, verb="image_generation")
    with in_words(sent.body.words()):
        ask = ask_of(sent.body, model_names(given), idempotency_key=idempotency_key, body_sha256=sent.sha256)
        return await call.answer(ask)


def ask_of(body: ImagesBody, names: ModelNames, *, idempotency_key: str | None, body_sha256: str) -> Ask:
    """Raises RequestInvalid: a value breaks its rule."""
    request = body.request(names)
    return Ask(
        surface=Surface.OPENAI,
        request=request,
        idempotency_key=idempotency_key,
        body_sha256=body_sha256,
        metadata=body.metadata(),
        notices=body.without_effect(request),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesCall:
    """A call of one of OpenAI's image endpoints, answered at once or as a stream."""

    request: Request
    given: Services
    caller: Caller
    body: ImagesBody
    verb: Verb

    async def answer(self, ask: Ask) -> Response:
        """Raises Refused, Failed: as `picture_or_refusal`, with ModerationBlocked in PromptBlocked's place."""
        try:
            return await (self._stream(ask) if self.body.stream else self._pictures(ask))
        except PromptBlocked as blocked:
            raise ModerationBlocked(blocked.message, category=blocked.category) from None

    async def _pictures(self, ask: Ask) -> Response:
        given = self.given
        view = await picture_or_refusal(self.request, given, self.caller, ask, wait_s=given.settings.sync_wait_s)
        found = warnings_of(view, self.body.words())
        body = await images_answer(
            view, is_base64=self.body.is_base64, urls=given.urls, files=given.files, warnings=found
        )
        return Response(
            body.model_dump_json(exclude_none=True),
            headers=warning_headers(found),
            media_type="application/json",
        )

    async def _stream(self, ask: Ask) -> Response:
        accepted = await accepted_from(self.request, self.given, self.caller, ask)
        streaming = Streaming(
            request=self.request,
            given=self.given,
            caller=self.caller,
            verb=self.verb,
            partial_images=self.body.partial_images or 0,
            words=self.body.words(),
        )
        return await streaming.answer(accepted.generation_id)

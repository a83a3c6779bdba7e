"""`POST /v1/images/generations`: paint, for clients of OpenAI's image endpoints and together's."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from gateway.access import Caller
from gateway.generations import Ask, View
from gateway.http.answering import described
from gateway.http.dependencies import Given, IdempotencyKey, Services, painting_caller
from gateway.http.dialects.model_names import model_names
from gateway.http.dialects.openai_answers import ImagesAnswer, images_answer
from gateway.http.dialects.openai_orders import ImagesBody
from gateway.http.dialects.reading import Read, ignored_header, read_json
from gateway.http.refusals import ModerationBlocked
from gateway.http.waiting import picture_or_refusal
from safety import PromptBlocked

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
    responses=described(400, 401, 402, 403, 404, 409, 413, 415, 422, 429, 500, 503, 504),
    openapi_extra=BODY,
)
async def generate_images(
    request: Request,
    given: Given,
    caller: Painter,
    sent: Annotated[Read[ImagesBody], Depends(images_body)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Paint and answer with the pictures: it waits, and never answers 202.

    Members that changed nothing are named in the header `X-Pinxit-Ignored`.
    """
    asked = sent.body.request(model_names(given))
    ask = Ask(request=asked, idempotency_key=idempotency_key, body_sha256=sent.sha256)
    view = await painted(request, given, caller, ask)
    body = await images_answer(view, is_base64=sent.body.is_base64, urls=given.urls, blobs=given.blobs)
    return Response(
        body.model_dump_json(exclude_none=True),
        headers=ignored_header(sent.body.ignored()),
        media_type="application/json",
    )


async def painted(request: Request, given: Services, caller: Caller, ask: Ask) -> View:
    """The completed generation; a refusal of the policy in OpenAI's words.

    Raises:
        Refused, Failed: as `picture_or_refusal`; ModerationBlocked.
    """
    try:
        return await picture_or_refusal(request, given, caller, ask, wait_s=given.settings.sync_wait_s)
    except PromptBlocked as blocked:
        raise ModerationBlocked(blocked.message, category=blocked.category) from None

"""`POST /v1/images/edits` and `/variations`: OpenAI's forms that begin from a picture."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Request, Response

from gateway import generations
from gateway.access import Caller
from gateway.http.answering.answers import described
from gateway.http.dialects.forms import ReadForm, read_picture_form
from gateway.http.dialects.members import Acts, Member, Unsupported, in_words
from gateway.http.dialects.model_names import model_names
from gateway.http.dialects.openai.answers import ImagesAnswer
from gateway.http.dialects.openai.images import ImagesCall, ask_of
from gateway.http.dialects.openai.orders import MEMBERS, ImagesBody
from gateway.http.dialects.source_images import with_source_images
from gateway.http.edge.body_limits import MULTIPART
from gateway.http.reading.dependencies import Given, IdempotencyKey, Services, painting_caller
from gateway.image_decoder import MaskRule

VARIATION_PROMPT = "a picture"
VARIATION_STRENGTH = 0.7
REPAINTED = 1.0
PICTURE = {"type": "string", "format": "binary"}
FILES = {"type": "object", "properties": {"image": PICTURE, "mask": PICTURE}, "required": ["image"]}
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {MULTIPART: {"schema": {"allOf": [{"$ref": "#/components/schemas/ImagesBody"}, FILES]}}},
    }
}

routes = APIRouter(prefix="/v1", tags=["openai"])

Painter = Annotated[Caller, Depends(painting_caller)]


AS_FILE = "send it as the file `image` of the form."
EDIT_MEMBERS: Mapping[str, Member] = {
    **MEMBERS,
    "image": Acts(on="image"),
    "mask": Acts(on="mask"),
    "strength": Acts(on="strength"),
    "image_url": Unsupported(why=AS_FILE),
    "image_base64": Unsupported(why=AS_FILE),
    "images": Unsupported(why=AS_FILE),
    "reference_images": Unsupported(why="a painting begins from one picture."),
}


class EditBody(ImagesBody):
    """As for generations, and how far to leave the picture."""

    MEMBERS: ClassVar[Mapping[str, Member]] = EDIT_MEMBERS

    strength: float | None = None
    """Ours: near 0 keeps the picture, 1 repaints it. None: 1 inside a mask, else as on our own path."""


class VariationBody(EditBody):
    """A form without words; a `prompt` that is sent all the same counts."""

    prompt: str = VARIATION_PROMPT
    style: str | None = "none"
    strength: float | None = VARIATION_STRENGTH


async def edit_form(request: Request) -> ReadForm[EditBody]:
    return await read_picture_form(request, EditBody)


async def variation_form(request: Request) -> ReadForm[VariationBody]:
    return await read_picture_form(request, VariationBody)


Sent = ReadForm[EditBody] | ReadForm[VariationBody]
ERRORS = described(400, 401, 402, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503, 504)


@routes.post(
    "/images/edits",
    summary="Paint from a picture, in the words of OpenAI's clients",
    response_model=ImagesAnswer,
    responses=ERRORS,
    openapi_extra=FORM,
)
async def edit_images(
    request: Request,
    given: Given,
    caller: Painter,
    sent: Annotated[ReadForm[EditBody], Depends(edit_form)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Repaint a picture after the prompt; with a mask only where that is transparent, or white if nothing in it is.
    Without a mask the transparent parts of the picture are it.

    With `stream` the answer is server-sent events, as for generations.
    """
    return await _answered(request, given, caller, sent, idempotency_key)


@routes.post("/images/variations", include_in_schema=False)
async def vary_images(
    request: Request,
    given: Given,
    caller: Painter,
    sent: Annotated[ReadForm[VariationBody], Depends(variation_form)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Repaint a picture without words: what it shows is known only as far as it shines through."""
    return await _answered(request, given, caller, sent, idempotency_key)


async def _answered(
    request: Request, given: Services, caller: Caller, sent: Sent, idempotency_key: str | None
) -> Response:
    """Words are checked before pictures are unpacked.

    Raises:
        Refused, Failed: as `with_source_images` and `ImagesCall.answer`.
    """
    body = sent.body
    pictures = generations.Given(
        mask_rule=MaskRule.HOLES_OR_WHITE,
        image=sent.image,
        mask=sent.mask,
        strength=body.strength,
        masked_strength=REPAINTED,
        holes_are_mask=not isinstance(body, VariationBody),
    )
    call = ImagesCall(request=request, given=given, caller=caller, body=body, verb="image_edit")
    with in_words(body.words()):
        ask = ask_of(body, model_names(given), idempotency_key=idempotency_key, body_sha256=sent.sha256)
        return await call.answer(await with_source_images(given, caller, ask, pictures))

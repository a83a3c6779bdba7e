"""`POST /v1/provenance/check`: anybody who holds a file may ask whether it was made here."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from gateway.generations.showing.provenance import Match, Origin
from gateway.http.answering.answers import answer, described
from gateway.http.edge.body_limits import MAX_FILE_BYTES, MULTIPART
from gateway.http.edge.refusals import MediaTypeUnsupported, PayloadTooLarge
from gateway.http.reading.dependencies import Given
from gateway.http.reading.forms import read_form
from gateway.wire import Moment
from models import ImageFormat, ParameterMissing

IMAGE = "image"

routes = APIRouter(prefix="/v1", tags=["provenance"])

FILE: dict[str, Any] = {"type": "string", "format": "binary"}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {"schema": {"type": "object", "properties": {IMAGE: FILE}, "required": [IMAGE]}},
            "image/*": {"schema": FILE},
        },
    }
}


class MadeBody(BaseModel):
    """The picture of ours that it is."""

    width: int
    height: int
    format: ImageFormat
    created_at: Moment
    ai_generated: Literal[True] = True


class ClaimBody(BaseModel):
    """What the recipe inside the file says. Anybody can write such words: they are no proof.

    `is_of_these_pixels` tells whether the recipe's hash is of this file's pixels; null where they were not compared.
    """

    model: str
    version: str
    is_of_these_pixels: bool | None


class ProvenanceBody(BaseModel):
    """`made_here` rests on our own records alone: every byte or every pixel is the same. False means that nothing was
    found, which also holds for our pictures that were changed or have been deleted."""

    object: Literal["provenance"] = "provenance"
    made_here: bool
    match: Match | None
    picture: MadeBody | None
    claim: ClaimBody | None
    c2pa: Literal["not_checked"] = Field(default="not_checked", description="Signed manifests are not looked at.")


@routes.post(
    "/provenance/check",
    summary="Ask whether a file was made here",
    response_model=ProvenanceBody,
    responses=described(400, 413, 415, 503),
    openapi_extra=BODY,
)
async def check_provenance(request: Request, given: Given) -> Response:
    """PNG, JPEG, WebP or AVIF, as the part `image` of a form or as the whole body, up to 20 MB. Nothing of it is kept, and
    nothing is told of whom it was made for or what was asked. No key is needed."""
    return answer(_body(await given.provenance.check(await _sent_image(request))))


async def _sent_image(request: Request) -> bytes:
    """Raises MediaTypeUnsupported, ParameterMissing, PayloadTooLarge, FormInvalid."""
    media_type = request.headers.get("content-type", "").lower()
    if media_type.startswith("image/"):
        content = await request.body()
        if len(content) > MAX_FILE_BYTES:
            raise PayloadTooLarge(f"A file may have at most {MAX_FILE_BYTES} bytes.")
        return content
    if not media_type.startswith(MULTIPART):
        raise MediaTypeUnsupported("Send a picture, as the part `image` of a form or as a body of its own type.")
    _, files = (await read_form(request)).only()
    if IMAGE not in files:
        raise ParameterMissing("`image` is needed, as a file.", field=IMAGE)
    return files[IMAGE]


def _body(origin: Origin) -> ProvenanceBody:
    made, claim = origin.made, origin.claim
    return ProvenanceBody(
        made_here=made is not None,
        match=origin.match,
        picture=None if made is None else MadeBody.model_validate(made, from_attributes=True),
        claim=None if claim is None else ClaimBody.model_validate(claim, from_attributes=True),
    )

"""`POST /v1/images/generate`: our own call under Pictura's path, answered as its quick start reads it, by `image.url`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from gateway.access import Caller
from gateway.generations import PublicUrls, View
from gateway.http.generations.bodies import Sent, sent_body
from gateway.http.generations.presenting import generation_body
from gateway.http.generations.routes import PaintCall
from gateway.http.reading.dependencies import Given, IdempotencyKey, painting_caller
from gateway.wire import GenerationBody, ImageBody

routes = APIRouter(prefix="/v1", include_in_schema=False)


class PictureBody(GenerationBody):
    """A generation; `image` is its first picture and `url` that one's address, both null until it is completed."""

    image: ImageBody | None
    url: str | None


@routes.post("/images/generate")
async def generate_picture(
    request: Request,
    given: Given,
    caller: Annotated[Caller, Depends(painting_caller)],
    sent: Annotated[Sent, Depends(sent_body)],
    prefer: Annotated[str, Header()] = "",
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """As `POST /v1/generate`, whose members it takes."""
    call = PaintCall(
        request=request, given=given, caller=caller, sent=sent, prefer=prefer, idempotency_key=idempotency_key
    )
    return await call.answer(picture_body)


def picture_body(view: View, urls: PublicUrls) -> PictureBody:
    body = generation_body(view, urls)
    return PictureBody(**dict(body), image=body.images[0] if body.images else None, url=body.image_url)

"""`POST /hf/{model or style}`: Hugging Face's inference form, which answers with the picture itself."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from gateway.access import Caller
from gateway.generations import Ask
from gateway.http.dialects.model_names import ModelNames, model_names
from gateway.http.dialects.openai.orders import read_quality
from gateway.http.generations.waiting import picture_or_refusal
from gateway.http.reading.dependencies import Given, painting_caller
from gateway.http.reading.lenient import LenientBody, Read, ignored_header, read_json
from models import GenerationRequest, ImageFormat
from router import Styles
from safety import Surface

FORMATS = {f"image/{format}": format for format in ImageFormat}

routes = APIRouter(include_in_schema=False)


class InferenceParameters(LenientBody):
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    seed: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    style: str | None = None
    quality: str | None = None


class InferenceBody(LenientBody):
    inputs: str
    parameters: InferenceParameters = Field(default_factory=InferenceParameters)

    def request(self, name: str, names: ModelNames, styles: Styles, *, format: ImageFormat) -> GenerationRequest:
        """`name` is a model's, or any that stands for one, or else a style's.

        Raises:
            RequestInvalid: a value breaks its rule.
        """
        given = self.parameters
        is_style = not names.knows(name) and any(name in (style.id, *style.aliases) for style in styles.all())
        return GenerationRequest(
            prompt=self.inputs,
            style=name if is_style else given.style or "auto",
            model=None if is_style else names.meant(name),
            negative_prompt=given.negative_prompt or "",
            width=given.width,
            height=given.height,
            quality=read_quality(given.quality),
            seed=given.seed,
            num_inference_steps=given.num_inference_steps,
            guidance_scale=given.guidance_scale,
            format=format,
        )

    def ignored(self) -> list[str]:
        return [*self.strangers(), *(f"parameters.{name}" for name in self.parameters.strangers())]


async def inference_body(request: Request) -> Read[InferenceBody]:
    return await read_json(request, InferenceBody)


@routes.post("/hf/{name:path}")
async def infer(
    request: Request,
    given: Given,
    caller: Annotated[Caller, Depends(painting_caller)],
    name: str,
    sent: Annotated[Read[InferenceBody], Depends(inference_body)],
) -> Response:
    """One picture, as bytes in the first of PNG, JPEG and WebP that `Accept` names; else PNG."""
    format = read_format(request.headers.get("accept", ""))
    asked = sent.body.request(name, model_names(given), given.styles, format=format)
    ask = Ask(surface=Surface.HUGGING_FACE, request=asked, body_sha256=sent.sha256)
    view = await picture_or_refusal(request, given, caller, ask, wait_s=given.settings.sync_wait_s)
    picture = view.pictures[0]
    headers = {
        "X-Pinxit-Generation": view.generation.id,
        "X-Pinxit-Seed": str(picture.seed),
        **ignored_header(sent.body.ignored()),
    }
    return Response(await given.files.read(picture), headers=headers, media_type=f"image/{picture.format}")


def read_format(accept: str) -> ImageFormat:
    named = [wish.partition(";")[0].strip().lower() for wish in accept.split(",")]
    return next((FORMATS[name] for name in named if name in FORMATS), ImageFormat.PNG)

"""`POST /hf/{model or style}`: Hugging Face's inference form, which answers with the picture itself."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from gateway import generations
from gateway.access import Caller
from gateway.generations import Ask
from gateway.generations.inputs.sources import content_of
from gateway.http.dialects.members import Acts, Answers, DialectBody, Idle, Member, empty, in_words, is_picture, same
from gateway.http.dialects.model_names import ModelNames, model_names
from gateway.http.dialects.openai.orders import read_quality
from gateway.http.dialects.samplers import read_sampler
from gateway.http.dialects.source_images import with_source_images
from gateway.http.dialects.warnings import warning_headers, warnings_of
from gateway.http.generations.waiting import picture_or_refusal
from gateway.http.reading.dependencies import Given, painting_caller
from gateway.http.reading.lenient import Read, read_json
from gateway.image_decoder import MaskRule
from models import GenerationRequest, ImageFormat, ParameterMissing
from models.notices import Notices, ignored
from router import Styles
from safety import Surface

FORMATS = {f"image/{format}": format for format in ImageFormat}

routes = APIRouter(include_in_schema=False)


WHERE = "parameters."
MEMBERS: Mapping[str, Member] = {
    "inputs": Acts(on="prompt"),
    "parameters": Answers(),  # its members have a table of their own
    "options": Idle(is_usual=empty),
}
PARAMETERS: Mapping[str, Member] = {
    "prompt": Acts(on="prompt"),
    "negative_prompt": Acts(on="negative_prompt"),
    "width": Acts(on="width", read=same),
    "height": Acts(on="height", read=same),
    "target_size": Acts(on="size"),
    "seed": Acts(on="seed", read=same),
    "num_inference_steps": Acts(on="num_inference_steps", read=same),
    "guidance_scale": Acts(on="guidance_scale", read=same),
    "scheduler": Acts(on="sampler"),
    "style": Acts(on="style"),
    "quality": Acts(on="quality"),
    "strength": Acts(on="strength"),
    "mask_image": Acts(on="mask"),
}


class TargetSize(BaseModel):
    """Of a picture that is made of another one."""

    width: int
    height: int


class InferenceParameters(DialectBody):
    MEMBERS: ClassVar[Mapping[str, Member]] = PARAMETERS
    PLACE: ClassVar[str] = WHERE

    prompt: str | None = None
    """Where `inputs` is a picture."""
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    seed: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    style: str | None = None
    quality: str | None = None
    target_size: TargetSize | None = None
    scheduler: str | None = None
    strength: float | None = None
    mask_image: str | None = None
    """White where it shall be painted."""

    @property
    def sides(self) -> tuple[int | None, int | None]:
        """`target_size` before `width` and `height`."""
        size = self.target_size
        return (self.width, self.height) if size is None else (size.width, size.height)


class InferenceBody(DialectBody):
    """`inputs` is a prompt, or a picture as base64 to begin from; then the prompt stands in `parameters`."""

    MEMBERS: ClassVar[Mapping[str, Member]] = MEMBERS

    inputs: str
    parameters: InferenceParameters = Field(default_factory=InferenceParameters)

    def request(self, name: str, names: ModelNames, styles: Styles, *, format: ImageFormat) -> GenerationRequest:
        """`name` is a model's, or any that stands for one, or else a style's.

        Raises:
            ParameterMissing: a picture without a prompt.
            RequestInvalid: a value breaks its rule, or cannot be followed here.
        """
        given = self.parameters
        self.check_supported()
        given.check_supported()
        is_style = not names.knows(name) and any(name in (style.id, *style.aliases) for style in styles.all())
        return GenerationRequest(
            prompt=self._prompt(),
            style=name if is_style else given.style or "auto",
            model=None if is_style else names.meant(name),
            negative_prompt=given.negative_prompt or "",
            width=given.sides[0],
            height=given.sides[1],
            quality=read_quality(given.quality),
            sampler=read_sampler(given.scheduler, field=f"{WHERE}scheduler") if given.scheduler else None,
            seed=given.seed,
            num_inference_steps=given.num_inference_steps,
            guidance_scale=given.guidance_scale,
            format=format,
        )

    @property
    def is_from_picture(self) -> bool:
        return is_picture(self.inputs)

    def pictures(self) -> generations.Given:
        """Raises ImageInvalid: `inputs`, or the mask, is no picture."""
        given = self.parameters
        return generations.Given(
            mask_rule=MaskRule.WHITE,
            image=content_of(self.inputs, field="inputs") if self.is_from_picture else None,
            mask=content_of(given.mask_image, field=f"{WHERE}mask_image") if given.mask_image else None,
            strength=given.strength,
        )

    def notices(self, request: GenerationRequest) -> Notices:
        """What of the body changed nothing."""
        overridden: Notices = ()
        if self.parameters.prompt is not None and not self.is_from_picture:
            overridden = (ignored(f"{WHERE}prompt", "`inputs` is the prompt."),)
        return (*self.without_effect(request), *self.parameters.without_effect(request), *overridden)

    def words(self) -> Mapping[str, str]:
        own = {"image": "inputs"} if self.is_from_picture else {**super().words(), "image": "inputs"}
        return {**self.parameters.words(), **own}

    def _prompt(self) -> str:
        """Raises ParameterMissing."""
        if not self.is_from_picture:
            return self.inputs
        if self.parameters.prompt is None:
            raise ParameterMissing("`parameters.prompt` is needed where `inputs` is a picture.", field=f"{WHERE}prompt")
        return self.parameters.prompt


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
    """One picture, of words or of a picture and words, as bytes in the first of PNG, JPEG and WebP that `Accept` names; else PNG."""
    format = read_format(request.headers.get("accept", ""))
    body = sent.body
    with in_words(body.words()):
        asked = body.request(name, model_names(given), given.styles, format=format)
        ask = Ask(surface=Surface.HUGGING_FACE, request=asked, body_sha256=sent.sha256, notices=body.notices(asked))
        begun = await with_source_images(given, caller, ask, body.pictures())
        view = await picture_or_refusal(request, given, caller, begun, wait_s=given.settings.sync_wait_s)
    picture = view.pictures[0]
    headers = {
        "X-Pinxit-Generation": view.generation.id,
        "X-Pinxit-Seed": str(picture.seed),
        **warning_headers(warnings_of(view, body.words())),
    }
    return Response(await given.files.read(picture), headers=headers, media_type=f"image/{picture.format}")


def read_format(accept: str) -> ImageFormat:
    named = [wish.partition(";")[0].strip().lower() for wish in accept.split(",")]
    return next((FORMATS[name] for name in named if name in FORMATS), ImageFormat.PNG)

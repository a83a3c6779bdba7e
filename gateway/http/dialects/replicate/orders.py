"""The body that asks Replicate for a prediction, and what it asks for in ours."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gateway.generations import Given
from gateway.generations.inputs.sources import source_of
from gateway.generations.painting.notifying import COMPLETED, START
from gateway.http.dialects.members import Acts, Answers, DialectBody, Idle, Member, Unsupported, empty, one_of, same
from gateway.http.dialects.model_names import ModelNames
from gateway.http.dialects.openai.orders import read_quality
from gateway.http.dialects.samplers import read_sampler
from gateway.http.dialects.sizes import fitted, read_ratio
from gateway.image_decoder import MaskRule
from models import GenerationRequest, ImageFormat, ModelUnknown, SizeInvalid
from models.notices import Notices, ignored

OWNER = "local"
CUSTOM, FROM_PICTURE = "custom", "match_input_image"
LOGS = (ignored("webhook_events_filter.logs", "every body holds them, so they are no event."),)

WebhookEvent = Literal["start", "output", "logs", "completed"]


WHERE = "input."
PROMPT_STRENGTH = 0.8
NO_LORAS = "LoRAs here are the operator's own; see `GET /v1/loras`."
INPUT: Mapping[str, Member] = {
    "prompt": Acts(on="prompt"),
    "negative_prompt": Acts(on="negative_prompt"),
    "width": Acts(on="width", read=same),
    "height": Acts(on="height", read=same),
    "aspect_ratio": Answers(only_without="width", is_usual=one_of("custom")),
    "num_outputs": Acts(on="n", read=same),
    "seed": Acts(on="seed", read=same),
    "num_inference_steps": Acts(on="num_inference_steps", read=same),
    "guidance_scale": Acts(on="guidance_scale", read=same),
    "guidance": Acts(on="guidance_scale", read=same),
    "scheduler": Acts(on="sampler"),
    "output_format": Acts(on="format"),
    "output_quality": Idle(why="how far files are compressed is fixed here."),
    "style": Acts(on="style"),
    "quality": Acts(on="quality"),
    "upscale": Acts(on="upscale", read=same),
    "image": Acts(on="image"),
    "mask": Acts(on="mask"),
    "prompt_strength": Acts(on="strength", only_with="image", is_usual=one_of(PROMPT_STRENGTH)),
    "disable_safety_checker": Idle(is_usual=empty, why="the operator's policy counts for everybody."),
    "apply_watermark": Idle(why="the operator decides what is drawn over pictures."),
    "go_fast": Idle(),
    "megapixels": Idle(is_usual=one_of("1"), why="`width` and `height` say the size."),
    "lora_scale": Idle(why="it belongs to weights that are not taken here."),
    "lora_weights": Unsupported(why=NO_LORAS),
    "hf_lora": Unsupported(why=NO_LORAS),
    "replicate_weights": Unsupported(why=NO_LORAS),
    "extra_lora": Unsupported(why=NO_LORAS),
    "refine": Unsupported(why="no second model refines a painting.", is_off=one_of("", "no_refiner")),
    "refine_steps": Idle(why="it belongs to `refine`."),
    "high_noise_frac": Idle(is_usual=one_of(PROMPT_STRENGTH), why="it belongs to `refine`."),
    "control_image": Unsupported(why="there is no ControlNet."),
    "image_prompt": Unsupported(why="send `image`, which the painting begins from."),
    "input_image": Unsupported(why="send `image`, which the painting begins from."),
    "input_images": Unsupported(why="send `image`, which the painting begins from."),
    "init_image": Unsupported(why="send `image`, which the painting begins from."),
}


class PredictionInput(DialectBody):
    """What most text-to-image models there take, and ours."""

    MEMBERS: ClassVar[Mapping[str, Member]] = INPUT
    PLACE: ClassVar[str] = WHERE

    prompt: str
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    aspect_ratio: str | None = None
    """`16:9`, at the area of the model's own size; counts where `width` and `height` are not given."""
    num_outputs: int | None = None
    seed: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    guidance: float | None = None
    scheduler: str | None = None
    output_format: Literal["png", "jpg", "jpeg", "webp"] | None = None
    style: str | None = None
    quality: str | None = None
    upscale: bool | None = None
    image: str | None = None
    """A data URL, base64 or the id of a generation."""
    mask: str | None = None
    """White where it shall be painted."""
    prompt_strength: float | None = None
    """1 leaves nothing of `image`."""

    def request(self, model: str | None, *, pixels: int) -> GenerationRequest:
        """`pixels` is the area of a picture of which only the ratio is given.

        Raises:
            RequestInvalid: a value breaks its rule, or cannot be followed here.
        """
        self.check_supported()
        format = "jpeg" if self.output_format == "jpg" else self.output_format
        width, height = self._sides(pixels)
        return GenerationRequest(
            prompt=self.prompt,
            style=self.style or "auto",
            model=model,
            negative_prompt=self.negative_prompt or "",
            width=width,
            height=height,
            n=1 if self.num_outputs is None else self.num_outputs,
            seed=self.seed,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance if self.guidance_scale is None else self.guidance_scale,
            sampler=read_sampler(self.scheduler, field=f"{WHERE}scheduler") if self.scheduler else None,
            quality=read_quality(self.quality),
            upscale=bool(self.upscale),
            format=ImageFormat(format or ImageFormat.PNG),
        )

    def pictures(self) -> Given:
        """Raises ImageInvalid: `image` or `mask` is none of what they may be; addresses are not fetched."""
        is_begun = self.image is not None
        strength = PROMPT_STRENGTH if self.prompt_strength is None else self.prompt_strength
        return Given(
            mask_rule=MaskRule.WHITE,
            image=source_of(self.image, field=f"{WHERE}image") if self.image is not None else None,
            mask=source_of(self.mask, field=f"{WHERE}mask") if self.mask is not None else None,
            strength=strength if is_begun else None,
        )

    def _sides(self, pixels: int) -> tuple[int | None, int | None]:
        """Raises SizeInvalid: `aspect_ratio` is none."""
        ratio = self.aspect_ratio
        if ratio == FROM_PICTURE and self.image is None:
            raise SizeInvalid(
                f"`{WHERE}aspect_ratio`: there is no `image` whose ratio it could be.", field=f"{WHERE}aspect_ratio"
            )
        if self.width is not None or self.height is not None or ratio in {None, CUSTOM, FROM_PICTURE}:
            return self.width, self.height
        size = fitted(read_ratio(ratio or "", field=f"{WHERE}aspect_ratio"), pixels=pixels)
        return size.width, size.height


BODY: Mapping[str, Member] = {
    "input": Answers(),  # its members have a table of their own
    "version": Acts(on="model"),
    "webhook": Answers(),
    "webhook_events_filter": Answers(only_with="webhook"),
    "stream": Idle(is_usual=empty, why="pictures come all at a time, with the end."),
}


class PredictionBody(DialectBody):
    """`webhook` hears of the start and the end, as far as the filter names them; without one, of the end."""

    MEMBERS: ClassVar[Mapping[str, Member]] = BODY

    input: PredictionInput
    version: str | None = None
    webhook: str | None = None
    webhook_events_filter: list[WebhookEvent] = Field(default_factory=list[WebhookEvent])

    @property
    def events(self) -> frozenset[str]:
        """The pictures come all at a time, with the end, so `output` is that; `logs` are in every body, and no event."""
        wanted = set(self.webhook_events_filter or ["completed"])
        ending = {COMPLETED} if wanted & {"output", "completed"} else set[str]()
        return frozenset(ending | wanted & {START})

    def notices(self, request: GenerationRequest) -> Notices:
        """What of the body changed nothing."""
        logs = ("logs" in self.webhook_events_filter and LOGS) or ()
        return (*self.without_effect(request), *self.input.without_effect(request), *logs)


def read_version(version: str, names: ModelNames) -> str | None:
    """A model by its name, with or without `local/` before and a version's hash behind it.

    Raises:
        ModelUnknown: another owner's, or none that we have.
    """
    owner, slash, name = version.rpartition("/")
    if slash and owner != OWNER:
        raise ModelUnknown(f"No model is called {version!r}; those here belong to `{OWNER}`.")
    return names.meant(name.partition(":")[0])

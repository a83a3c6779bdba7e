"""Request and response bodies of the native contract. Types are checked here, the values' rules in `models.request`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from models import (
    MAX_ADAPTER_WEIGHT,
    MAX_ADAPTERS,
    MAX_IMAGES,
    MAX_NEGATIVE_PROMPT_CHARACTERS,
    MAX_PROMPT_CHARACTERS,
    MAX_SEED,
    SIDES,
    Adapter,
    GenerationRequest,
    ImageFormat,
    Quality,
    Recipe,
)
from models.replay import Difference


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]
Status = Literal["queued", "processing", "completed", "failed", "canceled"]
Side = Annotated[int, WithJsonSchema({"type": "integer", "enum": list(SIDES)})]
Prompt = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_PROMPT_CHARACTERS})]
NegativePrompt = Annotated[str, WithJsonSchema({"type": "string", "maxLength": MAX_NEGATIVE_PROMPT_CHARACTERS})]
Seed = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_SEED})]
Count = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_IMAGES})]
WebhookUrl = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]


class LoraChoice(BaseModel):
    """A LoRA that shall act, and how strongly: 1 as it was trained, below 0 the other way."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: str = Field(description="An id from `GET /v1/loras`.")
    weight: float = Field(1.0, json_schema_extra={"minimum": -MAX_ADAPTER_WEIGHT, "maximum": MAX_ADAPTER_WEIGHT})


class GenerateBody(BaseModel):
    """What `POST /v1/generate` takes. Unknown members are refused; null means "not given"."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"prompt": "a red lighthouse by the sea at sunset", "style": "watercolor"}]},
    )

    prompt: Prompt = Field(description="What to paint, kept exactly as sent; Unicode code points are counted.")
    style: str | None = Field(None, description="An id or alias from `GET /v1/styles`; `auto` chooses by the prompt.")
    width: Side | None = Field(None, description="Pixels before upscaling; none means the model's own default.")
    height: Side | None = Field(None, description="Pixels before upscaling; none means the model's own default.")
    quality: Quality | None = Field(None, description="How much work goes into the picture.")
    negative_prompt: NegativePrompt | None = Field(None, description="What must not be in the picture.")
    seed: Seed | None = Field(None, description="Equal requests with equal seeds give equal pixels; none draws one.")
    upscale: bool | None = Field(None, description="Deliver four times the width and height.")
    webhook_url: WebhookUrl | None = Field(None, description="Answer 202 at once and post here when it ends.")
    n: Count | None = Field(None, description="Pictures; picture i is painted with seed + i.")
    format: ImageFormat | None = Field(None, description="The file's format.")
    enhance_prompt: bool | Literal["auto"] | None = Field(None, description="Append words from the style's list.")
    model: str | None = Field(None, description="A model of this installation; none lets the style decide.")
    loras: list[LoraChoice] | None = Field(
        None,
        description="LoRAs made for the model, beside the style's own.",
        json_schema_extra={"maxItems": MAX_ADAPTERS},
    )
    is_async: bool | None = Field(None, alias="async", description="Answer 202 at once; poll `poll_url`.")
    cache: bool | None = Field(None, description="false forces a new painting; equal requests still give equal pixels.")
    dry_run: bool | None = Field(None, description="Check everything, quote the price, paint nothing.")

    def request(self) -> GenerationRequest:
        """Raises RequestInvalid: a value breaks its rule."""
        return GenerationRequest(
            prompt=self.prompt,
            style=self.style if self.style is not None else "auto",
            width=self.width,
            height=self.height,
            quality=self.quality,
            negative_prompt=self.negative_prompt or "",
            seed=self.seed,
            upscale=bool(self.upscale),
            n=self.n if self.n is not None else 1,
            format=self.format or ImageFormat.PNG,
            enhance_prompt=None if self.enhance_prompt == "auto" else self.enhance_prompt,
            model=self.model,
            loras=tuple(Adapter(id=lora.id, weight=lora.weight) for lora in self.loras or ()),
        )


class ImageBody(BaseModel):
    """One delivered picture. `pixel_sha256` is of its RGB bytes before any mark, `file_sha256` of the file."""

    url: str
    seed: int
    width: int
    height: int
    format: ImageFormat
    pixel_sha256: str
    file_sha256: str


class ProgressBody(BaseModel):
    """Where the painting stands; `step` of `steps` are done while `phase` is denoising, summed over all its pictures.

    `eta_ms` is how much longer the painting will take, null while nobody can say.
    """

    phase: Literal["waiting", "loading", "calibrating", "encoding", "denoising", "decoding", "upscaling"]
    step: int
    steps: int
    eta_ms: int | None


class FailureBody(BaseModel):
    """Why a generation failed."""

    code: str
    message: str


class GenerationBody(BaseModel):
    """A generation in any state. The picture's members are null until it is completed."""

    generation_id: str
    status: Status
    image_url: str | None
    width: int
    height: int
    style: str
    seed: int
    created_at: Moment
    credits_used: int
    images: list[ImageBody]
    cached: bool
    render_ms: int | None
    prompt: str
    revised_prompt: str
    negative_prompt_used: str
    style_resolved: str
    style_reason: str
    model: str
    quality: Quality
    livemode: bool
    ai_generated: bool
    expires_at: Moment | None
    started_at: Moment | None
    completed_at: Moment | None
    progress: ProgressBody | None = None
    queue_position: int | None = None
    error: FailureBody | None = None
    replay_of: str | None = None


class AcceptedBody(BaseModel):
    """The 202 answer: where to look, and about how long."""

    generation_id: str
    status: Status
    poll_url: str
    queue_position: int
    estimated_ms: int
    created_at: Moment


class SizePlanBody(BaseModel):
    """How the size is reached: painted, enlarged by `resampling`, cropped, then upscaled."""

    painted: str
    target: str
    delivered: str
    resampling: str
    upscale: int
    upscale_resampling: str


class QuoteBody(BaseModel):
    """What a request would cost. Nothing was made."""

    object: Literal["quote"] = "quote"
    credits: int
    credits_max: int
    exact: bool
    estimated_ms: int
    style_resolved: str
    style_reason: str
    width: int
    height: int
    size_plan: SizePlanBody
    model: str
    cached: bool


class GenerationListBody(BaseModel):
    """One page, newest first; `next_cursor` fetches the following one."""

    object: Literal["list"] = "list"
    data: list[GenerationBody]
    has_more: bool
    next_cursor: str | None


class RecipesBody(BaseModel):
    """One recipe for each picture: the spec, the engine's fingerprint, the pixels' hash, the words it did not know."""

    object: Literal["recipes"] = "recipes"
    generation_id: str
    recipes: list[Recipe]


class ReplayedImageBody(BaseModel):
    """One picture painted again. `identical` speaks of the pixels alone; `differences` may explain why they differ,
    or name what has changed without changing them."""

    expected_pixel_sha256: str
    pixel_sha256: str
    identical: bool
    differences: list[Difference]


class ReplayBody(BaseModel):
    """What came out when `replay_of` was painted again as `generation_id`."""

    object: Literal["replay"] = "replay"
    generation_id: str
    replay_of: str
    identical: bool
    images: list[ReplayedImageBody]


class DeletedBody(BaseModel):
    """The record and its pictures are gone."""

    generation_id: str
    deleted: Literal[True] = True


class LimitsBody(BaseModel):
    """What the plan allows; null means without limit."""

    requests_per_minute: int | None
    requests_per_day: int | None
    requests_per_month: int | None
    max_side: int
    max_images: int
    upscale: bool


class UsageBody(BaseModel):
    """Painting requests so far."""

    minute: int
    day: int
    month: int


class AccountBody(BaseModel):
    """Plan, credits and use. `credits` is null on a plan that counts none."""

    account_id: str
    name: str
    plan: str
    livemode: bool
    scopes: list[str]
    credits: int | None
    credits_held: int
    credits_captured: int
    usage: UsageBody
    limits: LimitsBody


class ErrorDetail(BaseModel):
    """`code` is stable, `param` names the member at fault, `category` says what a policy refused."""

    code: str
    message: str
    status: int
    type: str
    param: str | None
    request_id: str
    category: str | None


class ErrorBody(BaseModel):
    """Every error on every path: for people and clients inside `error`, RFC 9457 members around it."""

    error: ErrorDetail
    type: str
    title: str
    status: int
    detail: str
    instance: str

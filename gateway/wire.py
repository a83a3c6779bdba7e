"""Response bodies of the native contract; what is asked for stands in `gateway.orders`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PlainSerializer

from models import ImageFormat, Quality, Recipe
from models.notices import Code
from models.replay import Difference


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]
Status = Literal["queued", "processing", "completed", "failed", "canceled"]
AHEAD = "About how many are claimed before this one; 0 is next."


class ImageBody(BaseModel):
    """One delivered picture. `pixel_sha256` is of its RGB bytes as they were painted, `delivered_sha256` of those after
    marks (a label, a test key's words), before they were encoded; `file_sha256` is of the file."""

    url: str
    thumbnail_url: str
    seed: int
    width: int
    height: int
    format: ImageFormat
    pixel_sha256: str
    delivered_sha256: str
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


class WarningBody(BaseModel):
    """What to know of an answer that is no error; the list is empty where there is nothing."""

    code: Code
    message: str
    param: str | None = None
    words: list[str] | None = None


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
    queue_position: int | None = Field(None, description=AHEAD)
    error: FailureBody | None = None
    replay_of: str | None = None
    priority: Literal["interactive", "batch"]
    metadata: dict[str, str]
    batch_id: str | None = None
    warnings: list[WarningBody]


class AcceptedBody(BaseModel):
    """The 202 answer: where to look, and about how long."""

    generation_id: str
    status: Status
    poll_url: str
    queue_position: int = Field(description=AHEAD)
    estimated_ms: int
    created_at: Moment
    warnings: list[WarningBody]


class SizePlanBody(BaseModel):
    """How the size is reached: painted, refined at `refined` if that is said, enlarged by `resampling`, cropped, then upscaled."""

    painted: str
    refined: str | None
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
    warnings: list[WarningBody]


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


class ImageLinkBody(BaseModel):
    """An address of a picture, or of a variant of it; null in `expires_at`: it is good for ever."""

    object: Literal["link"] = "link"
    url: str
    expires_at: Moment | None


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
    """What the plan allows the account, all its keys together; null means without limit.

    The minute alone is each key's own, by the key's limit where it has one.
    """

    requests_per_minute: int | None
    requests_per_day: int | None
    requests_per_month: int | None
    max_side: int
    max_images: int
    max_inference_steps: int | None
    upscale: bool
    max_open: int | None
    max_batch_items: int | None
    max_keys: int | None
    default_ttl_s: int | None
    max_ttl_s: int | None


class UsageBody(BaseModel):
    """Painting requests so far: of this key in the minute, of the account in day and month."""

    minute: int
    day: int
    month: int


class OwnKeyBody(BaseModel):
    """The key that asks: its own bounds, null where it has none, and its own use of them."""

    id: str
    name: str
    expires_at: Moment | None
    requests_per_minute: int | None
    requests_per_day: int | None
    requests_today: int
    max_open: int | None
    spend_cap: int | None
    credits_spent: int
    models: list[str] | None
    styles: list[str] | None
    networks: list[str] | None


class AccountBody(BaseModel):
    """Plan, credits and use. `credits` is null on a plan that counts none.

    `usage` and `limits` are the account's, `key` has what is this key's alone; whichever is full first refuses.
    """

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
    key: OwnKeyBody


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

"""Request bodies of the native contract. Types are checked here, the values' rules in `models.request`."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from models import (
    DEFAULT_STRENGTH,
    MAX_ADAPTER_WEIGHT,
    MAX_ADAPTERS,
    MAX_CLIP_SKIP,
    MAX_GUIDANCE_SCALE,
    MAX_IMAGES,
    MAX_INFERENCE_STEPS,
    MAX_NEGATIVE_PROMPT_CHARACTERS,
    MAX_PROMPT_CHARACTERS,
    MAX_SEED,
    MIN_GUIDANCE_SCALE,
    SIDES,
    Adapter,
    GenerationRequest,
    ImageFormat,
    Quality,
    Sampler,
    SizeInvalid,
    check_listed_size,
)
from models.notices import Notice, Notices, ignored
from models.request import (
    MAX_METADATA_PAIRS,
    MAX_METADATA_VALUE_CHARACTERS,
    MAX_TTL_S,
    METADATA_KEY,
    MIN_TTL_S,
    check_metadata,
    check_strength,
    check_ttl,
)

Size = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,5}[xX][0-9]{1,5}$"})]
Side = Annotated[int, WithJsonSchema({"title": "Side", "type": "integer", "enum": list(SIDES)})]
Prompt = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_PROMPT_CHARACTERS})]
NegativePrompt = Annotated[str, WithJsonSchema({"type": "string", "maxLength": MAX_NEGATIVE_PROMPT_CHARACTERS})]
Seed = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_SEED})]
Count = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_IMAGES})]
Steps = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_INFERENCE_STEPS})]
Guidance = Annotated[
    float, WithJsonSchema({"type": "number", "minimum": MIN_GUIDANCE_SCALE, "maximum": MAX_GUIDANCE_SCALE})
]
ClipSkip = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_CLIP_SKIP})]
PriorityWord = Annotated[
    Literal["interactive", "batch"],
    WithJsonSchema({"title": "Priority", "type": "string", "enum": ["interactive", "batch"]}),
]
TtlS = Annotated[int, WithJsonSchema({"type": "integer", "minimum": MIN_TTL_S, "maximum": MAX_TTL_S})]
Metadata = Annotated[
    dict[str, str],
    WithJsonSchema(
        {
            "title": "Metadata",
            "type": "object",
            "maxProperties": MAX_METADATA_PAIRS,
            "propertyNames": {"pattern": f"^{METADATA_KEY.pattern}$"},
            "additionalProperties": {"type": "string", "maxLength": MAX_METADATA_VALUE_CHARACTERS},
        }
    ),
]
PictureText = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]
Strength = Annotated[float, WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1})]
WebhookUrl = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]


OWN_SIDE = "none means the model's own default, 512 for the model in the box"
_SIZE = re.compile(r"([0-9]{1,5})[xX]([0-9]{1,5})", re.ASCII)


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
    style: str | None = Field(
        None, description="An id or alias from `GET /v1/styles`; `auto`, as none does, chooses by the prompt."
    )
    width: Side | None = Field(None, description=f"Pixels before upscaling; {OWN_SIDE}.")
    height: Side | None = Field(None, description=f"Pixels before upscaling; {OWN_SIDE}.")
    size: Size | None = Field(None, description="Both sides in one word, `WxH`, instead of `width` and `height`.")
    quality: Quality | None = Field(
        None,
        description="How much work goes into the picture; none means `hd`, where the model's card says nothing else.",
    )
    negative_prompt: NegativePrompt | None = Field(None, description="What must not be in the picture.")
    seed: Seed | None = Field(None, description="Equal requests with equal seeds give equal pixels; none draws one.")
    upscale: bool | None = Field(None, description="Deliver four times the width and height; none means false.")
    webhook_url: WebhookUrl | None = Field(None, description="Answer 202 at once and post here when it ends.")
    n: Count | None = Field(None, description="Pictures; picture i is painted with seed + i; none means 1.")
    format: ImageFormat | None = Field(None, description="The file's format; none means `png`.")
    enhance_prompt: bool | Literal["auto"] | None = Field(
        None, description="Append words from the style's list; `auto`, as none does, leaves it to the style."
    )
    model: str | None = Field(None, description="A model of this installation; none lets the style decide.")
    loras: list[LoraChoice] | None = Field(
        None,
        description="LoRAs made for the model, beside the style's own.",
        json_schema_extra={"maxItems": MAX_ADAPTERS},
    )
    image: PictureText | None = Field(
        None,
        description="Start from this picture: base64, a `data:` URL or the id of a generation of this account. Larger"
        " ones are sent as a file, in a `multipart/form-data` body.",
    )
    mask: PictureText | None = Field(
        None,
        description="Paint only where this picture, of the same size, is white, or transparent if any of it is.",
    )
    strength: Strength | None = Field(
        None, description=f"How far to leave `image`: near 0 keeps it, 1 repaints it; none means {DEFAULT_STRENGTH}."
    )
    num_inference_steps: Steps | None = Field(None, description="Denoising steps, instead of what `quality` means.")
    guidance_scale: Guidance | None = Field(
        None, description="How strictly the prompt is followed, instead of what `quality` means; 1 is no guidance."
    )
    sampler: Sampler | None = Field(None, description="How noise is removed; none means the style's way.")
    clip_skip: ClipSkip | None = Field(
        None, description="Layers of the text encoder to leave out at its end; none leaves it to the style."
    )
    vae: str | None = Field(
        None, description="An id from `GET /v1/vaes`: it decodes, and reads `image`, instead of the model's own."
    )
    label: bool | None = Field(None, description="Write `AI-generated` visibly into a corner; none means false.")
    priority: PriorityWord | None = Field(
        None, description="`batch` waits behind interactive requests; none means `interactive`."
    )
    ttl: TtlS | None = Field(
        None, description="Seconds from now after which record and pictures go; none leaves it to the plan."
    )
    metadata: Metadata | None = Field(
        None, description="Your own pairs; they come back, and lists can be filtered by them."
    )
    is_async: bool | None = Field(None, alias="async", description="Answer 202 at once; poll `poll_url`.")
    cache: bool | None = Field(None, description="false forces a new painting; equal requests still give equal pixels.")
    dry_run: bool | None = Field(None, description="Check everything, quote the price, paint nothing.")

    def request(self) -> GenerationRequest:
        """Raises RequestInvalid: a value breaks its rule; of those too that do not stand in the result."""
        check_metadata(self.metadata or {})
        check_strength(self.strength)
        check_ttl(self.ttl)
        width, height = self._sides()
        check_listed_size(width, height)
        return GenerationRequest(
            prompt=self.prompt,
            style=self.style if self.style is not None else "auto",
            width=width,
            height=height,
            quality=self.quality,
            negative_prompt=self.negative_prompt or "",
            seed=self.seed,
            upscale=bool(self.upscale),
            n=self.n if self.n is not None else 1,
            format=self.format or ImageFormat.PNG,
            enhance_prompt=None if self.enhance_prompt == "auto" else self.enhance_prompt,
            model=self.model,
            loras=tuple(Adapter(id=lora.id, weight=lora.weight) for lora in self.loras or ()),
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            sampler=self.sampler,
            clip_skip=self.clip_skip,
            vae=self.vae,
            label=bool(self.label),
        )

    def notices(self) -> Notices:
        """Members that say how the call is answered and change nothing beside another, or without one."""
        found: list[Notice] = []
        if self.cache and self.seed is None:
            found.append(ignored("cache", "without a `seed` each call draws its own, and is painted again."))
        if self.is_async is False and self.webhook_url is not None:
            found.append(ignored("async", "with `webhook_url` the answer is 202 at once."))
        return tuple(found)

    def _sides(self) -> tuple[int | None, int | None]:
        """Raises SizeInvalid: `size` is no size, or says something else than `width` and `height`."""
        if self.size is None:
            return self.width, self.height
        found = _SIZE.fullmatch(self.size)
        if found is None:
            raise SizeInvalid(f"`size` must be like '768x512', not {self.size[:40]!r}.", field="size")
        width, height = int(found[1]), int(found[2])
        if self.width not in (None, width) or self.height not in (None, height):
            raise SizeInvalid("`size` and `width` or `height` say different things; send one of them.", field="size")
        return width, height

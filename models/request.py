"""What the caller asked: it may have gaps, which the router fills."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.errors import (
    NegativePromptTooLong,
    ParameterMissing,
    PromptTooLong,
    RequestInvalid,
    SizeInvalid,
)

SIDES = (512, 768, 1024, 1280, 1920)
"""What the native contract offers; other people's contracts ask for any side within the bounds
below."""
MIN_SIDE = 256
MAX_SIDE = 2048
SIDE_MULTIPLE = 8
MAX_PROMPT_CHARACTERS = 1500
MAX_NEGATIVE_PROMPT_CHARACTERS = 500
MAX_SEED = 2**32 - 1
MAX_IMAGES = 10
MAX_ADAPTERS = 5
MAX_ADAPTER_WEIGHT = 2.0
DEFAULT_STRENGTH = 0.6
KEPT_STRENGTH = 0.01
"""Below it nothing of a picture is to change."""
UPSCALE_FACTOR = 4
MAX_INFERENCE_STEPS = 150
MIN_GUIDANCE_SCALE = 1.0  # none at all
MAX_GUIDANCE_SCALE = 30.0
MAX_CLIP_SKIP = 11
MAX_METADATA_PAIRS = 16
MAX_METADATA_KEY_CHARACTERS = 64
MAX_METADATA_VALUE_CHARACTERS = 512
METADATA_KEY = re.compile(rf"[A-Za-z0-9_.-]{{1,{MAX_METADATA_KEY_CHARACTERS}}}")
MIN_TTL_S = 60
MAX_TTL_S = 315_360_000  # ten years
MAX_INIT_PIXELS = 1 << 26  # 8192 x 8192: the largest picture that we deliver ourselves may be sent back


class Quality(StrEnum):
    """How much work goes into a picture."""

    STANDARD = "standard"
    HD = "hd"
    ULTRA = "ultra"


class Sampler(StrEnum):
    """How noise is removed, under the field's names (diffusers calls it scheduler)."""

    EULER = "euler"
    EULER_A = "euler_a"
    DDIM = "ddim"
    DPMPP_2M = "dpmpp_2m"
    DPMPP_2M_KARRAS = "dpmpp_2m_karras"
    DPMPP_SDE = "dpmpp_sde"
    UNIPC = "unipc"
    LCM = "lcm"
    TCD = "tcd"
    HEUN = "heun"


class ImageFormat(StrEnum):
    """The file a caller receives."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ImageSize:
    """Width and height in pixels, both positive."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise SizeInvalid(f"A picture needs at least one pixel a side, not {self}.", field="width")

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height

    def times(self, factor: int) -> "ImageSize":
        return ImageSize(width=self.width * factor, height=self.height * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A LoRA from the operator's catalogue and how strongly it acts: 1 as it was trained, below 0
    the other way."""

    id: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InitImage:
    """The picture a painting starts from, and how far it may leave it.

    `sha256` is of an image file's bytes; the file lies in the workspace under that name. `strength`
    is above 0 (keep it) up to 1 (repaint it). `mask_sha256` names a second file, brought to the
    same size: only where it is white anything is painted; None means everywhere.
    """

    sha256: str
    strength: float
    mask_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One call for pictures, every member within the contract's bounds; None means "you choose".

    `label` asks for words in the delivered picture that say it was generated; it decides no painted
    pixel.

    Raises:
        RequestInvalid: a member breaks its rule; `field` names it.
    """

    prompt: str
    style: str = "auto"
    width: int | None = None
    height: int | None = None
    quality: Quality | None = None
    negative_prompt: str = ""
    seed: int | None = None
    upscale: bool = False
    n: int = 1
    format: ImageFormat = ImageFormat.PNG
    enhance_prompt: bool | None = None
    model: str | None = None
    loras: tuple[Adapter, ...] = ()
    init_image: InitImage | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    sampler: Sampler | None = None
    clip_skip: int | None = None
    vae: str | None = None
    label: bool = False

    def __post_init__(self) -> None:
        _check_prompt(self.prompt)
        _check_negative_prompt(self.negative_prompt)
        _check_side(self.width, field="width")
        _check_side(self.height, field="height")
        _check_range(self.seed, 0, MAX_SEED, field="seed")
        _check_range(self.n, 1, MAX_IMAGES, field="n")
        _check_adapters(self.loras)
        check_strength(None if self.init_image is None else self.init_image.strength)
        _check_range(self.num_inference_steps, 1, MAX_INFERENCE_STEPS, field="num_inference_steps")
        _check_range(self.guidance_scale, MIN_GUIDANCE_SCALE, MAX_GUIDANCE_SCALE, field="guidance_scale")
        _check_range(self.clip_skip, 0, MAX_CLIP_SKIP, field="clip_skip")


def check_listed_size(width: int | None, height: int | None) -> None:
    """The native contract's rule, stricter than what can be painted.

    Raises:
        SizeInvalid: a side is none of `SIDES`.
    """
    for field, side in (("width", width), ("height", height)):
        if side is not None and side not in SIDES:
            allowed = ", ".join(map(str, SIDES))
            raise SizeInvalid(f"`{field}` must be one of {allowed}, not {side}.", field=field)


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raises RequestInvalid: too many pairs, or one whose key or value is too long or not of the
    form."""
    if len(metadata) > MAX_METADATA_PAIRS:
        raise RequestInvalid(f"`metadata` has {len(metadata)} pairs; at most {MAX_METADATA_PAIRS}.", field="metadata")
    for key, value in metadata.items():
        if not METADATA_KEY.fullmatch(key):
            raise RequestInvalid(
                f"A key of `metadata` has 1 to {MAX_METADATA_KEY_CHARACTERS} letters, digits, `_`, `.` and `-`.",
                field="metadata",
            )
        if len(value) > MAX_METADATA_VALUE_CHARACTERS:
            raise RequestInvalid(
                f"A value of `metadata` has at most {MAX_METADATA_VALUE_CHARACTERS} characters.", field="metadata"
            )
        _check_text(value, field="metadata")


def check_strength(strength: float | None) -> None:
    """Raises RequestInvalid."""
    if strength is not None and not 0 < strength <= 1:
        raise RequestInvalid(f"`strength` must be above 0 and at most 1, not {strength}.", field="strength")


def check_ttl(ttl_s: int | None) -> None:
    """Raises RequestInvalid."""
    _check_range(ttl_s, MIN_TTL_S, MAX_TTL_S, field="ttl")


def _check_prompt(prompt: str) -> None:
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise PromptTooLong(
            f"`prompt` has {len(prompt)} characters; at most {MAX_PROMPT_CHARACTERS} are allowed.", field="prompt"
        )
    if not prompt.strip():
        raise ParameterMissing("`prompt` is needed and must not be empty.", field="prompt")
    _check_text(prompt, field="prompt")


def _check_negative_prompt(negative_prompt: str) -> None:
    if len(negative_prompt) > MAX_NEGATIVE_PROMPT_CHARACTERS:
        raise NegativePromptTooLong(
            f"`negative_prompt` has {len(negative_prompt)} characters; at most"
            f" {MAX_NEGATIVE_PROMPT_CHARACTERS} are allowed.",
            field="negative_prompt",
        )
    _check_text(negative_prompt, field="negative_prompt")


def _check_text(text: str, *, field: str) -> None:
    if "\x00" in text:
        raise RequestInvalid(f"`{field}` must not contain the NUL character.", field=field)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise RequestInvalid(f"`{field}` contains half of a surrogate pair.", field=field)


def _check_side(side: int | None, *, field: str) -> None:
    if side is not None and (not MIN_SIDE <= side <= MAX_SIDE or side % SIDE_MULTIPLE):
        raise SizeInvalid(
            f"`{field}` must be a multiple of {SIDE_MULTIPLE} from {MIN_SIDE} to {MAX_SIDE}, not {side}.", field=field
        )


def _check_adapters(adapters: tuple[Adapter, ...]) -> None:
    if len(adapters) > MAX_ADAPTERS:
        raise RequestInvalid(f"`loras` has {len(adapters)} entries; at most {MAX_ADAPTERS} are allowed.", field="loras")
    if len({adapter.id for adapter in adapters}) < len(adapters):
        raise RequestInvalid("`loras` must not name one twice.", field="loras")
    for adapter in adapters:
        _check_range(adapter.weight, -MAX_ADAPTER_WEIGHT, MAX_ADAPTER_WEIGHT, field="loras")


def _check_range(value: float | None, low: float, high: float, *, field: str) -> None:
    if value is not None and not low <= value <= high:
        raise RequestInvalid(f"`{field}` must be between {low} and {high}, not {value}.", field=field)

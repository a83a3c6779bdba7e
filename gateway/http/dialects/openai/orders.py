"""The body of `POST /v1/images/generations` in the words of OpenAI's clients, and what it asks for in ours.

Unknown members are not refused here but named in the answer: every client adds some of its own.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway.http.dialects.members import (
    Acts,
    Answers,
    DialectBody,
    Idle,
    Member,
    Unsupported,
    empty,
    never,
    one_of,
    same,
)
from gateway.http.dialects.model_names import ModelNames
from gateway.http.dialects.sizes import AUTO, read_size
from models import GenerationRequest, ImageFormat, Quality, RequestInvalid
from models.request import MAX_METADATA_VALUE_CHARACTERS, check_metadata

QUALITIES: Mapping[str, Quality] = {
    "low": Quality.STANDARD,
    "standard": Quality.STANDARD,
    "medium": Quality.HD,
    "auto": Quality.HD,
    "hd": Quality.HD,
    "high": Quality.ULTRA,
    "xhigh": Quality.ULTRA,
    "max": Quality.ULTRA,
    "ultra": Quality.ULTRA,
}
STYLES = {"vivid": "cinematic", "natural": "photographic"}
BASE64_MODELS = ("gpt-image-*", "chatgpt-image-*")


Word = Annotated[str, Field(max_length=MAX_METADATA_VALUE_CHARACTERS)]


AT_EDITS = "begin from a picture by a form to `/v1/images/edits`."
NO_LORAS = "LoRAs here are the operator's own; see `GET /v1/loras`."
MEMBERS: Mapping[str, Member] = {
    "prompt": Acts(on="prompt"),
    "model": Acts(on="model"),
    "n": Acts(on="n", read=same),
    "size": Acts(on="size"),
    "quality": Acts(on="quality"),
    "style": Acts(on="style"),
    "response_format": Answers(only_without="stream"),
    "output_format": Acts(on="format", read=same),
    "output_compression": Idle(why="how far files are compressed is fixed here."),
    "background": Idle(is_usual=one_of("auto", "opaque")),  # any other is refused
    "moderation": Idle(is_usual=one_of("auto"), why="the operator's policy counts for everybody."),
    "stream": Answers(),
    "partial_images": Answers(only_with="stream", is_usual=one_of(0)),
    "user": Answers(),
    "safety_identifier": Answers(),
    "seed": Acts(on="seed", read=same),
    "negative_prompt": Acts(on="negative_prompt"),
    "width": Acts(on="width", read=same),
    "height": Acts(on="height", read=same),
    "upscale": Acts(on="upscale", read=same),
    "num_inference_steps": Acts(on="num_inference_steps", read=same),
    "steps": Acts(on="num_inference_steps", read=same),
    "guidance_scale": Acts(on="guidance_scale", read=same),
    "input_fidelity": Idle(why="`strength` says how near a picture stays to the one it begins from."),
    "image": Unsupported(why=AT_EDITS),
    "images": Unsupported(why=AT_EDITS),
    "mask": Unsupported(why=AT_EDITS),
    "image_url": Unsupported(why=AT_EDITS),
    "image_base64": Unsupported(why=AT_EDITS),
    "reference_images": Unsupported(why=AT_EDITS),
    "strength": Unsupported(why=AT_EDITS, is_off=never),
    "image_loras": Unsupported(why=NO_LORAS),
    "disable_safety_checker": Idle(is_usual=empty, why="the operator's policy counts for everybody."),
}


class ImagesBody(DialectBody):
    """OpenAI's members, then what together's client and callers of `extra_body` add. Null means "not given"."""

    MEMBERS: ClassVar[Mapping[str, Member]] = MEMBERS

    prompt: str
    model: str | None = None
    """A model of this installation, or a name that stands for one."""
    n: int | None = None
    """Pictures, 1 to 10."""
    size: str | None = None
    """`auto`, or any `1024x1536` with both sides a multiple of 16 from 256 to 2048, and at most 3:1."""
    quality: str | None = None
    """`low`, `medium`, `high`, `auto` and their older and newer names."""
    style: str | None = None
    """`vivid`, `natural`, or a style of ours."""
    response_format: Literal["url", "b64_json", "base64"] | None = None
    """None: base64 for the models `gpt-image-*` and `chatgpt-image-*`, else an address."""
    output_format: ImageFormat | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    background: Literal["auto", "opaque", "transparent"] | None = None
    moderation: Literal["auto", "low"] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = None
    user: Word | None = None
    """Of the caller's own; it comes back in the generation's `metadata`, as `safety_identifier` does."""
    safety_identifier: Word | None = None
    seed: int | None = None
    """Ours and together's: equal requests with equal seeds give equal pixels."""
    negative_prompt: str | None = None
    width: int | None = None
    """together's: counts where `size` is not given."""
    height: int | None = None
    upscale: bool | None = None
    steps: int | None = None
    """together's; the same as `num_inference_steps`."""
    num_inference_steps: int | None = None
    guidance_scale: float | None = None

    @property
    def is_base64(self) -> bool:
        """How the picture is wanted. Exactly one form is answered: some clients would take the other one."""
        if self.response_format is not None:
            return self.response_format != "url"
        return any(fnmatchcase(self.model or "", pattern) for pattern in BASE64_MODELS)

    def request(self, names: ModelNames) -> GenerationRequest:
        """Raises RequestInvalid: a value breaks its rule, or cannot be followed here."""
        self.check_supported()
        if self.background == "transparent":
            raise RequestInvalid("`background`: pictures here have no transparent parts.", field="background")
        size = read_size(self.size or AUTO)
        return GenerationRequest(
            prompt=self.prompt,
            style=STYLES.get(self.style, self.style) if self.style is not None else "auto",
            width=size.width if size else self.width,
            height=size.height if size else self.height,
            quality=read_quality(self.quality),
            negative_prompt=self.negative_prompt or "",
            seed=self.seed,
            upscale=bool(self.upscale),
            n=self.n if self.n is not None else 1,
            format=self.output_format or ImageFormat.PNG,
            model=names.meant(self.model),
            num_inference_steps=self.steps if self.num_inference_steps is None else self.num_inference_steps,
            guidance_scale=self.guidance_scale,
        )

    def metadata(self) -> dict[str, str]:
        """Raises RequestInvalid: a value is no text that can be kept."""
        named = {"user": self.user, "safety_identifier": self.safety_identifier}
        metadata = {name: value for name, value in named.items() if value is not None}
        check_metadata(metadata)
        return metadata


def read_quality(word: str | None) -> Quality | None:
    """None leaves it to the model.

    Raises:
        RequestInvalid: no such word.
    """
    if word is None:
        return None
    if word not in QUALITIES:
        raise RequestInvalid(f"`quality` must be one of {', '.join(QUALITIES)}, not {word!r}.", field="quality")
    return QUALITIES[word]

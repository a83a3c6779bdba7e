"""Answers in the shapes of OpenAI's clients. Their types are closed: what is absent is left out, not null."""

import base64
import re
from typing import Literal

from pydantic import BaseModel

from gateway.generations import PictureFiles, PublicUrls, View
from gateway.http.dialects.specs import specs_of
from gateway.http.generations.presenting import warning_bodies
from gateway.wire import WarningBody
from models import Quality
from models.notices import Notices
from storage import Generation, Picture

QUALITIES = {Quality.STANDARD: "low", Quality.HD: "medium", Quality.ULTRA: "high"}
# How CLIP's tokenizer cuts a text before it looks into its vocabulary: words, single digits, runs of signs.
_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)\b|[^\W\d_]+|\d|[^\s\w]+|_", re.IGNORECASE)


class TextAndImages(BaseModel):
    text_tokens: int
    image_tokens: int


class Usage(BaseModel):
    """Text counts in the pieces that CLIP's tokenizer begins with, rare words as one; a picture counts as one token."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: TextAndImages
    output_tokens_details: TextAndImages


class ImageItem(BaseModel):
    """Exactly one of `url` and `b64_json`."""

    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str
    seed: int


class ImagesAnswer(BaseModel):
    """`generation_id`, `warnings` and each picture's `seed` are ours; `quality` is said in OpenAI's words."""

    created: int
    data: list[ImageItem]
    background: Literal["opaque"] = "opaque"
    output_format: str
    quality: str
    size: str
    usage: Usage
    generation_id: str
    warnings: list[WarningBody]


class PartialImageEvent(BaseModel):
    """A small JPEG of what the first picture will look like."""

    type: str
    b64_json: str
    partial_image_index: int
    created_at: int
    background: Literal["opaque"] = "opaque"
    output_format: Literal["jpeg"] = "jpeg"
    quality: str
    size: str


class CompletedEvent(BaseModel):
    """One finished picture. Clients' types ask for `usage` here."""

    type: str
    b64_json: str
    created_at: int
    background: Literal["opaque"] = "opaque"
    output_format: str
    quality: str
    size: str
    usage: Usage
    warnings: list[WarningBody]


async def images_answer(
    view: View, *, is_base64: bool, urls: PublicUrls, files: PictureFiles, warnings: Notices
) -> ImagesAnswer:
    """Raises BlobGone, BlobDamaged, BlobUnavailable."""
    generation = view.generation
    items = [
        ImageItem(
            b64_json=await base64_of(picture, files) if is_base64 else None,
            url=None if is_base64 else urls.image(picture.name),
            revised_prompt=generation.revised_prompt,
            seed=picture.seed,
        )
        for picture in view.pictures
    ]
    return ImagesAnswer(
        created=int(generation.created_at.timestamp()),
        data=items,
        output_format=generation.format,
        quality=QUALITIES[generation.quality],
        size=f"{generation.width}x{generation.height}",
        usage=usage_of(generation),
        generation_id=generation.id,
        warnings=warning_bodies(warnings),
    )


async def base64_of(picture: Picture, files: PictureFiles) -> str:
    return base64.b64encode(await files.read(picture)).decode()


def usage_of(generation: Generation) -> Usage:
    """What was read and painted, for programs that count."""
    text, images = count_pieces(generation.prompt), generation.picture_count
    images_sent = 0 if specs_of(generation)[0].init_image is None else 1
    return Usage(
        input_tokens=text + images_sent,
        output_tokens=images,
        total_tokens=text + images_sent + images,
        input_tokens_details=TextAndImages(text_tokens=text, image_tokens=images_sent),
        output_tokens_details=TextAndImages(text_tokens=0, image_tokens=images),
    )


def count_pieces(text: str) -> int:
    return len(_PIECE.findall(text))

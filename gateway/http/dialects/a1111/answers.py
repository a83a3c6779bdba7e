"""Answers in the shapes of A1111's web UI: pictures as base64, and the recipe as the text that its users exchange."""

import base64
import json
from collections.abc import Mapping, Sequence

import msgspec
from pydantic import BaseModel

from gateway.generations import PictureFiles, View
from gateway.http.dialects.a1111.prompts import escaped
from gateway.http.dialects.samplers import LABELS
from gateway.http.dialects.specs import specs_of
from gateway.http.dialects.warnings import written_warnings
from models import GenerationSpec, Recipe
from models.notices import Notices

RECIPE_TEXT = "pinxit"
PARAMETERS_TEXT = "parameters"


class PicturesAnswer(BaseModel):
    """`parameters` is the body as it was sent; `info` is JSON once more, as text."""

    images: list[str]
    parameters: dict[str, object]
    info: str


class PictureTextAnswer(BaseModel):
    """`info` is the recipe in words, empty where the file has none; `items` is every text in the file."""

    info: str
    items: dict[str, str]
    parameters: dict[str, str]


async def pictures_answer(
    view: View, files: PictureFiles, *, parameters: dict[str, object], warnings: Notices
) -> PicturesAnswer:
    """Raises BlobGone, BlobDamaged, BlobUnavailable."""
    contents = [await files.read(picture) for picture in view.pictures]
    return PicturesAnswer(
        images=[base64.b64encode(content).decode() for content in contents],
        parameters=parameters,
        info=json.dumps(_recipe_members(view, specs_of(view.generation)) | {"warnings": written_warnings(warnings)}),
    )


def infotext(spec: GenerationSpec) -> str:
    """The three lines that A1111's users paste to each other."""
    networks = "".join(f" <lora:{adapter.id}:{adapter.weight:g}>" for adapter in spec.adapters)
    negative = [f"Negative prompt: {escaped(spec.negative_prompt)}"] if spec.negative_prompt else []
    settings = ", ".join(f"{name}: {value}" for name, value in _settings(spec).items())
    return "\n".join([escaped(spec.prompt) + networks, *negative, settings])


def picture_text(texts: Mapping[str, str]) -> PictureTextAnswer:
    """From the texts in a file: ours, or another program's."""
    ours = texts.get(RECIPE_TEXT)
    if ours is None:
        return PictureTextAnswer(info=texts.get(PARAMETERS_TEXT, ""), items=dict(texts), parameters={})
    spec = msgspec.json.decode(ours, type=Recipe).spec
    parameters = {"Prompt": spec.prompt, "Negative prompt": spec.negative_prompt, **_settings(spec)}
    return PictureTextAnswer(info=infotext(spec), items=dict(texts), parameters=parameters)


def _settings(spec: GenerationSpec) -> dict[str, str]:
    return {
        "Steps": str(spec.num_inference_steps),
        "Sampler": LABELS[spec.sampler],
        "CFG scale": f"{spec.guidance_scale:g}",
        "Seed": str(spec.seed),
        "Size": str(spec.size.delivered),
        "Model": spec.model,
        **({"Clip skip": str(spec.clip_skip + 1)} if spec.clip_skip else {}),
        **({"VAE": spec.vae} if spec.vae else {}),
        **({"Denoising strength": f"{spec.init_image.strength:g}"} if spec.init_image else {}),
    }


def _recipe_members(view: View, specs: Sequence[GenerationSpec]) -> dict[str, object]:
    generation, first = view.generation, specs[0]
    return {
        "prompt": first.prompt,
        "all_prompts": [spec.prompt for spec in specs],
        "negative_prompt": first.negative_prompt,
        "all_negative_prompts": [spec.negative_prompt for spec in specs],
        "seed": first.seed,
        "all_seeds": [spec.seed for spec in specs],
        "width": generation.width,
        "height": generation.height,
        "sampler_name": LABELS[first.sampler],
        "cfg_scale": first.guidance_scale,
        "steps": first.num_inference_steps,
        "batch_size": len(specs),
        "sd_model_name": first.model,
        "styles": [generation.style],
        "clip_skip": first.clip_skip,
        "index_of_first_image": 0,
        "infotexts": [infotext(spec) for spec in specs],
        "generation_id": generation.id,
    }

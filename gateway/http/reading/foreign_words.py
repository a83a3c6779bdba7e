"""What other services call our members, so that a refusal can name ours."""

import re
from collections.abc import Iterable, Mapping

from models.guessing import nearest

OURS: Mapping[str, str] = {
    "aspect_ratio": "width` and `height",
    "batch_size": "n",
    "callback_url": "webhook_url",
    "cfg": "guidance_scale",
    "cfg_scale": "guidance_scale",
    "checkpoint": "model",
    "count": "n",
    "denoising_strength": "strength",
    "dimensions": "size",
    "engine": "model",
    "enhance": "enhance_prompt",
    "expand_prompt": "enhance_prompt",
    "guidance": "guidance_scale",
    "idempotency_key": "Idempotency-Key` in a header, not `idempotency_key",
    "image_size": "size",
    "image_strength": "strength",
    "image_url": "image",
    "init_image": "image",
    "input_image": "image",
    "iterations": "num_inference_steps",
    "lora": "loras",
    "lora_weights": "loras",
    "mask_image": "mask",
    "model_id": "model",
    "n_iter": "n",
    "n_samples": "n",
    "negative": "negative_prompt",
    "num_images": "n",
    "num_images_per_prompt": "n",
    "num_outputs": "n",
    "num_steps": "num_inference_steps",
    "output_format": "format",
    "prompt_strength": "strength",
    "prompt_upsampling": "enhance_prompt",
    "resolution": "size",
    "response_format": "format",
    "sample_count": "n",
    "samples": "n",
    "sampler_index": "sampler",
    "sampler_name": "sampler",
    "scheduler": "sampler",
    "source_image": "image",
    "step_count": "num_inference_steps",
    "steps": "num_inference_steps",
    "style_id": "style",
    "style_preset": "style",
    "text": "prompt",
    "text_prompts": "prompt",
    "uc": "negative_prompt",
    "upscale_factor": "upscale",
    "user": "metadata",
    "webhook": "webhook_url",
}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def our_word_for(member: str, known: Iterable[str]) -> str | None:
    """The member of ours that a stranger's name stands for: spelt otherwise, foreign, or misspelt; None: no idea."""
    names = list(known)
    written = _HUMP.sub("_", member).lower().replace("-", "_").replace(" ", "_")
    if written in names:
        return written
    ours = OURS.get(written)
    if ours is not None and ours.split("`")[0] in {*names, "Idempotency-Key"}:
        return ours
    return nearest(written, names)


def hint_for(member: str, known: Iterable[str]) -> str:
    """A sentence to add to a refusal, with a space before it; empty where there is nothing to say."""
    ours = our_word_for(member, known)
    return "" if ours is None else f" Here it is `{ours}`."

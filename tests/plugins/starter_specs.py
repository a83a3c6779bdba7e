"""Specs for the model in the box."""

from models import GenerationSpec, ImageSize, Resampling, Sampler, SizePlan

PROMPTS = (
    "a red lighthouse by the sea at sunset",
    "a blue boat on a lake at night",
    "a green castle in a meadow",
    "a yellow car in the desert",
)


def starter_spec(**changes: object) -> GenerationSpec:
    """256 x 256, 12 steps of dpmpp_2m with guidance 5, nothing enlarged."""
    side = ImageSize(width=256, height=256)
    plain: dict[str, object] = {
        "model": "starter",
        "prompt": PROMPTS[0],
        "negative_prompt": "",
        "seed": 1,
        "size": SizePlan(
            painted=side, target=side, resampling=Resampling.NONE, upscale=1, upscale_resampling=Resampling.NONE
        ),
        "sampler": Sampler.DPMPP_2M,
        "num_inference_steps": 12,
        "guidance_scale": 5.0,
    }
    return GenerationSpec(**(plain | changes))  # type: ignore[arg-type]

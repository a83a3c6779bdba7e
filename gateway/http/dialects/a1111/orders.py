"""The bodies of `POST /sdapi/v1/txt2img` and `img2img` in the words of A1111's web UI, and what they ask for in ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from gateway.generations import Given
from gateway.generations.inputs.sources import content_of
from gateway.http.dialects.model_names import ModelNames
from gateway.http.dialects.samplers import read_sampler
from gateway.http.reading.lenient import LenientBody
from gateway.image_decoder import MaskRule
from models import Adapter, GenerationRequest, RequestInvalid

NO_STYLE = "none"
CHECKPOINT = "sd_model_checkpoint"
VAE = "sd_vae"
OWN_VAES = frozenset({"", "None", "Automatic"})  # that web UI's words for the model's own
SETTINGS = frozenset({CHECKPOINT, VAE})
# Words of the prompt that call a LoRA, as every user of that web UI types them: <lora:ink-wash:0.8>
_LORA = re.compile(r"<lora:([^:<>]{1,64})(?::(-?[0-9]{1,3}(?:\.[0-9]{1,6})?))?>")
# What the web UI fills in by itself; that such a member changed nothing surprises nobody.
HABITS: Mapping[str, object] = {"send_images": True, "save_images": False, "do_not_save_grid": True}


class TextToImageBody(LenientBody):
    """A1111's members that mean something here. Null means "not given"."""

    prompt: str = ""
    negative_prompt: str | None = None
    styles: list[str] | None = None
    """One of our styles; none of them, and the prompt is painted as it was typed."""
    seed: int | None = None
    """-1 draws one."""
    batch_size: int | None = None
    n_iter: int | None = None
    """Rounds; together with `batch_size` at most 10 pictures."""
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler_name: str | None = None
    scheduler: str | None = None
    override_settings: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Of these only `sd_model_checkpoint` and `sd_vae` count."""

    def request(self, names: ModelNames, *, chosen_model: str | None) -> GenerationRequest:
        """`chosen_model` is what the caller has chosen by `POST /sdapi/v1/options`.

        Raises:
            RequestInvalid: a value breaks its rule.
        """
        prompt = read_prompt(self.prompt)
        checkpoint = self.override_settings.get(CHECKPOINT) or chosen_model
        return GenerationRequest(
            prompt=prompt.text,
            style=_only(self.styles or []),
            width=self.width,
            height=self.height,
            negative_prompt=self.negative_prompt or "",
            seed=None if self.seed == -1 else self.seed,
            n=(1 if self.batch_size is None else self.batch_size) * (1 if self.n_iter is None else self.n_iter),
            model=names.meant(str(checkpoint)) if checkpoint else None,
            loras=prompt.loras,
            num_inference_steps=self.steps,
            guidance_scale=self.cfg_scale,
            vae=None if (vae := str(self.override_settings.get(VAE) or "")) in OWN_VAES else vae,
            sampler=read_sampler(self.sampler_name, scheduler=self.scheduler) if self.sampler_name else None,
        )

    def ignored(self) -> list[str]:
        extra = self.model_extra or {}
        strangers = [name for name, value in extra.items() if value not in (None, HABITS.get(name))]
        return [*strangers, *(f"override_settings.{name}" for name in self.override_settings if name not in SETTINGS)]


class ImageToImageBody(TextToImageBody):
    """The same, from a picture; `mask` is white where it shall be painted, or opaque if any of it is transparent."""

    init_images: list[str]
    mask: str | None = None
    denoising_strength: float = 0.75
    inpainting_mask_invert: int = 0

    def pictures(self) -> Given:
        """Raises RequestInvalid: not exactly one picture, or no picture at all."""
        if len(self.init_images) != 1:
            raise RequestInvalid("`init_images` must hold one picture.", field="init_images")
        is_inverted = bool(self.inpainting_mask_invert)
        return Given(
            mask_rule=MaskRule.INVERTED_OPAQUE_OR_WHITE if is_inverted else MaskRule.OPAQUE_OR_WHITE,
            image=content_of(self.init_images[0], field="init_images"),
            mask=content_of(self.mask, field="mask") if self.mask else None,
            strength=self.denoising_strength,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPrompt:
    text: str
    loras: tuple[Adapter, ...]


def read_prompt(prompt: str) -> ReadPrompt:
    """The words, and the LoRAs that they call; one called twice counts with the sum, as in that web UI."""
    weights: dict[str, float] = {}
    for name, weight in _LORA.findall(prompt):
        weights[name] = weights.get(name, 0.0) + float(weight or 1)
    loras = tuple(Adapter(id=name, weight=weight) for name, weight in weights.items())
    return ReadPrompt(text=" ".join(_LORA.sub(" ", prompt).split()) if weights else prompt, loras=loras)


def _only(styles: list[str]) -> str:
    named = [style for style in styles if style]
    if len(named) > 1:
        raise RequestInvalid("`styles` may name one style; here they do not add up.", field="styles")
    return named[0] if named else NO_STYLE

"""The bodies of `POST /sdapi/v1/txt2img` and `img2img` in the words of A1111's web UI, and what they ask for in ours."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from gateway.generations import Given
from gateway.generations.inputs.sources import content_of
from gateway.http.dialects.a1111.members import CHECKPOINT, CLIP_LAYERS, IMAGE_TO_IMAGE, SETTINGS, TEXT_TO_IMAGE, VAE
from gateway.http.dialects.a1111.prompts import read_negative_prompt, read_prompt
from gateway.http.dialects.members import DialectBody, Member, check_supported, without_effect, words_of
from gateway.http.dialects.model_names import ModelNames
from gateway.http.dialects.samplers import read_sampler
from gateway.image_decoder import MaskRule
from models import MAX_IMAGES, GenerationRequest, RequestInvalid
from models.notices import Notice, Notices, ignored

NO_STYLE = "none"
OWN_VAES = frozenset({"", "None", "Automatic"})  # that web UI's words for the model's own
OVERRIDES = "override_settings."


class TextToImageBody(DialectBody):
    """A1111's members that mean something here; the others stand in `members`."""

    MEMBERS: ClassVar[Mapping[str, Member]] = TEXT_TO_IMAGE

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
    sampler_index: str | None = None
    """Its older name."""
    scheduler: str | None = None
    """How noise levels are spaced; alone it acts on the sampler that would be taken without it."""
    clip_skip: int | None = None
    override_settings: dict[str, Any] = Field(default_factory=dict[str, Any])

    def request(self, names: ModelNames, *, chosen_model: str | None) -> GenerationRequest:
        """`chosen_model` is what the caller has chosen by `POST /sdapi/v1/options`. Spacing is left to `spaced`.

        Raises:
            RequestInvalid: a value breaks its rule, or cannot be followed here.
        """
        self.check_supported()
        check_supported(self._settings, SETTINGS, place=OVERRIDES)
        prompt = read_prompt(self.prompt)
        checkpoint = self._settings.get(CHECKPOINT) or chosen_model
        return GenerationRequest(
            prompt=prompt.text,
            style=_only(self.styles or []),
            width=self.width,
            height=self.height,
            negative_prompt=read_negative_prompt(self.negative_prompt or "").text,
            seed=None if self.seed == -1 else self.seed,
            n=self._count(),
            model=names.meant(str(checkpoint)) if checkpoint else None,
            loras=prompt.loras,
            num_inference_steps=self.steps,
            guidance_scale=self.cfg_scale,
            vae=None if (vae := str(self._settings.get(VAE) or "")) in OWN_VAES else vae,
            sampler=read_sampler(self._sampler, field="sampler_name") if self._sampler else None,
            clip_skip=self._clip_skip(),
        )

    def notices(self, request: GenerationRequest) -> Notices:
        """What of the body changed nothing, or something else than it says."""
        return (
            *read_prompt(self.prompt).notices,
            *read_negative_prompt(self.negative_prompt or "").notices,
            *self.without_effect(request),
            *self._overridden_sampler(),
            *without_effect(self._settings, SETTINGS, request, place=OVERRIDES),
        )

    def words(self) -> Mapping[str, str]:
        settings = {name: value for name, value in self._settings.items() if name != CLIP_LAYERS or not self.clip_skip}
        return {"loras": "prompt", **super().words(), **words_of(settings, SETTINGS, place=OVERRIDES)}

    @property
    def _settings(self) -> Mapping[str, object]:
        return {name: value for name, value in self.override_settings.items() if value is not None}

    @property
    def _sampler(self) -> str | None:
        return self.sampler_name or self.sampler_index

    def _overridden_sampler(self) -> Iterator[Notice]:
        if self.sampler_name and self.sampler_index and self.sampler_name != self.sampler_index:
            yield ignored("sampler_index", "`sampler_name` decides it.")

    def _count(self) -> int:
        """Raises RequestInvalid: one of the two is not positive, or there are too many together."""
        sent = (("batch_size", self.batch_size), ("n_iter", self.n_iter))
        for name, value in sent:
            if value is not None and not 1 <= value <= MAX_IMAGES:
                raise RequestInvalid(f"`{name}` must be between 1 and {MAX_IMAGES}, not {value}.", field=name)
        count = (self.batch_size or 1) * (self.n_iter or 1)
        if count > MAX_IMAGES:
            why = f"`batch_size` times `n_iter` is {count}; a call may ask for {MAX_IMAGES} pictures."
            raise RequestInvalid(why, field="batch_size")
        return count

    def _clip_skip(self) -> int | None:
        """There 1 is the last layer; here it counts those that are left out.

        Raises:
            RequestInvalid: it is no number of layers.
        """
        is_own = self.clip_skip is not None
        name = "clip_skip" if is_own else OVERRIDES + CLIP_LAYERS
        value: object = self.clip_skip if is_own else self._settings.get(CLIP_LAYERS)
        if value is None:
            return None
        if not isinstance(value, int) or value < 1:
            raise RequestInvalid(f"`{name}` must be 1 or more: the layer that is read, from the end.", field=name)
        return value - 1


class ImageToImageBody(TextToImageBody):
    """The same, from a picture; `mask` is white where it shall be painted, or opaque if any of it is transparent."""

    MEMBERS: ClassVar[Mapping[str, Member]] = IMAGE_TO_IMAGE

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


def _only(styles: list[str]) -> str:
    named = [style for style in styles if style]
    if len(named) > 1:
        raise RequestInvalid("`styles` may name one style; here they do not add up.", field="styles")
    return named[0] if named else NO_STYLE

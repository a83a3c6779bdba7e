"""From a request to complete specs. Pure: time, chance and devices play no part."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from models import (
    MAX_SEED,
    Catalogue,
    GenerationRequest,
    GenerationSpec,
    ImageSize,
    ModelCard,
    ModelUnavailable,
    Quality,
    Refining,
    RequestInvalid,
    SizePlan,
)
from models.notices import Notices
from router.adapters import Acting, acting, with_triggers
from router.auto_style import choose_style
from router.enhancement import enhance
from router.notices import Compared, notices_of, reads_negative
from router.overrides import (
    Denoising,
    Work,
    candidates_of,
    check_fits,
    check_vae,
    denoising_of,
    refining_of,
    switched_off,
)
from router.size_plan import plan_size
from router.styles import AUTO, PLACEHOLDER, NegativeMerge, Style, Styles, Wording

StyleReason = Literal["requested", "phrase", "default"]

UPSCALE_CREDITS = 1
MOST_REMEMBERED = 64  # routes of ten pictures of the longest prompts, in the widest characters: some five megabytes
NO_STYLE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which model and settings serve a request, and why.

    `prompt` is the caller's, `revised_prompt` and `negative_prompt_used` what the first picture's text encoder reads.
    One spec a picture, seeds counting up; enhancement follows each picture's own seed, so asking for one of them
    alone by its seed gives it again. `notices` say what of the request did
    not act. `credits` is the price before the account's plan is looked at; `min_plan` is
    the least plan that may ask for the style.
    """

    style_resolved: str
    style_reason: StyleReason
    style_revision: int
    model: str
    quality: Quality
    size_plan: SizePlan
    prompt: str
    revised_prompt: str
    negative_prompt_used: str
    specs: tuple[GenerationSpec, ...]
    credits: int
    min_plan: str
    is_upscaled: bool
    notices: Notices = ()


class Router:
    """Decides for one installation: its styles, its models and the style that `auto` falls back on."""

    def __init__(self, styles: Styles, catalogue: Catalogue, *, default_style: str = "digital-art") -> None:
        self._styles = styles
        self._catalogue = catalogue
        self._default_style = default_style
        self._own_cards = {style.id: style.card_in(catalogue) for style in styles.all()}
        self._remembered = lru_cache(maxsize=MOST_REMEMBERED)(self._route)

    def route(self, request: GenerationRequest, *, seed: int) -> Route:
        """Fill every gap of `request`; `seed` is its own or one drawn for it. Who asks again with a seed is answered from memory.

        Raises:
            StyleUnknown, ModelUnknown: nothing of that name.
            RequestInvalid: the style has no settings for the model that the request names, or a LoRA, a sampler or a
                picture to begin from does not fit it.
            AdapterUnknown, VaeUnknown: a LoRA or VAE of the request is not in the catalogue.
            ModelUnavailable: no installed model can paint the style, or a LoRA that it needs is not installed.
        """
        return self._route(request, seed) if request.seed is None else self._remembered(request, seed)

    def _route(self, request: GenerationRequest, seed: int) -> Route:
        style, reason = self._style_of(request)
        setting = self._setting(request, style, self._card_for(style, request))
        specs = tuple(_spec(request, setting, seed=(seed + i) % (MAX_SEED + 1)) for i in range(request.n))
        compared = Compared(
            request=request,
            specs=specs,
            catalogue=self._catalogue,
            plain_prompt=with_triggers(_templated(request, setting), setting.acting.triggers),
            acting=setting.acting,
            switched_off=setting.switched_off,
        )
        return Route(
            style_resolved=style.id,
            style_reason=reason,
            style_revision=style.revision,
            model=setting.card.id,
            quality=setting.quality,
            size_plan=setting.size_plan,
            prompt=request.prompt,
            revised_prompt=specs[0].prompt,
            negative_prompt_used=setting.negative_prompt,
            specs=specs,
            notices=notices_of(compared),
            credits=price_of(style, request, setting.quality),
            min_plan=style.min_plan,
            is_upscaled=request.upscale,
        )

    def _setting(self, request: GenerationRequest, style: Style, card: ModelCard) -> "_Setting":
        check_fits(request, card)
        check_vae(request, card, self._catalogue)
        settings = style.settings_for(card)
        quality = request.quality or card.default_quality
        refining = refining_of(request, settings, card, quality)
        denoising = denoising_of(request, settings, quality)
        negative = merged_negative(request.negative_prompt, style.wording_for(card))
        return _Setting(
            style=style,
            card=card,
            quality=quality,
            denoising=denoising,
            size_plan=plan_size(
                _target(request, card),
                card,
                is_upscaled=request.upscale,
                has_upscaler=self._catalogue.upscaler is not None,
                refiner=card.refiner if refining else None,
            ),
            refining=refining,
            negative_prompt=negative if reads_negative(card.family, denoising.guidance_scale, refining) else "",
            acting=acting(settings.adapters, request.loras, card, self._catalogue),
            candidates=candidates_of(request, settings, card, quality),
            switched_off=switched_off(request, settings, card, quality),
        )

    def _style_of(self, request: GenerationRequest) -> tuple[Style, StyleReason]:
        if request.style.casefold() != AUTO:
            return self._styles.get(request.style), "requested"
        paintable = {style.id: style for style in self._styles.all() if self._can_paint(style, request)}
        default = self._default_style if self._default_style in paintable else NO_STYLE
        choice = choose_style(request.prompt, paintable.values(), default=default)
        return self._styles.get(choice.style), choice.reason

    def _can_paint(self, style: Style, request: GenerationRequest) -> bool:
        if request.model is None:
            return self._own_cards[style.id] is not None
        card = self._catalogue.get(request.model)
        return style.serves(card) and not style.lacks(card, self._catalogue)

    def _card_for(self, style: Style, request: GenerationRequest) -> ModelCard:
        if request.model is None:
            card = self._own_cards[style.id]
            if card is None:
                raise ModelUnavailable(f"No installed model can paint the style {style.id!r}.")
            return card
        card = self._catalogue.get(request.model)
        if not style.serves(card):
            raise RequestInvalid(f"The style {style.id!r} has no settings for the model {card.id!r}.", field="style")
        if lacking := style.lacks(card, self._catalogue):
            raise ModelUnavailable(f"The style {style.id!r} needs the LoRA {lacking!r}, which is not installed.")
        return card


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What all pictures of one request share."""

    style: Style
    card: ModelCard
    quality: Quality
    denoising: Denoising
    size_plan: SizePlan
    negative_prompt: str
    acting: Acting
    candidates: int
    refining: Refining | None
    switched_off: Mapping[Work, tuple[str, ...]]


def _spec(request: GenerationRequest, setting: _Setting, *, seed: int) -> GenerationSpec:
    style, card = setting.style, setting.card
    enhanced = enhance(
        _templated(request, setting),
        prompt=request.prompt,
        enhancement=style.enhancement_for(card),
        seed_text=f"{style.id}@{style.revision}#{seed}",
        is_asked=request.enhance_prompt,
    )
    return GenerationSpec(
        model=card.id,
        prompt=with_triggers(enhanced, setting.acting.triggers),
        negative_prompt=setting.negative_prompt,
        seed=seed,
        size=setting.size_plan,
        sampler=setting.denoising.sampler,
        num_inference_steps=setting.denoising.num_inference_steps,
        guidance_scale=setting.denoising.guidance_scale,
        adapters=setting.acting.adapters,
        clip_skip=setting.denoising.clip_skip,
        init_image=request.init_image,
        vae=request.vae,
        candidates=setting.candidates,
        refining=setting.refining if setting.size_plan.refined else None,
    )


def _templated(request: GenerationRequest, setting: _Setting) -> str:
    return setting.style.wording_for(setting.card).template.replace(PLACEHOLDER, request.prompt)


def merged_negative(asked: str, wording: Wording) -> str:
    """The negative prompt that is used, after the style's `negative_merge`."""
    if not asked.strip() or wording.negative_merge is NegativeMerge.IGNORE:
        return wording.negative
    if wording.negative_merge is NegativeMerge.REPLACE or not wording.negative:
        return asked
    return f"{asked}, {wording.negative}"


def _target(request: GenerationRequest, card: ModelCard) -> ImageSize:
    """What was asked for; a side left out is the model's default one."""
    return ImageSize(width=request.width or card.default_size.width, height=request.height or card.default_size.height)


def price_of(style: Style, request: GenerationRequest, quality: Quality) -> int:
    """The style's credits for each picture, and one more for upscaling; the account's plan is not looked at."""
    return style.credits.of(quality) * request.n + (UPSCALE_CREDITS if request.upscale else 0)

"""What a request named and its specs do not hold: found by comparing the two, member by member.

Every member of a request stands in `MEMBERS`, with the question whether it acted; a test holds the table against the
request's own members, so that a new one cannot be forgotten. What breaks a rule is refused elsewhere. What becomes of
the picture that a painting begins from is seen where that is read (`gateway/generations/accepting/asking.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from models import Catalogue, Family, GenerationRequest, GenerationSpec, Refining
from models.notices import Notice, Notices, changed, ignored, unknown_words
from models.prompts import MAX_WEIGHT, read_weights, too_heavy
from models.request import KEPT_STRENGTH
from models.vocabulary import words_of
from router.adapters import Acting
from router.enhancement import estimated_tokens, is_plain_latin
from router.overrides import Work

# As the engine has them: T5 reads so many tokens at most (`models/diffusion/families/`). CLIP reads on in further chunks.
READ_TOKENS: Mapping[Family, int] = {Family.SD3: 512, Family.FLUX: 512}
# Families of which no encoder reads weights; SD3's CLIP encoders do.
WITHOUT_WEIGHTS = frozenset({Family.FLUX, Family.OTHER})
WORK: Mapping[Work, str] = {
    "refining": "the painting is not refined",
    "choosing": "one initial noise is painted, instead of the best of several",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A request and what became of it. `plain_prompt` is what the model would read without enhancement; `switched_off` is
    what the request takes from its quality, with the members that do so."""

    request: GenerationRequest
    specs: tuple[GenerationSpec, ...]
    catalogue: Catalogue
    plain_prompt: str
    acting: Acting
    switched_off: Mapping[Work, tuple[str, ...]]

    @property
    def spec(self) -> GenerationSpec:
        """Of the first picture; the others differ in seed and in words that enhancement added."""
        return self.specs[0]

    @property
    def family(self) -> Family:
        return self.catalogue.get(self.spec.model).family


Look = Callable[[Compared], Iterator[Notice]]


def notices_of(compared: Compared) -> Notices:
    """In the order of the request's members."""
    return tuple(notice for look in MEMBERS.values() for notice in look(compared))


def reads_negative(family: Family, guidance_scale: float, refining: Refining | None) -> bool:
    """Whether any pass looks at the negative prompt: it is the other side of guidance, and guidance 1 has none."""
    scales = [guidance_scale, *([refining.guidance_scale] if refining else [])]
    return family is not Family.FLUX and any(scale > 1 for scale in scales)


def _acts(_: Compared) -> Iterator[Notice]:
    """It stands in the spec or in what is delivered, whatever its value."""
    yield from ()


def _prompt(compared: Compared) -> Iterator[Notice]:
    yield from _words(compared, "prompt", compared.request.prompt)
    yield from _weights(compared, "prompt", compared.request.prompt)
    yield from _length(compared, "prompt", max((spec.prompt for spec in compared.specs), key=estimated_tokens))


def _quality(compared: Compared) -> Iterator[Notice]:
    request = compared.request
    if request.quality is None:
        return
    is_replaced = request.num_inference_steps is not None and request.guidance_scale is not None
    if is_replaced and compared.spec.candidates == 1:
        yield ignored(
            "quality",
            "`num_inference_steps` and `guidance_scale` replace what it stands for. The price still follows it.",
        )
        return
    for work, members in compared.switched_off.items():
        yield changed("quality", f"{WORK[work]}, because of {' and '.join(f'`{name}`' for name in members)}.")


def _negative_prompt(compared: Compared) -> Iterator[Notice]:
    spec, asked = compared.spec, compared.request.negative_prompt
    if not asked.strip():
        return
    if asked in spec.negative_prompt:
        yield from _words(compared, "negative_prompt", asked)
        yield from _weights(compared, "negative_prompt", asked)
        yield from _length(compared, "negative_prompt", spec.negative_prompt)
    elif compared.family is Family.FLUX:
        yield ignored("negative_prompt", f"models of the family {Family.FLUX} read none here.")
    elif reads_negative(compared.family, spec.guidance_scale, spec.refining):
        yield ignored("negative_prompt", "the style takes its own alone.")
    else:
        yield ignored("negative_prompt", "it is read where `guidance_scale` is above 1, and here it is not.")


def _enhance_prompt(compared: Compared) -> Iterator[Notice]:
    request = compared.request
    if not request.enhance_prompt or any(spec.prompt != compared.plain_prompt for spec in compared.specs):
        return
    if is_plain_latin(request.prompt):
        yield ignored("enhance_prompt", "the style has no words that fit this prompt.")
    else:
        yield ignored("enhance_prompt", "English words are not added to lettering or to a prompt in another script.")


def _loras(compared: Compared) -> Iterator[Notice]:
    for place, adapter in enumerate(compared.request.loras):
        if adapter.weight == 0 and adapter.id not in compared.acting.switched_off:
            yield ignored(f"loras[{place}]", f"the weight of {adapter.id!r} is 0.")


def _strength(compared: Compared) -> Iterator[Notice]:
    """At least one step is walked. Below `KEPT_STRENGTH` none counts: the picture stays as it is."""
    spec = compared.spec
    if spec.init_image is None or spec.init_image.strength < KEPT_STRENGTH:
        return
    steps = spec.num_inference_steps
    if spec.init_image.strength * steps < 1:
        yield changed("strength", f"one step of {steps} is the least that is walked, as at strength {1 / steps:.2g}.")


def _words(compared: Compared, param: str, text: str) -> Iterator[Notice]:
    known = {word for trigger in compared.acting.triggers for word in words_of(trigger)}
    unknown = compared.catalogue.vocabulary(compared.spec.model).unknown(text)
    if words := [word for word in unknown if word not in known]:
        yield unknown_words(words, model=compared.spec.model, param=param)


def _weights(compared: Compared, param: str, text: str) -> Iterator[Notice]:
    for heavy in too_heavy(text):
        yield changed(param, f"`{heavy}` is read as plain text; a weight is 0 to {MAX_WEIGHT:g}.")
    if compared.family in WITHOUT_WEIGHTS and read_weights(text).is_weighted:
        yield changed(
            param, f"models of the family {compared.family} read `(word:1.3)` as the word, without its weight."
        )


def _length(compared: Compared, param: str, text: str) -> Iterator[Notice]:
    """The tokens are estimated: the tokenizer is the engine's."""
    most, tokens = READ_TOKENS.get(compared.family), estimated_tokens(text)
    if most is not None and tokens > most:
        yield changed(param, f"it has about {tokens} tokens and the model reads {most}, so its end may not count.")


MEMBERS: Mapping[str, Look] = {
    "prompt": _prompt,
    "style": _acts,
    "width": _acts,
    "height": _acts,
    "quality": _quality,
    "negative_prompt": _negative_prompt,
    "seed": _acts,
    "upscale": _acts,
    "n": _acts,
    "format": _acts,
    "enhance_prompt": _enhance_prompt,
    "model": _acts,
    "loras": _loras,
    "init_image": _strength,
    "num_inference_steps": _acts,
    "guidance_scale": _acts,
    "sampler": _acts,
    "clip_skip": _acts,
    "vae": _acts,
    "label": _acts,
}

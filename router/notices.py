"""What a request named and its specs do not hold: found by comparing the two, member by member.

Every member of a request stands in `MEMBERS`, with the question whether it acted; a test holds the table against the
request's own members, so that a new one cannot be forgotten. What breaks a rule is refused elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from models import Catalogue, Family, GenerationRequest, GenerationSpec, Refining
from models.notices import Notice, Notices, ignored, unknown_words
from models.vocabulary import words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A request and what became of it. `plain_prompt` is what the model would read without enhancement; `triggers` are
    words that acting LoRAs know."""

    request: GenerationRequest
    specs: tuple[GenerationSpec, ...]
    catalogue: Catalogue
    plain_prompt: str
    triggers: tuple[str, ...]

    @property
    def spec(self) -> GenerationSpec:
        """Of the first picture; the others differ in seed and in words that enhancement added."""
        return self.specs[0]


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
    known = {word for trigger in compared.triggers for word in words_of(trigger)}
    unknown = compared.catalogue.vocabulary(compared.spec.model).unknown(compared.request.prompt)
    if words := [word for word in unknown if word not in known]:
        yield unknown_words(words, model=compared.spec.model)


def _quality(compared: Compared) -> Iterator[Notice]:
    request = compared.request
    if request.quality is None:
        return
    if request.num_inference_steps is not None and request.guidance_scale is not None:
        yield ignored("quality", "`num_inference_steps` and `guidance_scale` replace what it stands for.")


def _negative_prompt(compared: Compared) -> Iterator[Notice]:
    spec, asked = compared.spec, compared.request.negative_prompt
    if not asked.strip() or asked in spec.negative_prompt:
        return
    family = compared.catalogue.get(spec.model).family
    if reads_negative(family, spec.guidance_scale, spec.refining):
        yield ignored("negative_prompt", "the style takes its own alone.")
    else:
        yield ignored("negative_prompt", "it is read where `guidance_scale` is above 1, and here it is not.")


def _enhance_prompt(compared: Compared) -> Iterator[Notice]:
    if compared.request.enhance_prompt and compared.spec.prompt == compared.plain_prompt:
        yield ignored("enhance_prompt", "the style has no words that fit this prompt.")


def _loras(compared: Compared) -> Iterator[Notice]:
    for place, adapter in enumerate(compared.request.loras):
        if adapter.weight == 0:
            yield ignored(f"loras[{place}]", f"the weight of {adapter.id!r} is 0.")


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
    "init_image": _acts,
    "num_inference_steps": _acts,
    "guidance_scale": _acts,
    "sampler": _acts,
    "clip_skip": _acts,
    "vae": _acts,
    "label": _acts,
}

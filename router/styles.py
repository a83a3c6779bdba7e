"""Named looks: their form, how they are read from `configs/styles/*.toml`, and how they are listed."""

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from models import Catalogue, Family, ModelCard, Quality, RequestInvalid, Sampler, Sampling, SettingInvalid
from models.guessing import did_you_mean
from models.request import MAX_SEED
from models.sampling import ClipSkip, Guidance, Steps
from models.spec import MAX_CANDIDATES, MAX_ROUNDS
from router.adapters import StyleAdapter, first_missing

# Families that are steered like another one: its settings serve where a style has none of their own.
STAND_INS = {Family.SD2: Family.SD1}
AUTO = "auto"
THUMBNAILS = "thumbs"
PLACEHOLDER = "{prompt}"

Value = TypeVar("Value")
StyleId: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{2,32}\Z")]
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=400)]
Candidates: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_CANDIDATES)]
Rounds: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_ROUNDS)]
Credits: TypeAlias = Annotated[int, Meta(ge=0, le=1000)]


class StyleUnknown(RequestInvalid):
    """No style has that id or alias."""

    code: ClassVar[str] = "unknown_style"


class NegativeMerge(StrEnum):
    """How the caller's negative prompt meets the style's: both, the caller's instead, or the style's alone."""

    APPEND = "append"
    REPLACE = "replace"
    IGNORE = "ignore"


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every table of a style file: frozen, and a member it does not know is refused."""


class PerQuality(Form, Generic[Value], frozen=True, kw_only=True):
    standard: Value
    hd: Value
    ultra: Value

    def of(self, quality: Quality) -> Value:
        return {Quality.STANDARD: self.standard, Quality.HD: self.hd, Quality.ULTRA: self.ultra}[quality]


class CreditsPerQuality(PerQuality[Credits], frozen=True, kw_only=True):
    standard: Credits = 1
    hd: Credits = 1
    ultra: Credits = 2


class Thumbnail(Form, frozen=True, kw_only=True):
    """The example picture: `file` below the styles' folder, by itself `thumbs/<id>.webp` once that is there."""

    prompt: Text
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)]
    file: str | None = None


class Wording(Form, frozen=True, kw_only=True):
    """What a style says to the text encoder around the caller's own words."""

    template: Text
    negative: Annotated[str, Meta(max_length=400)] = ""
    negative_merge: NegativeMerge = NegativeMerge.APPEND

    def __post_init__(self) -> None:
        if self.template.count(PLACEHOLDER) != 1:
            raise ValueError(f"`template` must contain {PLACEHOLDER} exactly once")


class Enhancement(Form, frozen=True, kw_only=True):
    """Vetted words that may be appended; `default` is what `enhance_prompt` means when the request leaves it out."""

    default: bool = False
    words: tuple[Text, ...] = ()
    max_added_words: Annotated[int, Meta(ge=0, le=60)] = 8


class AutoPhrases(Form, frozen=True, kw_only=True):
    """Phrases that name the style in a prompt, and phrases that look like it but mean something else (`not`)."""

    phrases: tuple[Text, ...] = ()
    unless: tuple[Text, ...] = msgspec.field(default=(), name="not")


class FamilySettings(Form, frozen=True, kw_only=True):
    """How one family of models paints this style.

    `model` is the preferred checkpoint, used where it is installed. `prompt` and `enhance` replace the style's own
    for this family, so that a small model hears only words it knows. `clip_skip` leaves out so many of the text
    encoder's last layers. Of `candidates` initial noises the best may be taken where the model has a scorer, and a painting is refined as often as `refine` says
    where it has a refiner. `adapters` are LoRAs without which it is not this style.
    """

    sampler: Sampler
    steps: PerQuality[Steps]
    guidance: PerQuality[Guidance]
    candidates: PerQuality[Candidates] = PerQuality(standard=1, hd=1, ultra=1)
    refine: PerQuality[Rounds] = PerQuality(standard=0, hd=0, ultra=0)
    model: str | None = None
    prompt: Wording | None = None
    enhance: Enhancement | None = None
    clip_skip: ClipSkip = 0
    adapters: tuple[StyleAdapter, ...] = ()


class Style(Form, frozen=True, kw_only=True):
    """One named look. `id` is stable for ever; any change to what it paints raises `revision`."""

    schema: Literal[1]
    id: StyleId
    revision: Annotated[int, Meta(ge=1)]
    name: Text
    description: Text
    aliases: tuple[StyleId, ...] = ()
    min_plan: str = "free"
    credits: CreditsPerQuality = CreditsPerQuality()
    thumbnail: Thumbnail
    prompt: Wording
    enhance: Enhancement = Enhancement()
    auto: AutoPhrases = AutoPhrases()
    families: dict[Family, FamilySettings]

    def serves(self, card: ModelCard) -> bool:
        """Whether there are settings to paint this style with the model: for its family, or in its own card."""
        return self._block_of(card.family) is not None or card.sampling is not None

    def settings_for(self, card: ModelCard) -> FamilySettings:
        """The family's own settings, else those of the family that stands in, else what the model's card says.

        Raises:
            RequestInvalid: it `serves` not.
        """
        if (block := self._block_of(card.family)) is not None:
            return block
        if card.sampling is None:
            raise RequestInvalid(f"The style {self.id!r} has no settings for the model {card.id!r}.", field="style")
        return _settings_of(card.sampling)

    def wording_for(self, card: ModelCard) -> Wording:
        return self.settings_for(card).prompt or self.prompt

    def enhancement_for(self, card: ModelCard) -> Enhancement:
        return self.settings_for(card).enhance or self.enhance

    def lacks(self, card: ModelCard, catalogue: Catalogue) -> str | None:
        """A LoRA that this style needs with the model and that is not installed; None: all are there."""
        return first_missing(self.settings_for(card).adapters, card, catalogue)

    def card_in(self, catalogue: Catalogue) -> ModelCard | None:
        """The model that paints this style when the request names none; None where no family of it is installed, or
        not with the LoRAs that it needs.

        The default model's family comes first, then the file's own order, then those that another stands in for, then
        models whose own card says how to paint.
        """
        default = catalogue.default
        if self._block_of(default.family) is None and self.serves(default):
            return default
        more = [family for family in STAND_INS if self._block_of(family) and family not in self.families]
        families = sorted([*self.families, *more], key=lambda family: family is not default.family)
        known = [card for card in (self._card_of(family, catalogue) for family in families) if card is not None]
        others = sorted(filter(self.serves, catalogue.cards()), key=lambda card: card.id)
        return next((card for card in [*known, *others] if not self.lacks(card, catalogue)), None)

    def _block_of(self, family: Family) -> FamilySettings | None:
        return self.families.get(family) or self.families.get(STAND_INS.get(family, family))

    def _card_of(self, family: Family, catalogue: Catalogue) -> ModelCard | None:
        block = self._block_of(family)
        preferred = block.model if block else None
        named = (card for card in catalogue.cards() if card.id == preferred and card.family is family)
        return next(named, None) or catalogue.of_family(family)


def _settings_of(sampling: Sampling) -> FamilySettings:
    """A card's own words in the form of a style's."""
    return FamilySettings(
        sampler=sampling.sampler,
        steps=PerQuality[Steps](**{quality.value: steps for quality, steps in sampling.steps.items()}),
        guidance=PerQuality[Guidance](**{quality.value: scale for quality, scale in sampling.guidance.items()}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleEntry:
    """One row of `GET /v1/styles`. `thumbnail` is a file below the styles' folder, None until it was painted."""

    id: str
    name: str
    description: str
    aliases: tuple[str, ...]
    thumbnail: str | None
    min_plan: str
    available: bool
    revision: int


class Styles:
    """Every style of the installation by id and alias."""

    def __init__(self, styles: Iterable[Style]) -> None:
        """Raises SettingInvalid: two styles claim one name, or one is called `auto`."""
        self._styles = {style.id: style for style in sorted(styles, key=lambda style: style.id)}
        self._named: dict[str, Style] = {}
        for style in self._styles.values():
            for name in (style.id, *style.aliases):
                if name.casefold() == AUTO or name.casefold() in self._named:
                    raise SettingInvalid(f"{style.id}.toml: the name {name!r} is already taken.")
                self._named[name.casefold()] = style
        unseen = [msgspec.structs.replace(style, thumbnail=None) for style in self._styles.values()]
        self.revision_hash = hashlib.sha256(msgspec.json.encode(unseen, order="sorted")).hexdigest()

    def get(self, name: str) -> Style:
        """By id or alias, in any case. Raises StyleUnknown: nothing is called so; the router resolves `auto`."""
        try:
            return self._named[name.casefold()]
        except KeyError:
            hint = did_you_mean(name, self._named)
            raise StyleUnknown(
                f"No style is called {name!r}.{hint} GET /v1/styles lists them.", field="style"
            ) from None

    def all(self) -> tuple[Style, ...]:
        """In the order of their ids."""
        return tuple(self._styles.values())

    def entries(self, catalogue: Catalogue) -> tuple[StyleEntry, ...]:
        """The public list, `auto` first; `available` says whether `catalogue` has a model for it."""
        return (_auto_entry(), *(_entry(style, catalogue) for style in self.all()))


def load_styles(folder: Path) -> Styles:
    """Read every `*.toml` of `folder`.

    Raises:
        SettingInvalid: a file is not TOML, breaks the form or is not called after its id; or there is none. The
            message names file and member.
    """
    styles = [_read_style(file) for file in sorted(folder.glob("*.toml"))]
    if not styles:
        raise SettingInvalid(f"No style was found in {folder}.")
    return Styles(styles)


def _read_style(file: Path) -> Style:
    try:
        style = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Style)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as wrong:
        raise SettingInvalid(f"{file.name}: {wrong}") from None
    if style.id != file.stem:
        raise SettingInvalid(f"{file.name}: `id` must be {file.stem!r}, not {style.id!r}.")
    name = f"{THUMBNAILS}/{style.id}.webp"
    if style.thumbnail.file is None and (file.parent / name).is_file():
        return msgspec.structs.replace(style, thumbnail=msgspec.structs.replace(style.thumbnail, file=name))
    return style


def _entry(style: Style, catalogue: Catalogue) -> StyleEntry:
    return StyleEntry(
        id=style.id,
        name=style.name,
        description=style.description,
        aliases=style.aliases,
        thumbnail=style.thumbnail.file,
        min_plan=style.min_plan,
        available=style.card_in(catalogue) is not None,
        revision=style.revision,
    )


def _auto_entry() -> StyleEntry:
    return StyleEntry(
        id=AUTO,
        name="Automatic",
        description="Follows the style the prompt names; else the installation's default.",
        aliases=(),
        thumbnail=None,
        min_plan="free",
        available=True,
        revision=1,
    )

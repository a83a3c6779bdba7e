"""The models we know: one TOML file each in `configs/models/`, paths relative to the repository's root."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import msgspec

from models.errors import AdapterUnknown, ModelUnknown, SettingInvalid
from models.request import ImageSize, Quality


class Family(StrEnum):
    """What a style binds to. `starter` has the build of SD 1.x and a world of its own; `other` is whatever diffusers
    has a text-to-image pipeline for."""

    STARTER = "starter"
    SD1 = "sd1"
    SD2 = "sd2"
    SDXL = "sdxl"
    SD3 = "sd3"
    FLUX = "flux"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model: where its diffusers folder lies and what it was trained for.

    `native_pixels` is the area it was trained on; `size_multiple` divides both sides of what it paints;
    `max_ratio` bounds the longer side over the shorter. `default_size` and `default_quality` serve a request that
    names none. `vocabulary` is a JSON list of the words it was taught, where that is known. `vae` is a folder with
    another autoencoder to decode with. `embeddings` are textual inversions, safetensors files by the word in the
    prompt that calls them. `batch_sizes` overrules the measured sizes that pictures may share a pass in.
    """

    id: str
    family: Family
    path: Path
    licence: str
    native_pixels: int
    size_multiple: int = 8
    max_ratio: float = 2.0
    default_size: ImageSize = ImageSize(width=1024, height=1024)
    default_quality: Quality = Quality.HD
    is_default: bool = False
    vocabulary: Path | None = None
    vae: Path | None = None
    embeddings: Mapping[str, Path] = field(default_factory=dict[str, Path])
    batch_sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterCard:
    """One LoRA of the operator's catalogue: a safetensors file for models of `family`, and what it listens to.

    `trigger` is appended to the prompt where it is used; None means it needs no word.
    """

    id: str
    family: Family
    path: Path
    licence: str
    trigger: str | None = None


class Catalogue:
    """Every model and adapter of the installation by id; exactly one model is the default."""

    def __init__(self, cards: Mapping[str, ModelCard], adapters: Mapping[str, AdapterCard] | None = None) -> None:
        defaults = [card for card in cards.values() if card.is_default]
        if len(defaults) != 1:
            raise SettingInvalid(f"configs/models: exactly one model must have is_default = true, not {len(defaults)}.")
        self._cards = dict(cards)
        self._adapters = dict(adapters or {})
        self.default = defaults[0]

    def get(self, model: str) -> ModelCard:
        """Raises ModelUnknown."""
        try:
            return self._cards[model]
        except KeyError:
            raise ModelUnknown(f"No model is called {model!r}.") from None

    def cards(self) -> tuple[ModelCard, ...]:
        return tuple(self._cards.values())

    def adapter(self, adapter: str) -> AdapterCard:
        """Raises AdapterUnknown."""
        try:
            return self._adapters[adapter]
        except KeyError:
            raise AdapterUnknown(f"No LoRA is called {adapter!r}.", field="loras") from None

    def adapters(self) -> tuple[AdapterCard, ...]:
        return tuple(self._adapters.values())

    def of_family(self, family: Family) -> ModelCard | None:
        """The default model if it is of this family, else the first by id, else None."""
        members = sorted((card for card in self._cards.values() if card.family is family), key=lambda card: card.id)
        return next((card for card in members if card.is_default), members[0] if members else None)


def load_catalogue(*folders: Path, root: Path) -> Catalogue:
    """Read every `*.toml` of `folders` (a later folder wins by id); relative paths inside count from `root`.

    When several models call themselves the default, the last one read is it, so that a model the operator added
    can replace the one in the box.

    Raises:
        SettingInvalid: a file is not valid TOML or breaks the card's form; the message names file and member.
    """
    files = [file for folder in folders for file in sorted(folder.glob("*.toml"))]
    cards = {card.id: card for card in (_read_card(file, root=root) for file in files)}
    defaults = [card.id for card in cards.values() if card.is_default]
    return Catalogue({id: replace(card, is_default=id in defaults[-1:]) for id, card in cards.items()})


def _read_card(file: Path, *, root: Path) -> ModelCard:
    try:
        card = msgspec.convert(tomllib.loads(file.read_text()), ModelCard, dec_hook=_read_path)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise SettingInvalid(f"{file.name}: {wrong}") from None
    vocabulary = root / card.vocabulary if card.vocabulary else None
    return replace(card, path=root / card.path, vocabulary=vocabulary)


def _read_path(kind: type, value: object) -> object:
    return Path(value) if kind is Path and isinstance(value, str) else value

"""The models, LoRAs, autoencoders and upscalers we know: one TOML file each in
`configs/models/`, `configs/loras/`, `configs/vaes/` and `configs/upscalers/`, paths relative to
the repository's root."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from models.errors import AdapterUnknown, ModelUnknown, SettingInvalid, VaeUnknown
from models.guessing import did_you_mean
from models.request import ImageSize, Quality
from models.sampling import Refiner, Sampling
from models.vocabulary import Vocabulary

AdapterId: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,63}\Z")]


class Family(StrEnum):
    """What a style binds to. `starter` has the build of SD 1.x and a world of its own; `other` is
    whatever diffusers has a text-to-image pipeline for."""

    STARTER = "starter"
    SD1 = "sd1"
    SD2 = "sd2"
    SDXL = "sdxl"
    SD3 = "sd3"
    FLUX = "flux"
    OTHER = "other"


class Placing(StrEnum):
    """How a model is held in the device's memory.

    WHOLE: all of it, always. OFFLOAD: one component at a time, the others in the machine's memory.
    GROUPS: what predicts comes in block by block.
    """

    WHOLE = "whole"
    OFFLOAD = "offload"
    GROUPS = "groups"


ADAPTED = (Family.STARTER, Family.SD1, Family.SD2, Family.SDXL)  # families whose models LoRAs are applied to


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model: where its diffusers folder lies and what it was trained for.

    `native_pixels` is the area it was trained on; `size_multiple` divides both sides of what it
    paints; `max_ratio` bounds the longer side over the shorter. `default_size` and
    `default_quality` serve a request that names none. `vocabulary` is a JSON list of the words it
    was taught, where that is known. `vae` is a folder with another autoencoder to decode with.
    `embeddings` are textual inversions, safetensors files by the word in the prompt that calls
    them. `scorer` is a folder with what scores how well each of several candidates shows the
    prompt. `batch_sizes` are the only sizes, ascending, that pictures may share a pass in; those
    that would change a picture are not used all the same. `sampling` counts where a style says
    nothing about the family. `refiner` refines what was painted where the style says so.
    `placement` overrules how it is held in the device's memory.

    Raises:
        ValueError: the batch sizes do not ascend from at least 1, or models of the family cannot be refined.
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
    scorer: Path | None = None
    batch_sizes: tuple[int, ...] = ()
    sampling: Sampling | None = None
    refiner: Refiner | None = None
    placement: Placing | None = None

    def __post_init__(self) -> None:
        if list(self.batch_sizes) != sorted({size for size in self.batch_sizes if size >= 1}):
            raise ValueError(f"`batch_sizes` must ascend from at least 1, not {list(self.batch_sizes)}.")
        if self.refiner is not None and self.family not in ADAPTED:
            raise ValueError(f"a `refiner` is for models of {', '.join(ADAPTED)}, not {self.family}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterCard:
    """One LoRA of the operator's catalogue: a safetensors file for models of `family`, and what it
    listens to.

    `family` is one of `ADAPTED`. `trigger` is appended to the prompt where it is used; None means
    it needs no word.
    """

    id: AdapterId
    family: Family
    path: Path
    licence: str
    trigger: str | None = None

    def __post_init__(self) -> None:
        if self.family not in ADAPTED:
            raise ValueError(f"`family` must be one of {', '.join(ADAPTED)}, not {self.family}")


def refiner_of(card: ModelCard) -> AdapterCard | None:
    """The LoRA with which a model refines its paintings, if it has one. Its id is none that a
    request could name."""
    if card.refiner is None or card.refiner.path is None:
        return None
    return AdapterCard(id=f"{card.id}/refiner", family=card.family, path=card.refiner.path, licence=card.licence)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeCard:
    """One autoencoder of the operator's catalogue: a folder as diffusers saves it, for models of
    `family`.

    `family` is one of `ADAPTED`.
    """

    id: AdapterId
    family: Family
    path: Path
    licence: str

    def __post_init__(self) -> None:
        if self.family not in ADAPTED:
            raise ValueError(f"`family` must be one of {', '.join(ADAPTED)}, not {self.family}")

    @property
    def files(self) -> tuple[Path, ...]:
        """All that decides what it decodes. Raises OSError: the folder is not there."""
        return tuple(sorted(file for file in self.path.iterdir() if file.suffix in {".json", ".safetensors"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscalerCard:
    """A network that enlarges pictures four times: a safetensors file in a published key layout."""

    id: str
    path: Path
    licence: str
    is_default: bool = False


class Catalogue:
    """Every model, adapter and autoencoder of the installation by id; exactly one model is the
    default.

    `upscaler` is the one that enlarges; None: a filter does.
    """

    def __init__(
        self,
        cards: Mapping[str, ModelCard],
        adapters: Mapping[str, AdapterCard] | None = None,
        vaes: Mapping[str, VaeCard] | None = None,
        upscaler: UpscalerCard | None = None,
    ) -> None:
        defaults = [card for card in cards.values() if card.is_default]
        if len(defaults) != 1:
            raise SettingInvalid(f"configs/models: exactly one model must have is_default = true, not {len(defaults)}.")
        self._cards = dict(cards)
        self._adapters = dict(adapters or {})
        self._vaes = dict(vaes or {})
        self._vocabularies: dict[str, Vocabulary] = {}
        self.default = defaults[0]
        self.upscaler = upscaler

    def get(self, model: str) -> ModelCard:
        """Raises ModelUnknown."""
        try:
            return self._cards[model]
        except KeyError:
            raise ModelUnknown(f"No model is called {model!r}.{did_you_mean(model, self._cards)}") from None

    def vocabulary(self, model: str) -> Vocabulary:
        """The words it was taught, with those of its embeddings; read once. Raises ModelUnknown,
        WeightsRejected."""
        if model not in self._vocabularies:
            card = self.get(model)
            self._vocabularies[model] = Vocabulary.read(card.vocabulary, also=card.embeddings)
        return self._vocabularies[model]

    def cards(self) -> tuple[ModelCard, ...]:
        return tuple(self._cards.values())

    def adapter(self, adapter: str) -> AdapterCard:
        """Raises AdapterUnknown."""
        try:
            return self._adapters[adapter]
        except KeyError:
            hint = did_you_mean(adapter, self._adapters)
            raise AdapterUnknown(f"No LoRA is called {adapter!r}.{hint}", field="loras") from None

    def acting(self, adapter: str) -> AdapterCard:
        """A LoRA that a spec names: one of `adapters`, or a model's refiner. Raises
        AdapterUnknown."""
        refiners = (refiner_of(card) for card in self._cards.values())
        found = next((refiner for refiner in refiners if refiner and refiner.id == adapter), None)
        return found or self.adapter(adapter)

    def adapters(self) -> tuple[AdapterCard, ...]:
        return tuple(self._adapters.values())

    def vae(self, vae: str) -> VaeCard:
        """Raises VaeUnknown."""
        try:
            return self._vaes[vae]
        except KeyError:
            raise VaeUnknown(f"No VAE is called {vae!r}.{did_you_mean(vae, self._vaes)}", field="vae") from None

    def vaes(self) -> tuple[VaeCard, ...]:
        return tuple(self._vaes.values())

    def of_family(self, family: Family) -> ModelCard | None:
        """The default model if it is of this family, else the first by id, else None."""
        members = sorted((card for card in self._cards.values() if card.family is family), key=lambda card: card.id)
        return next((card for card in members if card.is_default), members[0] if members else None)

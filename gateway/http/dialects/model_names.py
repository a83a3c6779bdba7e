"""Model names that other people's clients send by habit, and what they mean here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway.http.reading.dependencies import Services
from models import Catalogue, ModelCard

DEFAULT = "default"
WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNames:
    """The catalogue's own names, and the operator's `aliases`: a pattern and the model it means, the first one wins.

    `default` as a model means that the style decides, as it does on our own path where no model is named.
    """

    catalogue: Catalogue
    aliases: Mapping[str, str]

    def knows(self, name: str) -> bool:
        """It is a model's name, or stands for one."""
        return self._is_ours(name) or any(fnmatchcase(name, pattern) for pattern in self.aliases)

    def meant(self, name: str | None) -> str | None:
        """A model of ours, None where the style shall decide. A name that nobody knows stays as it is."""
        if name is None or self._is_ours(name):
            return name
        model = next((model for pattern, model in self.aliases.items() if fnmatchcase(name, pattern)), name)
        return None if model == DEFAULT else model

    def card(self, name: str) -> ModelCard:
        """The model that serves this name when no style says otherwise.

        Raises:
            ModelUnknown.
        """
        model = self.meant(name)
        return self.catalogue.default if model is None else self.catalogue.get(model)

    def listed(self) -> Iterator[str]:
        """What there is to choose from; patterns are no names."""
        yield from (card.id for card in self.catalogue.cards())
        yield from (alias for alias in self.aliases if not WILD & set(alias))

    def _is_ours(self, name: str) -> bool:
        return any(card.id == name for card in self.catalogue.cards())


def model_names(given: Services) -> ModelNames:
    return ModelNames(catalogue=given.catalogue, aliases=given.settings.model_aliases)

"""The LoRAs of one loaded model: which are resident, and which act in the next pass."""

from collections.abc import Mapping, Sequence

from models.catalogue import AdapterCard
from models.errors import ModelUnavailable
from models.request import Adapter


class Adapters:
    """Several may be resident; each pass activates its own."""

    def __init__(self, cards: Mapping[str, AdapterCard]) -> None:
        self._cards = cards

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of the file of each resident adapter, by its id."""
        return {}

    def load(self, adapters: Sequence[Adapter]) -> None:
        """Make them resident.

        Raises:
            ModelUnavailable: one is not in the catalogue, or is made for another family.
            WeightsRejected: its file is not what it must be.
        """
        if adapters:
            raise ModelUnavailable("This engine applies no LoRA yet.")

    def activate(self, adapters: Sequence[Adapter]) -> None:
        """From now on exactly these act on the networks, each with its weight. They are resident."""

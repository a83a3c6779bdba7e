"""The autoencoders that requests put in the place of one loaded model's own: which are resident,
and what paints with each."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.catalogue import Family, VaeCard
from models.diffusion.autoencoding.preview import Previews
from models.diffusion.autoencoding.tiling import Tiling
from models.diffusion.families.building import Network
from models.diffusion.families.network import UnetNetwork
from models.diffusion.weights.hashing import Hashes
from models.diffusion.weights.reading import rejecting
from models.errors import ModelUnavailable, WeightsRejected
from models.manifest import joint_sha256

MOST_RESIDENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where another autoencoder goes: instead of `own`, beside what `network` predicts with, onto
    `device`."""

    own: nn.Module
    network: Network
    tiling: Tiling | None
    device: torch.device


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """What a painting with one of them needs. `network` shares what predicts with the model's
    own."""

    network: Network
    previews: Previews
    sha256: str
    size_bytes: int


class Autoencoders:
    """Others than the model's own. At most `MOST_RESIDENT` stay, the least recently used go first;
    more only where more are in use. They count as bytes of the model (`Residency`) and go with it.

    `load` reads one from its folder; `hashes` may be shared by several models.
    """

    def __init__(
        self,
        cards: Mapping[str, VaeCard],
        *,
        family: Family,
        hashes: Hashes,
        load: Callable[[Path], nn.Module],
        place: Place,
    ) -> None:
        self._cards = {card.id: card for card in cards.values() if card.family is family}
        self._family = family
        self._hashes = hashes
        self._load = load
        self._place = place
        self._resident: dict[str, Resident] = {}
        self._users: Counter[str] = Counter()

    @property
    def size_bytes(self) -> int:
        """What the resident ones take beside the model's own weights."""
        return sum(one.size_bytes for one in self._resident.values())

    def get(self, id: str) -> Resident:
        """One that is resident."""
        return self._resident[id]

    @contextmanager
    def using(self, id: str | None) -> Iterator[None]:
        """Make it resident; inside, it stays so. None: the model's own is enough.

        Raises:
            ModelUnavailable: it is not in the catalogue, or is made for another family.
            WeightsRejected: its files are not what they must be, or its latents are not the model's.
        """
        if id is None:
            yield
            return
        self._users[id] += 1
        try:
            one = self._resident.pop(id) if id in self._resident else self._read(id)
            self._resident[id] = one  # the last is the most recently used
            yield
        finally:
            self._users[id] -= 1

    def _read(self, id: str) -> Resident:
        if (card := self._cards.get(id)) is None:
            raise ModelUnavailable(f"The engine has no VAE called {id!r} for models of the family {self._family}.")
        if not isinstance(self._place.network, UnetNetwork):
            raise ModelUnavailable("The model takes no other autoencoder than its own.")
        for superfluous in self._superfluous():
            del self._resident[superfluous]
        with rejecting(f"The VAE {id!r}"):
            sha256 = joint_sha256({file.name: self._hashes.of_file(file) for file in card.files})
            vae = self._load(card.path)
        check_latents(vae, instead_of=self._place.own, name=id)
        vae = vae.to(self._place.device)
        return Resident(
            network=self._place.network.with_autoencoder(vae, self._place.tiling),
            previews=Previews(vae),
            sha256=sha256,
            size_bytes=sum(part.numel() * part.element_size() for part in vae.parameters()),
        )

    def _superfluous(self) -> list[str]:
        """Who must go so that there is a place, as far as nobody uses them."""
        count = max(0, len(self._resident) + 1 - MOST_RESIDENT)
        return [id for id in self._resident if not self._users[id]][:count]


def check_latents(vae: nn.Module, *, instead_of: nn.Module, name: str) -> None:
    """Raises WeightsRejected: its latents are of another form than those of the autoencoder that it
    replaces."""
    ours, theirs = _latent_form(instead_of), _latent_form(vae)
    if ours != theirs:
        raise WeightsRejected(
            f"The autoencoder {name} has latents of {theirs[0]} channels that cover {theirs[1]} pixels a side; "
            f"the model needs {ours[0]} channels and {ours[1]} pixels."
        )


def _latent_form(vae: nn.Module) -> tuple[int, int]:
    """Channels, and pixels along a side of one latent."""
    config: Any = vae.config
    return config.latent_channels, 2 ** (len(config.block_out_channels) - 1)

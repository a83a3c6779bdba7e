"""The LoRAs of one loaded model: which are resident, and which act in the next pass."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from diffusers.hooks.group_offloading import _maybe_remove_and_reapply_group_offloading
from diffusers.utils.peft_utils import delete_adapter_layers
from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from models.catalogue import AdapterCard, Family
from models.diffusion.weights.hashing import Hashes
from models.diffusion.weights.lora import Layers, read_lora
from models.errors import ModelUnavailable, WeightsRejected
from models.request import Adapter

MOST_RESIDENT = 16


class Adapters:
    """Several may be resident; each pass activates its own, without loading anything anew.

    `networks` are those that a LoRA may change, by the name of the component. `hashes` may be
    shared by several models, so that each file is read for its hash once. `on_change` is called
    whenever layers come or go. With none active every network computes as if it had never seen one.
    At most `MOST_RESIDENT` stay, the least recently used go first; more only where more are in use.
    """

    def __init__(
        self,
        cards: Mapping[str, AdapterCard],
        *,
        family: Family,
        networks: Mapping[str, nn.Module],
        hashes: Hashes,
        on_change: Callable[[], None],
    ) -> None:
        self._cards = {card.id: card for card in cards.values() if card.family is family}
        self._family = family
        self._networks = networks
        self._on_change = on_change
        self._files = hashes
        self._resident: dict[str, str] = {}  # the last is the most recently used
        self._first_hashes: dict[str, str] = {}
        self._layers: list[Any] = []  # on which a LoRA was ever put
        self._size_bytes = 0
        self._users: Counter[str] = Counter()
        self._active: tuple[Adapter, ...] = ()

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of the file of each resident adapter, by its id."""
        return self._resident

    @property
    def size_bytes(self) -> int:
        """What the resident ones take beside the model's own weights."""
        return self._size_bytes

    @contextmanager
    def using(self, adapters: Sequence[Adapter]) -> Iterator[None]:
        """Make them resident; inside, they stay so.

        Raises:
            ModelUnavailable: one is not in the catalogue, or is made for another family.
            WeightsRejected: its file is not what it must be.
        """
        ids = [adapter.id for adapter in adapters]
        self._users.update(ids)
        try:
            for id in ids:
                self._keep(id)
            yield
        finally:
            self._users.subtract(ids)

    def activate(self, adapters: Sequence[Adapter]) -> None:
        """From now on exactly these act on the networks, in their order, each with its weight. They
        are resident."""
        if (wanted := tuple(adapters)) == self._active:
            return
        names = [_name(adapter.id) for adapter in wanted]
        for layer in self._layers:
            # What peft's `set_adapter` does, but for freezing: nothing thaws here, and looking
            # takes 0.1 ms a layer.
            layer._active_adapter = names  # noqa: SLF001
            for name, adapter in zip(names, wanted, strict=True):
                layer.set_scale(name, adapter.weight)
        self._active = wanted

    def _keep(self, id: str) -> None:
        """Make one resident, and the most recently used."""
        if id not in self._resident:
            if id not in self._cards:
                raise ModelUnavailable(f"The engine has no LoRA called {id!r} for models of the family {self._family}.")
            self._load(self._cards[id])
        self._resident[id] = self._resident.pop(id)

    def _load(self, card: AdapterCard) -> None:
        if not card.path.is_file():
            raise WeightsRejected(f"The LoRA {card.id!r} has no file {card.path.name}.")
        sha256 = self._files.of_file(card.path)
        if self._first_hashes.setdefault(card.id, sha256) != sha256:  # texts read and sizes measured with it are kept
            raise WeightsRejected(f"The LoRA {card.path.name} was changed; restart the engine to paint with it.")
        layers = read_lora(card.path, self._networks)
        self.activate(())  # peft's loading and deleting decide by themselves what is active afterwards
        for id in self._superfluous():
            self._unload(id)
        with ExitStack() as undoing:
            undoing.callback(self._unload, card.id)
            for component, theirs in layers.items():
                _inject(self._networks[component], _name(card.id), theirs)
            undoing.pop_all()
        self._resident[card.id] = sha256
        self._settle()

    def _superfluous(self) -> list[str]:
        """Who must go so that there is a place, as far as nobody uses them."""
        count = max(0, len(self._resident) + 1 - MOST_RESIDENT)
        return [id for id in self._resident if not self._users[id]][:count]

    def _unload(self, id: str) -> None:
        for network in self._networks.values():
            delete_adapter_layers(network, _name(id))
            getattr(network, "peft_config", {}).pop(_name(id), None)
        self._resident.pop(id, None)
        self._settle()

    def _settle(self) -> None:
        """What has just come is not active."""
        modules = (module for network in self._networks.values() for module in network.modules())
        self._layers = [module for module in modules if isinstance(module, BaseTunerLayer)]
        for layer in self._layers:
            layer.set_adapter([], inference_mode=True)
        self._size_bytes = sum(map(_size_of, self._layers))
        self._on_change()
        for network in self._networks.values():
            _maybe_remove_and_reapply_group_offloading(network)  # layers that have just come are to take turns too


def _size_of(layer: nn.Module) -> int:
    """All LoRAs' share of it, in bytes."""
    named = layer.named_parameters()
    return sum(part.numel() * part.element_size() for name, part in named if name.startswith("lora_"))


def _name(id: str) -> str:
    """How peft calls it: never a part of peft's own words, as an id such as "lora" would be."""
    return f"of-{id}".replace(".", "_")  # a dot would part names of modules


def _inject(network: Any, name: str, layers: Layers) -> None:
    ranks, alphas = layers.ranks, layers.alphas
    (rank, _), (alpha, _) = Counter(ranks.values()).most_common(1)[0], Counter(alphas.values()).most_common(1)[0]
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=[*ranks],
        rank_pattern=_patterns(ranks),
        alpha_pattern=_patterns(alphas),
        inference_mode=True,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several are what we want
        inject_adapter_in_model(config, network, name, low_cpu_mem_usage=True, state_dict=layers.tensors)
    set_peft_model_state_dict(network, layers.tensors, name, low_cpu_mem_usage=True)


def _patterns(values: Mapping[str, float]) -> dict[str, Any]:
    """One pattern for each value that occurs: peft tries every pattern on every layer."""
    layers: dict[float, list[str]] = {}
    for layer, value in values.items():
        layers.setdefault(value, []).append(layer.replace(".", r"\."))
    return {"|".join(named): value for value, named in layers.items()} if len(layers) > 1 else {}

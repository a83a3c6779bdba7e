"""Layers whose bits depend on how many rows they see, made to see one picture's rows at a time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

LEAVES = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)

Forward = Callable[..., torch.Tensor]


WRAPPED = ".base_layer"  # peft's name for a layer that it has put a LoRA beside


class Steadying:
    """Runs chosen layers of a network picture by picture. Such a layer gives each picture the bits
    it has alone.

    A layer keeps its name when a LoRA is put beside it, so that what was found before holds
    afterwards.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._layers: dict[str, nn.Module] = {}
        self._forwards: dict[str, Forward] = {}
        self._acting: frozenset[str] = frozenset()
        self._rows = 0

    @contextmanager
    def acting(self, names: Iterable[str], *, rows: int) -> Iterator[None]:
        """Inside, the layers of these names run picture by picture; a picture has `rows` rows."""
        self._acting, self._rows = frozenset(names), rows
        for name in self._acting - self._forwards.keys():
            self._prepare(name)
        try:
            yield
        finally:
            self._acting = frozenset()

    @contextmanager
    def watching(self, found: set[str], *, rows: int) -> Iterator[None]:
        """Put into `found` the names of layers that give some picture other bits in a batch than
        alone."""
        hooks = [
            layer.register_forward_hook(partial(_compare, name.removesuffix(WRAPPED), found, rows))
            for name, layer in self._network.named_modules()
            if isinstance(layer, LEAVES)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def renew(self) -> None:
        """Layers were put into the network or taken out: look for each by its name again when it is
        needed."""
        for name, layer in self._layers.items():
            layer.forward = self._forwards[name]
        self._layers.clear()
        self._forwards.clear()

    def _prepare(self, name: str) -> None:
        found = self._network.get_submodule(name)
        layer = getattr(found, "base_layer", found)
        self._layers[name] = layer
        self._forwards[name] = layer.forward
        layer.forward = partial(self._forward, name)

    def _forward(self, name: str, rows: torch.Tensor, *more: object) -> torch.Tensor:
        forward = self._forwards[name]
        if name not in self._acting or rows.shape[0] <= self._rows:
            return forward(rows, *more)
        return torch.cat([forward(picture, *more) for picture in torch.split(rows, self._rows)])


def _compare(
    name: str, found: set[str], rows: int, layer: nn.Module, given: tuple[torch.Tensor, ...], together: torch.Tensor
) -> None:
    """A forward hook; only layers whose first axis is the batch can be compared and steadied."""
    if name in found or given[0].shape[0] <= rows or given[0].shape[0] % rows:
        return
    alone = torch.cat([layer.forward(picture) for picture in torch.split(given[0], rows)])
    if not torch.equal(alone, together):
        found.add(name)

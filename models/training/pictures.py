"""The rendered pictures as training batches, on the card if there is one: no loader stands between disk and step."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch

GRID: Final = 16
"""Pixels to one latent position."""


def as_network_input(pictures: torch.Tensor) -> torch.Tensor:
    """(count, height, width, 3) uint8 to (count, 3, height, width) float32 in -1..1."""
    rows = pictures.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)
    return rows.contiguous(memory_format=torch.channels_last)


class Pictures:
    """Batches of crops, each from one shard; shards are chance mixtures, so a batch is one too.

    On a card all shards lie in its memory (100,000 pictures are 20 GB); on the processor they are read from disk.
    `holds_out` names shards that are kept for checks.
    """

    def __init__(self, world: Path, device: torch.device, seed: int, *, holds_out: bool = False) -> None:
        whole = [path.with_suffix(".npy") for path in sorted(world.glob("*.json"))]
        chosen = whole[:1] if holds_out else whole[1:] or whole
        self._rng = np.random.default_rng(seed)
        self._device = device
        self._shards = [self._opened(path) for path in chosen]

    def __len__(self) -> int:
        return sum(len(shard) for shard in self._shards)

    def crops(self, count: int, side: int) -> torch.Tensor:
        """(count, 3, side, side) float32 in -1..1: a window of random pictures, mirrored half of the time.

        Windows begin where a latent position does: patterns of print lie in them as they do in whole pictures.
        """
        shard = self._shards[int(self._rng.integers(len(self._shards)))]
        rows = torch.from_numpy(self._rng.integers(len(shard), size=count)).to(shard.device)
        top = GRID * int(self._rng.integers((shard.shape[1] - side) // GRID + 1))
        left = GRID * int(self._rng.integers((shard.shape[2] - side) // GRID + 1))
        window = shard[rows, top : top + side, left : left + side].to(self._device)
        return as_network_input(window.flip(2) if self._rng.random() < 0.5 else window)

    def whole(self, count: int) -> torch.Tensor:
        """The first (count, 3, height, width) pictures of the first shard."""
        return as_network_input(self._shards[0][:count].to(self._device))

    def _opened(self, path: Path) -> torch.Tensor:
        if self._device.type == "cuda":
            return torch.from_numpy(np.load(path)).to(self._device)
        return torch.from_numpy(np.load(path, mmap_mode="c"))

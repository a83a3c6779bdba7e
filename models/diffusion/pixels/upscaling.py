"""The operator's upscaler on the device: a picture of any size goes through in tiles that meet
without a seam."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from models.catalogue import UpscalerCard
from models.diffusion.device import Device
from models.errors import ModelUnavailable, PaintingBroken, WeightsRejected
from models.request import UPSCALE_FACTOR
from models.upscalers.reading import Read, read_network
from models.upscalers.rrdb import Rrdb
from models.upscalers.srvgg import Srvgg

TILE = 128
"""Side of what a tile delivers, in pixels of the small picture. Around it a tile sees `radius`
pixels more. So memory holds one band of TILE rows of the large picture, and what the network keeps
of one tile: 3 x 16 x TILE x width bytes, and for the widest published network, three layers of 64
features at (TILE + 64) x 4 a side: 0.5 GB by count, not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Where a tile lies in the small picture: what it delivers (`top` to `bottom`, `left` to
    `right`) and what it sees."""

    top: int
    bottom: int
    left: int
    right: int
    seen: tuple[slice, slice]


class Upscaler:
    """One network, ready. `sha256` is its file's."""

    def __init__(self, read: Read, device: Device) -> None:
        """On CUDA in half precision; on a processor as it multiplies best, where the network bears
        bfloat16."""
        self.sha256 = read.sha256
        self._device = device.torch_device
        narrow = device.dtype if read.network.takes_bfloat16 else torch.float32
        dtype = torch.float16 if self._device.type == "cuda" else narrow
        network: Any = read.network.to(self._device, dtype)
        self._network: Srvgg | Rrdb = network.to(memory_format=torch.channels_last)

    def tiles(self, width: int, height: int) -> list[list[Tile]]:
        """Rows of tiles, from top to bottom."""
        margin = self._network.radius
        return [
            [
                Tile(
                    top=top,
                    bottom=min(top + TILE, height),
                    left=left,
                    right=min(left + TILE, width),
                    seen=(
                        slice(max(top - margin, 0), top + TILE + margin),
                        slice(max(left - margin, 0), left + TILE + margin),
                    ),
                )
                for left in range(0, width, TILE)
            ]
            for top in range(0, height, TILE)
        ]

    def bands(self, picture: np.ndarray) -> Iterator[np.ndarray | None]:
        """(height, width, 3) uint8 four times as large: None before each tile, and each row of
        tiles when it is done."""
        height, width = picture.shape[:2]
        for row in self.tiles(width, height):
            shape = (UPSCALE_FACTOR * (row[0].bottom - row[0].top), UPSCALE_FACTOR * width, 3)
            band = np.empty(shape, np.uint8)
            for tile in row:
                yield None
                band[:, UPSCALE_FACTOR * tile.left : UPSCALE_FACTOR * tile.right] = self._through(picture, tile)
            yield band

    @torch.inference_mode()
    def _through(self, picture: np.ndarray, tile: Tile) -> np.ndarray:
        rows, columns = tile.seen
        window = torch.from_numpy(picture[rows, columns].copy()).to(self._device)
        given = window.permute(2, 0, 1)[None].float().div(255).contiguous(memory_format=torch.channels_last)
        shown = self._network(given)[0].float()
        if not bool(torch.isfinite(shown).all()):
            raise PaintingBroken("The upscaler gave numbers that are none.")
        shown = shown.clamp(0, 1).mul(255).round().byte()
        top, left = UPSCALE_FACTOR * (tile.top - rows.start), UPSCALE_FACTOR * (tile.left - columns.start)
        height, width = UPSCALE_FACTOR * (tile.bottom - tile.top), UPSCALE_FACTOR * (tile.right - tile.left)
        delivered = shown[:, top : top + height, left : left + width].permute(1, 2, 0)
        return np.asarray(delivered.cpu().numpy())


class UpscalerStand:
    """Holds the installation's upscaler once somebody needed it."""

    def __init__(self, card: UpscalerCard | None, device: Device) -> None:
        self._card = card
        self._device = device
        self._ready: Upscaler | None = None

    def upscaler(self) -> Upscaler:
        """Raises ModelUnavailable: the catalogue has none. WeightsRejected: its file is not what it
        must be."""
        if self._card is None:
            raise ModelUnavailable("The picture is to be enlarged by a network, but no upscaler is installed.")
        if self._ready is None:
            read = read_network(self._card.path)
            if read.network.scale != UPSCALE_FACTOR:
                raise WeightsRejected(f"The upscaler {self._card.id!r} enlarges {read.network.scale} times, not 4.")
            self._ready = Upscaler(read, self._device)
        return self._ready

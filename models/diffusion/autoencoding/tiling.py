"""Large pictures go through a VAE in tiles, both ways, so that small memories suffice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from models.request import ImageSize

WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """Pictures of more than `whole_pixels` are encoded and decoded in overlapping tiles of `side`
    pixels."""

    whole_pixels: int
    side: int


class Tiles:
    """How one VAE is used; without `tiling` every picture goes through in one piece.

    Only one picture is ever in a VAE at a time, so there is nothing to gain from slicing,
    diffusers' other saving.
    """

    def __init__(self, vae: Any, tiling: Tiling | None) -> None:
        self._vae = vae
        self._tiling = tiling
        self.pixels_per_latent = 2 ** (len(vae.config.block_out_channels) - 1)
        if tiling is not None:
            vae.tile_sample_min_size = tiling.side
            vae.tile_latent_min_size = tiling.side // self.pixels_per_latent

    def manner(self, size: ImageSize) -> str:
        """How a picture of `size` goes through: tiles change its pixels, and other tiles change
        them otherwise."""
        if self._tiling is None or size.pixels <= self._tiling.whole_pixels:
            return WHOLE
        return f"tiles of {self._tiling.side}"

    @contextmanager
    def used_for(self, size: ImageSize) -> Iterator[None]:
        """Inside, the VAE takes a picture of `size` as `manner` says."""
        self._vae.use_tiling = self.manner(size) != WHOLE
        try:
            yield
        finally:
            self._vae.use_tiling = False

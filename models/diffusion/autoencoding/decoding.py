"""From latents to pixels with a VAE, the same for every family."""

from typing import Any

import torch

from models.diffusion.autoencoding.tiling import Tiles, Tiling
from models.errors import PaintingBroken
from models.request import ImageSize


class Decoder:
    """Decodes in the VAE's own dtype, see `Device.decode_dtype`. Without `tiling` every picture in
    one go."""

    def __init__(self, vae: Any, tiling: Tiling | None = None) -> None:
        self._vae = vae
        self._tiles = Tiles(vae, tiling)
        self.pixels_per_latent = self._tiles.pixels_per_latent

    def manner(self, size: ImageSize) -> str:
        """How a picture of `size` is decoded, and encoded where it starts from one."""
        return self._tiles.manner(size)

    def latent_sides(self, size: ImageSize, *, patch: int = 1) -> tuple[int, int]:
        """(height, width) of the latents of a picture of `size`, of which the network reads `patch`
        a side at once.

        Raises:
            PaintingBroken: a side is no multiple of what one patch covers.
        """
        step = self.pixels_per_latent * patch
        if size.width % step or size.height % step:
            raise PaintingBroken(f"This model paints sides that are multiples of {step} pixels, not {size}.")
        return size.height // self.pixels_per_latent, size.width // self.pixels_per_latent

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """(1, channels, height, width) to (height, width, 3) in 0..1, on the CPU.

        Raises:
            PaintingBroken: the decoder produced something that is no number.
        """
        height, width = latents.shape[-2:]
        size = ImageSize(width=width * self.pixels_per_latent, height=height * self.pixels_per_latent)
        with self._tiles.used_for(size):
            image = self._vae.decode(unscaled(latents.to(self._vae.dtype), self._vae.config), return_dict=False)[0]
        if not bool(torch.isfinite(image).all()):
            raise PaintingBroken("The decoder produced values that are not numbers (NaN or infinity).")
        pixels: torch.Tensor = (image[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).float().cpu()
        return pixels


def unscaled(latents: torch.Tensor, config: object) -> torch.Tensor:
    """From the network's scale to that of the VAE with this configuration."""
    said: Any = config
    scaled: torch.Tensor = latents / said.scaling_factor
    if shift := getattr(said, "shift_factor", None):
        shifted: torch.Tensor = scaled + shift
        return shifted
    mean, std = getattr(said, "latents_mean", None), getattr(said, "latents_std", None)
    if mean is None or std is None:
        return scaled
    return scaled * scaled.new_tensor(std).view(1, -1, 1, 1) + scaled.new_tensor(mean).view(1, -1, 1, 1)

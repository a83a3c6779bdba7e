"""From pixels to latents with a VAE, the way back of `decoding`."""

from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from models.diffusion.autoencoding.tiling import Tiles, Tiling
from models.errors import PaintingBroken
from models.request import ImageSize


class Encoder:
    """Encodes in the VAE's own dtype, without `tiling` every picture in one go. `draws`: the
    latents are drawn from a distribution, as all chance in float32."""

    def __init__(self, vae: Any, tiling: Tiling | None = None) -> None:
        self._vae = vae
        self._tiles = Tiles(vae, tiling)
        self.draws = isinstance(vae, AutoencoderKL)

    def encode(self, picture: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(1, 3, height, width) in -1..1 to latents (1, channels, height, width) in the network's
        scale, in float32, on the device.

        An AutoencoderKL says a distribution, from which `generator` draws; an AutoencoderTiny says
        the latents.

        Raises:
            PaintingBroken: the encoder produced something that is no number.
        """
        height, width = picture.shape[-2:]
        with self._tiles.used_for(ImageSize(width=width, height=height)):
            said = self._vae.encode(picture.to(self._vae.dtype))
        latents = _drawn(said.latent_dist, generator) if self.draws else said.latents.float()
        if not bool(torch.isfinite(latents).all()):
            raise PaintingBroken("The encoder produced values that are not numbers (NaN or infinity).")
        return self._scaled(latents.float())

    def _scaled(self, latents: torch.Tensor) -> torch.Tensor:
        config = self._vae.config
        factor = config.scaling_factor
        moments = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
        if None in moments:
            scaled: torch.Tensor = factor * latents
            return scaled
        mean, std = (latents.new_tensor(moment).view(1, -1, 1, 1) for moment in moments)
        moved: torch.Tensor = (latents - mean) * factor / std
        return moved


def _drawn(distribution: DiagonalGaussianDistribution, generator: torch.Generator) -> torch.Tensor:
    """In the distribution's own dtype the same generator would draw other noise."""
    drawn: torch.Tensor = DiagonalGaussianDistribution(distribution.parameters.float()).sample(generator)
    return drawn

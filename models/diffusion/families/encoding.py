"""From pixels to latents with a VAE, the way back of `decoding`."""

from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from models.errors import PaintingBroken


class Encoder:
    """Encodes in the VAE's own dtype, float32 as we load it. `draws`: the latents are drawn from a distribution."""

    def __init__(self, vae: Any) -> None:
        self._vae = vae
        self.draws = isinstance(vae, AutoencoderKL)

    def encode(self, picture: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(1, 3, height, width) in -1..1 to latents (1, channels, height, width) in the network's scale, on the device.

        An AutoencoderKL says a distribution, from which `generator` draws; an AutoencoderTiny says the latents.

        Raises:
            PaintingBroken: the encoder produced something that is no number.
        """
        said = self._vae.encode(picture.to(self._vae.device, self._vae.dtype))
        latents = said.latent_dist.sample(generator) if self.draws else said.latents
        if not bool(torch.isfinite(latents).all()):
            raise PaintingBroken("The encoder produced values that are not numbers (NaN or infinity).")
        return self._scaled(latents)

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

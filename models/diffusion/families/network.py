"""UNet and VAE, the same for both families of Stable Diffusion."""

from typing import Any

import torch

from models.diffusion.autoencoding.decoding import Decoder
from models.diffusion.autoencoding.encoding import Encoder
from models.diffusion.autoencoding.tiling import Tiling
from models.diffusion.texts.conditioning import Conditioning
from models.errors import WeightsRejected
from models.manifest import Execution
from models.request import ImageSize


class UnetNetwork:
    """Predicts noise with the UNet in its dtype.

    A UNet for inpainting reads, beside the latents, one channel of mask and the latents of the
    masked picture.
    """

    execution = Execution.STEPS
    flow = None

    def __init__(self, unet: Any, vae: Any, tiling: Tiling | None = None) -> None:
        self._channels = vae.config.latent_channels
        if unet.config.in_channels not in (self._channels, 2 * self._channels + 1):
            raise WeightsRejected(
                f"The UNet takes {unet.config.in_channels} channels, neither {self._channels} (latents) nor "
                f"{2 * self._channels + 1} (latents, mask, masked picture); that is not served."
            )
        if unet.config.time_cond_proj_dim is not None:
            raise WeightsRejected("The UNet expects the guidance scale as an input; that is not served.")
        self.module = self.unet = unet
        self.reads_mask = unet.config.in_channels != self._channels
        self.encoder, self.decoder = Encoder(vae, tiling), Decoder(vae, tiling)

    def with_autoencoder(self, vae: torch.nn.Module, tiling: Tiling | None) -> "UnetNetwork":
        """Another one that predicts with the same UNet."""
        return UnetNetwork(self.unet, vae, tiling)

    def latent_shape(self, size: ImageSize) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a picture of `size`. Raises
        PaintingBroken."""
        return self._channels, *self.decoder.latent_sides(size)

    def predict(self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """One pass: (rows, channels, height, width) in, the same shape out."""
        added = None
        if conditioning.pooled is not None:
            added = {"text_embeds": conditioning.pooled, "time_ids": conditioning.time_ids}
        prediction: torch.Tensor = self.unet(
            latents.to(self.unet.dtype),
            timesteps,
            encoder_hidden_states=conditioning.embeddings,
            added_cond_kwargs=added,
            return_dict=False,
        )[0]
        return prediction

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """(1, channels, height, width) to (height, width, 3) in 0..1, on the CPU. Raises
        PaintingBroken."""
        return self.decoder.decode(latents)

"""UNet and VAE, the same for both families of Stable Diffusion."""

from typing import Any

import torch

from models.diffusion.families.conditioning import Conditioning
from models.errors import PaintingBroken, WeightsRejected
from models.manifest import Execution
from models.request import ImageSize


class UnetNetwork:
    """Predicts noise with the UNet in its dtype; decodes with the VAE in float32."""

    execution = Execution.STEPS

    def __init__(self, unet: Any, vae: Any) -> None:
        if unet.config.in_channels != vae.config.latent_channels:
            raise WeightsRejected("The UNet takes more than plain latents (inpainting, editing); that is not served.")
        if unet.config.time_cond_proj_dim is not None:
            raise WeightsRejected("The UNet expects the guidance scale as an input; that is not served.")
        self.module = self.unet = unet
        self._vae = vae
        self.pixels_per_latent = 2 ** (len(vae.config.block_out_channels) - 1)

    def latent_shape(self, size: ImageSize) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a picture of `size`.

        Raises:
            PaintingBroken: a side is no multiple of what one latent covers.
        """
        step = self.pixels_per_latent
        if size.width % step or size.height % step:
            raise PaintingBroken(f"This model paints sides that are multiples of {step} pixels, not {size}.")
        return self.unet.config.in_channels, size.height // step, size.width // step

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
        """(1, channels, height, width) to (height, width, 3) in 0..1, on the CPU.

        Raises:
            PaintingBroken: the decoder produced something that is no number.
        """
        image = self._vae.decode(self._unscaled(latents.to(self._vae.dtype)), return_dict=False)[0]
        if not bool(torch.isfinite(image).all()):
            raise PaintingBroken("The decoder produced values that are not numbers (NaN or infinity).")
        pixels: torch.Tensor = (image[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).float().cpu()
        return pixels

    def _unscaled(self, latents: torch.Tensor) -> torch.Tensor:
        config = self._vae.config
        scaled: torch.Tensor = latents / config.scaling_factor
        mean, std = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
        if mean is None or std is None:
            return scaled
        return scaled * scaled.new_tensor(std).view(1, -1, 1, 1) + scaled.new_tensor(mean).view(1, -1, 1, 1)

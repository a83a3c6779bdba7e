"""Flux: CLIP's pooled text and T5, a transformer over packed latents that predicts the flow.

The distilled models take the guidance scale as an input; the others are guided by a second row.
"""

from typing import Any

import torch

from models.diffusion.autoencoding.decoding import Decoder
from models.diffusion.autoencoding.tiling import Tiling
from models.diffusion.schedule.flow import FlowTiming
from models.diffusion.texts.clip import ClipText
from models.diffusion.texts.conditioning import Conditioning
from models.diffusion.texts.t5 import T5Text
from models.errors import WeightsRejected
from models.manifest import Execution
from models.request import ImageSize
from models.spec import GenerationSpec

T5_LENGTH = 512
PACK = 2  # latents a side that become one token
TIMES = 1000  # the network counts time from 0 to 1


class Flux:
    """Prepares the network for a spec. `takes_guidance`: the scale is an input, and no negative
    prompt is read."""

    def __init__(self, clip: ClipText, t5: T5Text, *, takes_guidance: bool) -> None:
        self._clip = clip
        self._t5 = t5
        self._takes_guidance = takes_guidance

    def prepare(self, spec: GenerationSpec) -> Conditioning:
        """Read the prompt, and the negative prompt where it makes a second row."""
        is_one_row = self._takes_guidance or spec.guidance_scale <= 1
        texts = (spec.prompt,) if is_one_row else (spec.negative_prompt, spec.prompt)
        embeddings = torch.cat([self._t5.encode(text, length=T5_LENGTH) for text in texts])
        guidance = None
        if self._takes_guidance:
            guidance = torch.full((1,), spec.guidance_scale, device=embeddings.device, dtype=torch.float32)
        return Conditioning(
            embeddings=embeddings, pooled=torch.cat([self._pooled(spec, text) for text in texts]), guidance=guidance
        )

    def _pooled(self, spec: GenerationSpec, text: str) -> torch.Tensor:
        """CLIP sees the start of the text only; T5 reads all of it."""
        return self._clip.encode(self._clip.chunks(text)[:1], adapters=spec.adapters).pooled


class FluxNetwork:
    """Predicts the flow, one picture a pass."""

    execution = Execution.ALONE
    encoder = None
    reads_mask = False
    flow = FlowTiming(patch=PACK, starts_at_noise=True)

    def __init__(self, transformer: Any, vae: Any, tiling: Tiling | None = None) -> None:
        if transformer.config.in_channels != vae.config.latent_channels * PACK * PACK:
            raise WeightsRejected(
                "The transformer takes more than plain latents (filling, control); that is not served."
            )
        self.module = transformer
        self.decoder = Decoder(vae, tiling)

    def latent_shape(self, size: ImageSize) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a picture of `size`. Raises
        PaintingBroken."""
        return self.module.config.in_channels // PACK**2, *self.decoder.latent_sides(size, patch=PACK)

    def predict(self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """One pass: (rows, channels, height, width) in, the same shape out."""
        dtype, (_, _, height, width) = self.module.dtype, latents.shape
        prediction: torch.Tensor = self.module(
            hidden_states=packed(latents.to(dtype)),
            timestep=timesteps.to(dtype) / TIMES,
            guidance=conditioning.guidance,
            pooled_projections=conditioning.pooled,
            encoder_hidden_states=conditioning.embeddings,
            txt_ids=latents.new_zeros((conditioning.embeddings.shape[1], 3)),
            img_ids=places(height // PACK, width // PACK, latents.device),
            return_dict=False,
        )[0]
        return unpacked(prediction, height, width)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """(1, channels, height, width) to (height, width, 3) in 0..1, on the CPU. Raises
        PaintingBroken."""
        return self.decoder.decode(latents)


def packed(latents: torch.Tensor) -> torch.Tensor:
    """(rows, channels, height, width) to (rows, tokens, 4 x channels), a token for each square of
    two by two."""
    rows, channels, height, width = latents.shape
    squares = latents.view(rows, channels, height // PACK, PACK, width // PACK, PACK).permute(0, 2, 4, 1, 3, 5)
    return squares.reshape(rows, height * width // PACK**2, channels * PACK**2)


def unpacked(tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The way back."""
    rows, _, channels = tokens.shape
    squares = tokens.view(rows, height // PACK, width // PACK, channels // PACK**2, PACK, PACK)
    return squares.permute(0, 3, 1, 4, 2, 5).reshape(rows, channels // PACK**2, height, width)


def places(height: int, width: int, device: torch.device) -> torch.Tensor:
    """(tokens, 3): where each stands, in rows and columns."""
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.zeros_like(down), down, across], dim=-1).reshape(-1, 3).float().to(device)

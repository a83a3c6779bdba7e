"""Stable Diffusion 3 and 3.5: two CLIP encoders and T5 side by side, a transformer that predicts
the flow."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad

from models.diffusion.autoencoding.decoding import Decoder
from models.diffusion.autoencoding.tiling import Tiling
from models.diffusion.schedule.flow import FlowTiming
from models.diffusion.texts.clip import Chunk, ClipText, even
from models.diffusion.texts.conditioning import Conditioning
from models.diffusion.texts.t5 import T5Text
from models.errors import PaintingBroken, WeightsRejected
from models.manifest import Execution
from models.request import ImageSize
from models.spec import GenerationSpec

# How many tokens T5 reads: what the models were trained with, and the most they take.
T5_LENGTH = 256
T5_LONGEST = 512


class StableDiffusion3:
    """Prepares the network for a spec. Without T5 its part of the text is zeros, `width` wide."""

    def __init__(self, clips: tuple[ClipText, ClipText], t5: T5Text | None, *, width: int) -> None:
        self._clips = clips
        self._t5 = t5
        self._width = width

    def prepare(self, spec: GenerationSpec) -> Conditioning:
        """Read the prompt, and the negative prompt where guidance needs it, with all encoders."""
        texts = (spec.prompt,) if spec.guidance_scale <= 1 else (spec.negative_prompt, spec.prompt)
        chunks = even(*(clip.chunks(text) for text in texts for clip in self._clips))
        length = T5_LENGTH
        if self._t5 is not None and max(self._t5.tokens(text) for text in texts) > T5_LENGTH:
            length = T5_LONGEST
        rows = [self._read(spec, text, chunks[2 * row : 2 * row + 2], length) for row, text in enumerate(texts)]
        return Conditioning(
            embeddings=torch.cat([embeddings for embeddings, _ in rows]),
            pooled=torch.cat([pooled for _, pooled in rows]),
        )

    def _read(
        self, spec: GenerationSpec, text: str, chunks: Sequence[Sequence[Chunk]], length: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(1, CLIP's tokens and then T5's, width), and both pooled texts beside each other."""
        first, second = (
            clip.encode(read, skip=spec.clip_skip, adapters=spec.adapters)
            for clip, read in zip(self._clips, chunks, strict=True)
        )
        clip = torch.cat([first.embeddings, second.embeddings], dim=-1)
        long = clip.new_zeros((1, length, self._width)) if self._t5 is None else self._t5.encode(text, length=length)
        both = torch.cat([pad(clip, (0, long.shape[-1] - clip.shape[-1])), long], dim=-2)
        return both, torch.cat([first.pooled, second.pooled], dim=-1)


class Sd3Network:
    """Predicts the flow, one picture a pass."""

    execution = Execution.ALONE
    encoder = None
    reads_mask = False

    def __init__(self, transformer: Any, vae: Any, tiling: Tiling | None = None) -> None:
        if transformer.config.in_channels != vae.config.latent_channels:
            raise WeightsRejected("The transformer takes more than plain latents; that is not served.")
        self.module = transformer
        self.decoder = Decoder(vae, tiling)
        self.flow = FlowTiming(patch=transformer.config.patch_size)

    def latent_shape(self, size: ImageSize) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a picture of `size`. Raises
        PaintingBroken."""
        config = self.module.config
        height, width = self.decoder.latent_sides(size, patch=config.patch_size)
        largest = config.pos_embed_max_size * config.patch_size
        if max(height, width) > largest:
            pixels = largest * self.decoder.pixels_per_latent
            raise PaintingBroken(f"This model paints sides of at most {pixels} pixels, not {size}.")
        return config.in_channels, height, width

    def predict(self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """One pass: (rows, channels, height, width) in, the same shape out."""
        prediction: torch.Tensor = self.module(
            hidden_states=latents.to(self.module.dtype),
            timestep=timesteps,
            encoder_hidden_states=conditioning.embeddings,
            pooled_projections=conditioning.pooled,
            return_dict=False,
        )[0]
        return prediction

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """(1, channels, height, width) to (height, width, 3) in 0..1, on the CPU. Raises
        PaintingBroken."""
        return self.decoder.decode(latents)

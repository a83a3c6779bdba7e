"""Stable Diffusion XL: two text encoders side by side, a pooled text, and the picture's size as a
condition."""

import torch

from models.diffusion.texts.clip import ClipText, even
from models.diffusion.texts.conditioning import Conditioning
from models.spec import GenerationSpec


class StableDiffusionXl:
    """Prepares the network for a spec. `forces_zeros`: no negative prompt means zeros, not the
    empty text."""

    def __init__(self, first: ClipText, second: ClipText, *, forces_zeros: bool) -> None:
        self._encoders = (first, second)
        self._forces_zeros = forces_zeros

    def prepare(self, spec: GenerationSpec) -> Conditioning:
        """Read both texts with both encoders; original and target size are the painted one, nothing
        is cropped."""
        embeddings, pooled = self._read(spec, spec.prompt, beside=spec.negative_prompt)
        size = spec.size.painted
        time_ids = embeddings.new_tensor([[size.height, size.width, 0, 0, size.height, size.width]])
        if spec.guidance_scale <= 1:
            return Conditioning(embeddings=embeddings, pooled=pooled, time_ids=time_ids)
        if self._forces_zeros and not spec.negative_prompt:
            negative, negative_pooled = torch.zeros_like(embeddings), torch.zeros_like(pooled)
        else:
            negative, negative_pooled = self._read(spec, spec.negative_prompt, beside=spec.prompt)
        return Conditioning(
            embeddings=torch.cat([negative, embeddings]),
            pooled=torch.cat([negative_pooled, pooled]),
            time_ids=torch.cat([time_ids, time_ids]),
        )

    def _read(self, spec: GenerationSpec, text: str, *, beside: str) -> tuple[torch.Tensor, torch.Tensor]:
        """As many chunks as the longer of the two texts needs with either tokenizer."""
        chunks = even(*(encoder.chunks(one) for one in (text, beside) for encoder in self._encoders))
        first, second = (
            encoder.encode(read, skip=spec.clip_skip, adapters=spec.adapters)
            for encoder, read in zip(self._encoders, chunks, strict=False)
        )
        return torch.cat([first.embeddings, second.embeddings], dim=-1), second.pooled

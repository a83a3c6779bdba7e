"""Stable Diffusion 1.x and 2.x, and the model in the box, which has their build: one text
encoder."""

from collections.abc import Sequence

import torch

from models.diffusion.texts.clip import Chunk, ClipText, even
from models.diffusion.texts.conditioning import Conditioning
from models.spec import GenerationSpec


class StableDiffusion1:
    """Prepares the network for a spec."""

    def __init__(self, text: ClipText) -> None:
        self._text = text

    def prepare(self, spec: GenerationSpec) -> Conditioning:
        """Read the prompt, and the negative prompt where guidance needs it."""
        prompt = self._text.chunks(spec.prompt)
        if spec.guidance_scale <= 1:
            return Conditioning(embeddings=self._read(prompt, spec))
        negative, prompt = even(self._text.chunks(spec.negative_prompt), prompt)
        return Conditioning(embeddings=torch.cat([self._read(negative, spec), self._read(prompt, spec)]))

    def _read(self, chunks: Sequence[Chunk], spec: GenerationSpec) -> torch.Tensor:
        return self._text.encode(chunks, skip=spec.clip_skip, adapters=spec.adapters).embeddings

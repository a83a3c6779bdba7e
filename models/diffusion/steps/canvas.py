"""What is there before the first step of a painting: noise, a picture, and what of it is kept."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Latents that stay where `mask`, (1, 1, height, width) of 0 and 1, is 0."""

    latents: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What is there before the first step. Latents are (1, channels, height, width), in float32, on
    the device.

    `noise` is standard normal; `generator` is what it was drawn from, and samplers draw on from it.
    `picture` is what the noise is added to, None where a painting begins at pure noise. `kept` is
    put back after each step. `beside` are the channels that an inpainting network reads beside the
    latents: the mask and the picture without what it hides. `strength` says how much of the
    schedule is walked, None all of it.
    """

    generator: torch.Generator
    noise: torch.Tensor
    picture: torch.Tensor | None = None
    kept: Kept | None = None
    beside: tuple[torch.Tensor, ...] = ()
    strength: float | None = None

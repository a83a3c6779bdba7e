"""What is there before the first step of a painting: noise, a picture, and what of it is kept."""

from dataclasses import dataclass

import torch
from PIL import Image

from models.diffusion.schedule.pictures import levels_of

PAINTED = 128  # the darkest level of a mask that means "paint here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The picture that a painting starts from (RGB) and its mask (L), both at the painted size."""

    picture: Image.Image
    mask: Image.Image

    def pixels(self) -> torch.Tensor:
        """(1, 3, height, width) in -1..1, channels last in memory."""
        return 2.0 * levels_of(self.picture) - 1.0

    def unmasked_pixels(self) -> torch.Tensor:
        """Likewise, grey wherever anything is painted."""
        return self.pixels() * ~self._painted_part()

    def mask_for(self, shape: tuple[int, ...]) -> torch.Tensor:
        """(1, 1, height, width) for latents of such a shape: 1 where anything is painted, 0 elsewhere."""
        return torch.nn.functional.interpolate(self._painted_part().float(), size=shape[-2:])

    def restored(self, painted: Image.Image) -> Image.Image:
        """`painted` inside the mask, the picture itself, byte for byte, wherever nothing was to be painted.

        Grey levels above the middle mix both, so a mask with a soft border gives a soft border.
        """
        weights = self.mask.point([max(0, round((level - PAINTED + 1) * 255 / PAINTED)) for level in range(256)])
        return Image.composite(painted, self.picture, weights)

    def _painted_part(self) -> torch.Tensor:
        return levels_of(self.mask) >= 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Latents that stay where `mask`, (1, 1, height, width) of 0 and 1, is 0."""

    latents: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What is there before the first step. Latents are (1, channels, height, width), in float32, on the device.

    `noise` is standard normal; `generator` is what it was drawn from, and samplers draw on from it. `picture` is what
    the noise is added to, None where a painting begins at pure noise. `kept` is put back after each step. `beside` are
    the channels that an inpainting network reads beside the latents: the mask and the picture without what it hides.
    `original` is None where no picture was given. `strength` says how much of the schedule is walked, None all of it.
    """

    generator: torch.Generator
    noise: torch.Tensor
    picture: torch.Tensor | None = None
    kept: Kept | None = None
    beside: tuple[torch.Tensor, ...] = ()
    original: Original | None = None
    strength: float | None = None

    def restored(self, painted: Image.Image) -> Image.Image:
        """Put what was not to be painted back, at the painted size."""
        return painted if self.original is None else self.original.restored(painted)

"""Small pictures of what a painting will look like, made of its latents without the decoder."""

import logging
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d, interpolate, pad, unfold

from models.diffusion.autoencoding.decoding import unscaled
from models.diffusion.recovering import recover
from models.request import ImageSize

log = logging.getLogger(__name__)

LONGEST_SIDE = 128
QUALITY = 80
# What the map is found from: this many latents a side, half of it in patches of so many latents,
# half in gradients.
SIDE, PATCH, GRADIENT = 40, 4, 10
# Keeps the map small along directions of the latents in which the patches hardly differ.
RIDGE = 1e-2


class Previews:
    """Previews of one model.

    A colour is nearly a linear map of the latents there and beside it; it is found by least squares
    from patches and gradients that the autoencoder encodes, once, when the first preview is asked
    for. No chance of any picture is used.
    """

    def __init__(self, vae: Any) -> None:
        self._vae = vae
        self._colours: torch.Tensor | None = None
        self._has_failed = False

    def attempt(self, estimate: Callable[[], torch.Tensor | None], size: ImageSize) -> bytes | None:
        """The JPEG of what `estimate` returns; None where that is nothing yet, or where it fails.

        The edge around a preview: a picture is painted without one rather than not at all. What
        failed is logged once.

        Raises:
            AcceleratorError: the device is lost, see `recover`.
        """
        try:
            latents = estimate()
            return None if latents is None else self.jpeg(latents, size)
        except Exception as wrong:
            recover(wrong)
            if not self._has_failed:
                log.warning("no preview could be made; the pictures go on without", exc_info=wrong)
            self._has_failed = True
            return None

    def jpeg(self, latents: torch.Tensor, size: ImageSize) -> bytes:
        """(1, channels, height, width) in the network's scale, of a picture of `size`, as a JPEG of
        some kilobytes.

        Its longer side is that of `size`, at most 128.
        """
        if self._colours is None:
            self._colours = _colours_of(self._vae)
        picture = _coloured(unscaled(latents.detach().float().cpu(), self._vae.config), self._colours)
        scale = min(1.0, LONGEST_SIDE / max(size.width, size.height))
        sides = max(1, round(size.width * scale)), max(1, round(size.height * scale))
        written = BytesIO()
        picture.resize(sides, Image.Resampling.BICUBIC).save(written, "JPEG", quality=QUALITY)
        return written.getvalue()


def _coloured(latents: torch.Tensor, colours: torch.Tensor) -> Image.Image:
    """A pixel for each latent; latents that are no numbers are black."""
    height, width = latents.shape[-2:]
    pixels = (_seen_by_a_colour(latents).T @ colours).reshape(height, width, 3).nan_to_num(0.0).clamp(0, 1)
    return Image.fromarray((pixels.numpy() * 255).round().astype(np.uint8), "RGB")


def _colours_of(vae: Any) -> torch.Tensor:
    """(9 x channels + 1, 3): from the latents of this autoencoder to red, green and blue in
    0..1."""
    pattern = _pattern(2 ** (len(vae.config.block_out_channels) - 1))
    encoded = vae.encode((pattern * 2 - 1).to(vae.device, vae.dtype))
    latents = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
    known = _seen_by_a_colour(latents.detach().float().cpu()).double()
    wanted = adaptive_avg_pool2d(pattern, latents.shape[-2:])[0].flatten(1).double()
    ridge = RIDGE * torch.eye(len(known), dtype=torch.float64)
    colours: torch.Tensor = torch.linalg.solve(known @ known.T + ridge, known @ wanted.T)
    return colours.float()


def _seen_by_a_colour(latents: torch.Tensor) -> torch.Tensor:
    """(9 x channels + 1, height x width): each place with its eight neighbours, and a one; the
    border is repeated."""
    around = unfold(pad(latents, (1, 1, 1, 1), mode="replicate"), kernel_size=3)[0]
    return torch.cat([around, torch.ones_like(around[:1])])


def _pattern(pixels_per_latent: int) -> torch.Tensor:
    """(1, 3, height, width) in 0..1, SIDE latents a side: above, patches in the 27 colours of no,
    half and full light and a few more; below, a field that changes slowly."""
    generator = torch.Generator("cpu").manual_seed(0)
    levels = torch.tensor([0.0, 0.5, 1.0])
    across, down = SIDE // PATCH, SIDE // PATCH // 2
    some = torch.rand(across * down - len(levels) ** 3, 3, generator=generator)
    mixed = torch.cat([torch.cartesian_prod(levels, levels, levels), some])
    mixed = mixed[torch.randperm(len(mixed), generator=generator)]
    patches = interpolate(mixed.T.reshape(1, 3, down, across), scale_factor=PATCH * pixels_per_latent)
    field = torch.rand(1, 3, GRADIENT // 2, GRADIENT, generator=generator)
    smooth = interpolate(field, size=patches.shape[-2:], mode="bicubic", align_corners=True)
    return torch.cat([patches, smooth.clamp(0, 1)], dim=2)

"""Where a painting begins: at noise, at a picture, or at a picture of which only a part is painted
again.

All chance is drawn in the order in which diffusers draws it.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from models.diffusion.autoencoding.encoding import Encoder
from models.diffusion.families.building import Network
from models.diffusion.pixels.framing import drawn_box, framed
from models.diffusion.pixels.inputs import read_mask, read_picture
from models.diffusion.pixels.levels import levels_of
from models.diffusion.schedule.noise import generator_of, starting_latents
from models.diffusion.steps.canvas import Canvas, Kept
from models.errors import PaintingBroken
from models.request import ImageSize, InitImage
from models.spec import GenerationSpec, SizePlan

GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The picture that a painting starts from (RGB) and its mask (L), both at the painted size."""

    picture: Image.Image
    mask: Image.Image

    @classmethod
    def blank(cls, size: ImageSize) -> "Original":
        """Grey, all of it to be painted: what an inpainting network is given where nobody sent a
        picture."""
        sides = (size.width, size.height)
        return cls(picture=Image.new("RGB", sides, GREY), mask=Image.new("L", sides, 255))

    def pixels(self) -> torch.Tensor:
        """(1, 3, height, width) in -1..1, channels last in memory."""
        return 2.0 * levels_of(self.picture) - 1.0

    def unmasked_pixels(self) -> torch.Tensor:
        """Likewise, grey wherever anything is painted."""
        return self.pixels() * ~self._painted_part()

    def mask_for(self, shape: tuple[int, ...]) -> torch.Tensor:
        """(1, 1, height, width) for latents of such a shape: 1 where anything is painted, 0
        elsewhere."""
        return torch.nn.functional.interpolate(self._painted_part().float(), size=shape[-2:])

    def _painted_part(self) -> torch.Tensor:
        return levels_of(self.mask) >= 0.5


def canvas_of(
    spec: GenerationSpec, network: Network, workspace: Path, device: torch.device, *, candidate: int = 0
) -> Canvas:
    """Read the files that the spec names, encode them, draw the noise.

    `candidate` counts the noises that are passed over where a painting begins at nothing else.
    Inpainting networks have a mask and a picture always: where none is given, everything is painted
    over plain grey.

    Raises:
        PaintingBroken: a file is missing, damaged or too large, or the model paints no such size or from no picture.
    """
    generator, shape = generator_of(spec.seed), network.latent_shape(spec.size.painted)
    if spec.init_image is None and not network.reads_mask:
        for _ in range(candidate):
            starting_latents(shape, generator)
        return Canvas(generator=generator, noise=starting_latents(shape, generator).to(device))
    if network.encoder is None:
        raise PaintingBroken("This model starts from noise alone, not from a picture.")
    drawing = Drawing(generator=generator, shape=shape, encoder=network.encoder, device=device)
    if spec.init_image is None:
        return drawing.beside_picture(Original.blank(spec.size.painted), None)
    original = read_original(spec.init_image, workspace, spec.size)
    return (drawing.beside_picture if network.reads_mask else drawing.from_picture)(original, spec.init_image)


def read_original(init: InitImage, workspace: Path, plan: SizePlan) -> Original:
    """Both files, enlarged or reduced until they cover what is drawn, the centre cropped.

    Raises:
        PaintingBroken: a file is missing, damaged, too large, or not the one that was named.
    """
    picture, mask = read_picture(init, workspace), read_mask(init, workspace)
    mask = mask or Image.new("L", picture.size, 255)
    return Original(
        picture=framed(picture, drawn_box(picture, plan), plan.painted),
        mask=framed(mask, drawn_box(mask, plan), plan.painted),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Chance and the encoder, for latents of `shape`."""

    generator: torch.Generator
    shape: tuple[int, int, int]
    encoder: Encoder
    device: torch.device

    def from_picture(self, original: Original, init: InitImage) -> Canvas:
        """For a network that reads latents alone: what the mask leaves out is put back after each
        step."""
        latents = self._encoded(original.pixels())
        noise = self._noise()
        kept = None
        if init.mask_sha256 is not None:
            kept = Kept(latents=latents, mask=original.mask_for(self.shape).to(self.device))
            if self.encoder.draws:  # diffusers encodes the masked picture, and nobody reads it: only its draw counts
                starting_latents(self.shape, self.generator)
        is_from_noise = init.strength == 1.0 and kept is not None
        picture = None if is_from_noise else latents
        return Canvas(generator=self.generator, noise=noise, picture=picture, kept=kept, strength=init.strength)

    def beside_picture(self, original: Original, init: InitImage | None) -> Canvas:
        """For an inpainting network: it reads the mask and the picture without what the mask hides
        beside the latents."""
        is_from_noise = init is None or init.strength == 1.0
        picture = None if is_from_noise else self._encoded(original.pixels())
        noise = self._noise()
        mask = original.mask_for(self.shape).to(self.device)
        beside = (mask, self._encoded(original.unmasked_pixels()))
        strength = None if init is None else init.strength
        return Canvas(generator=self.generator, noise=noise, picture=picture, beside=beside, strength=strength)

    def _encoded(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.encoder.encode(pixels.to(self.device), generator=self.generator)

    def _noise(self) -> torch.Tensor:
        return starting_latents(self.shape, self.generator).to(self.device)

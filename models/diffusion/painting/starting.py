"""Where a painting begins: at noise, at a picture, or at a picture of which only a part is painted again."""

import hashlib
import re
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from models.diffusion.families.building import Network
from models.diffusion.schedule.noise import generator_of, starting_latents
from models.diffusion.steps.canvas import Canvas, Kept, Original
from models.errors import PaintingBroken
from models.request import MAX_INIT_PIXELS, ImageSize, InitImage
from models.spec import GenerationSpec, Resampling, SizePlan

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")
SHA256 = re.compile("[0-9a-f]{64}")


def canvas_of(
    spec: GenerationSpec, network: Network, workspace: Path, device: torch.device, *, candidate: int = 0
) -> Canvas:
    """Read the files that the spec names, encode them, draw the noise; all chance in the order that diffusers draws it.

    `candidate` counts the noises that are passed over where a painting begins at nothing else. Inpainting networks have a mask and a picture always: where none is given, everything is painted over plain grey.

    Raises:
        PaintingBroken: a file is missing, damaged or too large, or the model paints no such size or from no picture.
    """
    init, size = spec.init_image, spec.size.painted
    generator, shape = generator_of(spec.seed), network.latent_shape(size)
    if init is None and not network.reads_mask:
        for _ in range(candidate):
            starting_latents(shape, generator)
        return Canvas(generator=generator, noise=starting_latents(shape, generator).to(device))
    if network.encoder is None:
        raise PaintingBroken("This model starts from noise alone, not from a picture.")
    encode = partial(network.encoder.encode, generator=generator)
    original = _blank(size) if init is None else read_original(init, workspace, size)
    strength = None if init is None else init.strength
    is_masked = init is not None and init.mask_sha256 is not None
    is_from_noise = init is None or (init.strength == 1.0 and (network.reads_mask or is_masked))
    if network.reads_mask:
        picture = None if is_from_noise else encode(original.pixels().to(device))
        noise = starting_latents(shape, generator).to(device)
        beside = (original.mask_for(shape).to(device), encode(original.unmasked_pixels().to(device)))
        return Canvas(
            generator=generator, noise=noise, picture=picture, beside=beside, original=original, strength=strength
        )
    latents = encode(original.pixels().to(device))
    noise = starting_latents(shape, generator).to(device)
    kept = None
    if is_masked:
        kept = Kept(latents=latents, mask=original.mask_for(shape).to(device))
        if network.encoder.draws:  # diffusers encodes the masked picture, and nobody reads it: only its draw counts
            starting_latents(shape, generator)
    picture = None if is_from_noise else latents
    return Canvas(generator=generator, noise=noise, picture=picture, kept=kept, original=original, strength=strength)


def read_original(init: InitImage, workspace: Path, size: ImageSize) -> Original:
    """Both files, enlarged or reduced until they cover `size`, the centre cropped, as `SizePlan.covering` does it.

    Raises:
        PaintingBroken: a file is missing, damaged, too large, or not the one that was named.
    """
    picture = _covering(_rgb(_read(init.sha256, workspace, what="picture")), size)
    if init.mask_sha256 is None:
        return Original(picture=picture, mask=Image.new("L", picture.size, 255))
    mask = _eight_bits(_read(init.mask_sha256, workspace, what="mask")).convert("L")
    return Original(picture=picture, mask=_covering(mask, size))


def _blank(size: ImageSize) -> Original:
    """Grey, all of it to be painted."""
    sides = (size.width, size.height)
    return Original(picture=Image.new("RGB", sides, (128, 128, 128)), mask=Image.new("L", sides, 255))


def _read(sha256: str, workspace: Path, *, what: str) -> Image.Image:
    """Upright. The file's first bytes are looked at before its pixels are unpacked."""
    if not SHA256.fullmatch(sha256):
        raise PaintingBroken(f"The {what} to start from must be named by its SHA-256.")
    try:
        content = (workspace / sha256).read_bytes()
    except OSError as wrong:
        raise PaintingBroken(f"The {what} to start from is not there: {wrong.strerror}.") from wrong
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PaintingBroken(f"The {what} to start from is not the file that was named: its SHA-256 differs.")
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAX_INIT_PIXELS:
            raise PaintingBroken(
                f"The {what} to start from has {image.width} x {image.height} pixels; that is too many."
            )
        return ImageOps.exif_transpose(image)
    # Pillow's decoders have no error of their own: damage shows as any of these.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as wrong:
        raise PaintingBroken(f"The {what} to start from is damaged, or in no format that we read.") from wrong


def _rgb(image: Image.Image) -> Image.Image:
    """Transparent parts become white, as on paper."""
    image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow cuts 16-bit grey off at 255 instead of dividing it."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8), "L")


def _covering(image: Image.Image, size: ImageSize) -> Image.Image:
    given = ImageSize(width=image.width, height=image.height)
    if given == size:
        return image
    covering = SizePlan(
        painted=given, target=size, resampling=Resampling.LANCZOS, upscale=1, upscale_resampling=Resampling.NONE
    ).covering
    across, down = given.width / covering.width, given.height / covering.height
    left, top = (covering.width - size.width) // 2, (covering.height - size.height) // 2
    box = (left * across, top * down, (left + size.width) * across, (top + size.height) * down)
    return image.resize((size.width, size.height), Image.Resampling.LANCZOS, box=box)

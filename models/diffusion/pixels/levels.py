"""Between pictures as Pillow holds them and the tensors of the autoencoders."""

import numpy as np
import torch
from PIL import Image


def picture_of(pixels: torch.Tensor) -> Image.Image:
    """(height, width, 3) in 0..1 to 8 bits a channel, rounded to nearest."""
    return Image.fromarray((pixels.numpy() * 255).round().astype(np.uint8), "RGB")


def levels_of(image: Image.Image) -> torch.Tensor:
    """(1, channels, height, width) in 0..1, channels last in memory."""
    levels = np.asarray(image).astype(np.float32) / 255.0
    return torch.from_numpy(levels.reshape(1, image.height, image.width, -1)).permute(0, 3, 1, 2)

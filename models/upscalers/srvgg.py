"""The compact upscaler: a plain chain of convolutions at the small size, then one shuffle to the
large one.

Keys as in realesr-general and realesr-animevideo: `body.N.weight`, `body.N.bias`, PReLU between the
convolutions.
"""

import torch
from torch import nn
from torch.nn import functional


class Srvgg(nn.Module):
    """Takes and gives (n, 3, height, width) in 0..1. It learns what nearest-neighbour enlarging
    lacks.

    `convolutions` are those between the first and the last. `radius` is how many pixels around one
    of the input decide about what is made of it. What it adds is small, so that bfloat16's few
    steps do not show: `takes_bfloat16`.
    """

    takes_bfloat16 = True

    def __init__(self, features: int, convolutions: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.radius = convolutions + 2
        layers: list[nn.Module] = []
        channels = 3
        for _ in range(convolutions + 1):
            layers += [nn.Conv2d(channels, features, 3, padding=1), nn.PReLU(features)]
            channels = features
        layers.append(nn.Conv2d(channels, 3 * scale**2, 3, padding=1))
        self.body = nn.Sequential(*layers)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        detail = functional.pixel_shuffle(self.body(picture.to(next(self.parameters()).dtype)), self.scale)
        return detail.float() + functional.interpolate(picture, scale_factor=float(self.scale), mode="nearest")

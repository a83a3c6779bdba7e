"""The upscaler of ESRGAN and Real-ESRGAN: residual blocks of densely joined convolutions, then two
doublings.

Keys as there: `conv_first`, `body.N.rdbM.convK`, `conv_body`, `conv_up1`, `conv_up2`, `conv_hr`,
`conv_last`.
"""

import torch
from torch import nn
from torch.nn import functional

STRENGTH = 0.2
"""How much of a block's answer is added to what it was given."""
SLOPE = 0.2
ENLARGES = 4
FARTHEST = 32
"""In pixels of the folded picture. In full the radius of 23 blocks is 348; what lies beyond this is
weighed by powers of `STRENGTH`."""


class Dense(nn.Module):
    """Five convolutions; each sees everything before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for step in range(5):
            given = features if step == 4 else growth
            self.add_module(f"conv{step + 1}", nn.Conv2d(features + step * growth, given, 3, padding=1))

    def forward(self, taken: torch.Tensor) -> torch.Tensor:
        seen, answer = taken, taken
        for step, convolution in enumerate(self.children()):
            answer = convolution(seen)
            if step < 4:
                seen = torch.cat((seen, functional.leaky_relu(answer, SLOPE)), 1)
        return taken + STRENGTH * answer


class Block(nn.Module):
    """Three dense ones."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = Dense(features, growth)
        self.rdb2 = Dense(features, growth)
        self.rdb3 = Dense(features, growth)

    def forward(self, taken: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.rdb3(self.rdb2(self.rdb1(taken)))
        return taken + STRENGTH * answer


class Rrdb(nn.Module):
    """Takes and gives (n, 3, height, width) in 0..1. One that enlarges less than four times folds
    the picture first: then sides must be multiples of `fold`. It makes the whole picture, which
    bfloat16 would show."""

    takes_bfloat16 = False

    def __init__(self, features: int, growth: int, blocks: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.fold = ENLARGES // scale
        self.radius = self.fold * min(15 * blocks + 4, FARTHEST)
        self.conv_first = nn.Conv2d(3 * self.fold**2, features, 3, padding=1)
        self.body = nn.Sequential(*(Block(features, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(features, features, 3, padding=1)
        self.conv_up1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv_up2 = nn.Conv2d(features, features, 3, padding=1)
        self.conv_hr = nn.Conv2d(features, features, 3, padding=1)
        self.conv_last = nn.Conv2d(features, 3, 3, padding=1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        first = self.conv_first(functional.pixel_unshuffle(picture.to(self.conv_first.weight.dtype), self.fold))
        shown = first + self.conv_body(self.body(first))
        for convolution in (self.conv_up1, self.conv_up2):
            doubled = functional.interpolate(shown, scale_factor=2.0, mode="nearest")
            shown = functional.leaky_relu(convolution(doubled), SLOPE)
        answer: torch.Tensor = self.conv_last(functional.leaky_relu(self.conv_hr(shown), SLOPE))
        return answer

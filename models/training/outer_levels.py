"""Carry a model of 16 pixels to a latent position on as one of 8.

The autoencoder's outer levels know edges, colours and textures already; they are kept, and the innermost level goes. What is new are the two
layers next to the latents. Four times the positions with half the channels hold what one position of many channels did
not learn to hold: eyes, windows, ink lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import nn
from torch.nn import functional

from models.training.course import seeded

ENCODER_BLOCKS: Final = (0, 0, 1, 3)
DECODER_BLOCKS: Final = (4, 2, 1, 0)
"""Blocks of each level, from the side the data comes in; those of an eighth of the size cost little."""
OUTER_WIDTH: Final = 64
STEPS: Final = 1000
"""Of the noise schedule."""


def without_innermost(known: AutoencoderTiny, channels: int, seed: int) -> AutoencoderTiny:
    """The autoencoder of the levels around the innermost one, with so many latent channels."""
    widths = (int(known.config.encoder_block_out_channels[0]),) * len(ENCODER_BLOCKS)
    outer = AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=ENCODER_BLOCKS,
        num_decoder_blocks=DECODER_BLOCKS,
        latent_channels=channels,
        act_fn=known.config.act_fn,
        scaling_factor=1.0,
    )
    _fill(outer.encoder.layers[:-1], _levels(known.encoder.layers[:-1])[: len(ENCODER_BLOCKS)])
    _fill(outer.decoder.layers[2:], _levels(known.decoder.layers[2:], ends_with_convolution=True)[1:])
    for layer in (outer.encoder.layers[-1], outer.decoder.layers[0]):
        _draw(layer, torch.Generator().manual_seed(seed))
    return outer


def _levels(layers: Iterable[nn.Module], *, ends_with_convolution: bool = False) -> list[list[nn.Module]]:
    """The layers of each level: a convolution that changes the size begins one, or ends one."""
    levels: list[list[nn.Module]] = [[]]
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and not ends_with_convolution and levels[-1]:
            levels.append([])
        levels[-1].append(layer)
        if isinstance(layer, nn.Conv2d) and ends_with_convolution:
            levels.append([])
    return [level for level in levels if level]


def _fill(layers: Iterable[nn.Module], levels: list[list[nn.Module]]) -> None:
    """Copy convolutions, and of the blocks of each level the first, as many as there is room for."""
    waiting = iter(layers)
    wanted = next(waiting)
    for level in levels:
        for layer in level:
            if type(layer) is not type(wanted):
                continue
            wanted.load_state_dict(layer.state_dict())
            if (following := next(waiting, None)) is None:
                return
            wanted = following


def _draw(layer: nn.Conv2d, chance: torch.Generator) -> None:
    bound = layer.weight[0].numel() ** -0.5
    layer.weight.data.uniform_(-bound, bound, generator=chance)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def surrounded(known: UNet2DConditionModel, channels: int, seed: int) -> UNet2DConditionModel:
    """The denoiser with a level around it, for latents of so many channels and twice the sides."""
    config = {
        **{name: value for name, value in known.config.items() if not name.startswith("_")},  # nor which were defaults
        "sample_size": 2 * known.config.sample_size,
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": (OUTER_WIDTH, *known.config.block_out_channels),
        "down_block_types": ("DownBlock2D", *known.config.down_block_types),
        "up_block_types": (*known.config.up_block_types, "UpBlock2D"),
        "time_embedding_dim": known.time_embedding.linear_1.out_features,
    }
    wide = UNet2DConditionModel.from_config(config)
    seeded(wide, seed)
    weights = wide.state_dict()
    for name, weight in known.state_dict().items():
        target = _inside(name)
        if target in weights and not name.startswith(("conv_", "time_embedding.linear_1")):
            _overlay(weights[target], weight)
    wide.load_state_dict(weights)
    _tell_the_same_time(known, wide)
    return wide


@torch.no_grad()
def _tell_the_same_time(known: UNet2DConditionModel, wide: UNet2DConditionModel) -> None:
    """Fit the first layer of the time embedding, which sees as many waves as the outermost level has channels."""
    steps = torch.arange(STEPS)
    wanted = known.time_embedding.linear_1(known.time_proj(steps))
    waves = functional.pad(wide.time_proj(steps), (0, 1), value=1.0)
    fitted = torch.linalg.lstsq(waves, wanted).solution
    wide.time_embedding.linear_1.weight.copy_(fitted[:-1].T)
    wide.time_embedding.linear_1.bias.copy_(fitted[-1])


def _inside(name: str) -> str:
    """What a part of the known denoiser is called with a level around it; levels of the way up keep their numbers."""
    head, _, rest = name.partition(".")
    if head != "down_blocks":
        return name
    number, _, tail = rest.partition(".")
    return f"{head}.{int(number) + 1}.{tail}"


def _overlay(target: torch.Tensor, weight: torch.Tensor) -> None:
    """Copy as much as there is room for: where a skip has become thinner, the channels before it stay."""
    room = tuple(slice(0, min(a, b)) for a, b in zip(target.shape, weight.shape, strict=True))
    target[room] = weight[room]

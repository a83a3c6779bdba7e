"""Give an AutoencoderTiny that is trained already more blocks where pixels are few, and more latent channels.

It begins as what it was and learns from there: a new block adds zero to what comes in and cuts at zero what a block before
it has cut there already; new channels follow those that are known, and the decoder does not look at them yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import torch
from diffusers import AutoencoderTiny
from diffusers.models.unets.unet_2d_blocks import AutoencoderTinyBlock
from torch import nn

ENCODER_BLOCKS: Final = (0, 0, 2, 4, 5)
DECODER_BLOCKS: Final = (6, 6, 4, 1, 0)
"""Blocks of each level, from the side the data comes in; those of a sixteenth and an eighth of the size cost little."""


def deepened(shallow: AutoencoderTiny, channels: int, seed: int) -> AutoencoderTiny:
    """The same autoencoder with at least ENCODER_BLOCKS and DECODER_BLOCKS, and with so many latent channels.

    Raises:
        ValueError: A level without a block would get one: nothing before it cuts at zero.
    """
    config = shallow.config
    encoder = _blocks(config.num_encoder_blocks, ENCODER_BLOCKS)
    decoder = _blocks(config.num_decoder_blocks, DECODER_BLOCKS)
    deep = AutoencoderTiny.from_config(
        {**config, "num_encoder_blocks": encoder, "num_decoder_blocks": decoder, "latent_channels": channels}
    )
    for old, new in ((shallow.encoder, deep.encoder), (shallow.decoder, deep.decoder)):
        _take_over(list(old.layers)[1:-1], list(new.layers)[1:-1])
    deep.encoder.layers[0].load_state_dict(shallow.encoder.layers[0].state_dict())
    deep.decoder.layers[-1].load_state_dict(shallow.decoder.layers[-1].state_dict())
    _widen(deep, shallow, seed)
    return deep


@torch.no_grad()
def _widen(deep: AutoencoderTiny, shallow: AutoencoderTiny, seed: int) -> None:
    """The layers next to the latents: known channels as they were, new ones drawn by the encoder and not yet looked at."""
    known = shallow.config.latent_channels
    into, out = deep.encoder.layers[-1], deep.decoder.layers[0]
    bound = into.weight[0].numel() ** -0.5
    into.weight.uniform_(-bound, bound, generator=torch.Generator().manual_seed(seed))
    into.bias.zero_()
    into.weight[:known] = shallow.encoder.layers[-1].weight
    into.bias[:known] = shallow.encoder.layers[-1].bias
    out.weight.zero_()
    out.weight[:, :known] = shallow.decoder.layers[0].weight
    out.bias.copy_(shallow.decoder.layers[0].bias)


def _blocks(has: Sequence[int], wants: Sequence[int]) -> tuple[int, ...]:
    if any(want and not old for old, want in zip(has, wants, strict=True)):
        message = f"no block can be added to a level that has none: {tuple(has)} to {tuple(wants)}"
        raise ValueError(message)
    return tuple(max(old, want) for old, want in zip(has, wants, strict=True))


def _take_over(old: list[nn.Module], new: list[nn.Module]) -> None:
    """Copy the old layers' weights; a block that the old network lacks adds nothing."""
    waiting: Iterator[nn.Module] = iter(old)
    layer = next(waiting)
    for target in new:
        if isinstance(target, AutoencoderTinyBlock) and not isinstance(layer, AutoencoderTinyBlock):
            last = target.conv[-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            continue
        target.load_state_dict(layer.state_dict())
        layer = next(waiting, target)

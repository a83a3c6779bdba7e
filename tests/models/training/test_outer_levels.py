"""Carrying a model of 16 pixels to a latent position on as one of 8."""

from pathlib import Path

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel

from models.training import autoencoder, rendering
from models.training.outer_levels import OUTER_WIDTH, surrounded, without_innermost

STARTER = Path(__file__).parents[3] / "models" / "starter"


def shallow() -> AutoencoderTiny:
    torch.manual_seed(1)
    return AutoencoderTiny(
        encoder_block_out_channels=(64,) * 5,
        decoder_block_out_channels=(64,) * 5,
        num_encoder_blocks=(0, 0, 1, 3, 2),
        num_decoder_blocks=(3, 4, 2, 1, 0),
        latent_channels=12,
        act_fn="silu",
    )


def test_the_outer_levels_of_the_autoencoder_compute_what_they_did():
    known = shallow()
    outer = without_innermost(known, 6, seed=1)
    picture, features = torch.rand(1, 3, 32, 32), torch.rand(1, 64, 4, 4)

    with torch.no_grad():
        encoded = [network.encoder.layers[:7](picture) for network in (known, outer)]
        decoded = [known.decoder.layers[7:](features), outer.decoder.layers[2:](features)]

    assert encoded[0].shape == (1, 64, 4, 4)
    assert torch.equal(*encoded)
    assert torch.equal(*decoded)
    assert outer.encode(picture).latents.shape == (1, 6, 4, 4)


def test_the_denoiser_keeps_its_levels_inside_the_new_one():
    known = UNet2DConditionModel(
        sample_size=4,
        in_channels=12,
        out_channels=12,
        block_out_channels=(96, 192),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
        cross_attention_dim=32,
        attention_head_dim=4,
    )
    wide = surrounded(known, 6, seed=1)
    inner, before = wide.state_dict(), known.state_dict()

    assert wide.config.block_out_channels == (OUTER_WIDTH, 96, 192)
    assert wide.config.sample_size == 8
    steps = torch.arange(1000)
    told = [network.time_embedding.linear_1(network.time_proj(steps)) for network in (known, wide)]
    assert (told[0] - told[1]).var() < 0.6 * (told[0] - told[0].mean(dim=0)).var(), (
        "an untrained one hears fast waves, too"
    )
    whole = [name for name in before if name.startswith(("mid_block", "time_embedding.linear_2", "up_blocks.0"))]
    assert all(torch.equal(before[name], inner[name]) for name in whole)
    moved = "down_blocks.{}.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    assert torch.equal(before[moved.format(1)], inner[moved.format(2)])
    thinner = "up_blocks.1.resnets.1.conv1.weight"
    assert torch.equal(before[thinner][:, :96], inner[thinner][:, :96])
    assert inner[thinner].shape == (96, 96 + OUTER_WIDTH, 3, 3)
    shown = wide(torch.rand(1, 6, 8, 8), 5, torch.rand(1, 4, 32)).sample
    assert shown.shape == (1, 6, 8, 8)


def test_a_decoder_that_learns_on_leaves_the_latents_as_they_are(tmp_path):
    rendering.main(["--out", f"{tmp_path}/world", "--count", "2", "--shard", "2", "--processes", "1"])
    brief = ["--minutes", "0.0003", "--device", "cpu", "--batch", "1", "--decoder-only"]
    autoencoder.main(["--init", str(STARTER), "--world", f"{tmp_path}/world", "--out", f"{tmp_path}/vae", *brief])

    before, after = (
        AutoencoderTiny.from_pretrained(folder, dtype=torch.float32).state_dict()
        for folder in (STARTER / "vae", tmp_path / "vae")
    )
    changed = {name.partition(".")[0] for name, weight in before.items() if not torch.equal(weight, after[name])}
    assert changed == {"decoder"}

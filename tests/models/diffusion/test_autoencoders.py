"""Another autoencoder in the place of the model's own."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from plugins.at_once import at_once
from plugins.tiny_specs import card_of

from models import ModelCard, WeightsRejected
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.weights.folders import inspect
from models.diffusion.weights.hashing import Hashes

LoadCard = Callable[[ModelCard], Pipeline]


@pytest.fixture
def load_card(device: Device) -> LoadCard:
    def pipeline(card: ModelCard) -> Pipeline:
        return at_once(Residency({card.id: card}, device).pipeline(card.id))

    return pipeline


def build_vae(folder: Path, *, channels: int = 4, levels: int = 3) -> Path:
    with torch.random.fork_rng():
        torch.random.manual_seed(5)
        vae = AutoencoderKL(
            block_out_channels=(8,) * levels,
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            latent_channels=channels,
            norm_num_groups=4,
        )
    vae.save_pretrained(folder, safe_serialization=True)
    return folder


def test_the_other_autoencoder_decodes(sd1: Path, tmp_path: Path, load_card: LoadCard) -> None:
    folder = build_vae(tmp_path / "better")
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    theirs = AutoencoderKL.from_pretrained(folder)
    expected = theirs.decode(latents / theirs.config.scaling_factor, return_dict=False)[0][0]

    decoded = load_card(replace(card_of(sd1), vae=folder)).network.decode(latents)

    assert torch.equal(decoded, (expected / 2 + 0.5).clamp(0, 1).permute(1, 2, 0))


def test_a_tiny_autoencoder_will_do(sd1: Path, tmp_path: Path, load_card: LoadCard) -> None:
    with torch.random.fork_rng():
        torch.random.manual_seed(5)
        tiny = AutoencoderTiny(
            encoder_block_out_channels=(8, 8, 8),
            decoder_block_out_channels=(8, 8, 8),
            num_encoder_blocks=(1, 1, 1),
            num_decoder_blocks=(1, 1, 1),
        )
    tiny.save_pretrained(tmp_path / "tiny", safe_serialization=True)

    decoded = load_card(replace(card_of(sd1), vae=tmp_path / "tiny")).network.decode(torch.zeros(1, 4, 8, 8))

    assert decoded.shape == (32, 32, 3)


@pytest.mark.parametrize(("shape", "reason"), [({"channels": 8}, "8 channels"), ({"levels": 2}, "2 pixels")])
def test_latents_of_another_form_are_refused(
    sd1: Path, tmp_path: Path, load_card: LoadCard, shape: dict[str, int], reason: str
) -> None:
    with pytest.raises(WeightsRejected, match=reason):
        load_card(replace(card_of(sd1), vae=build_vae(tmp_path / "other", **shape)))


def pickled(folder: Path) -> None:
    file = folder / "diffusion_pytorch_model.safetensors"
    file.rename(file.with_suffix(".bin"))


def of_another_class(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"_class_name": "UNet2DConditionModel"}))


def with_code(folder: Path) -> None:
    (folder / "model.py").write_text("print('never run')")


def cut_off(folder: Path) -> None:
    (folder / "diffusion_pytorch_model.safetensors").write_bytes((1 << 40).to_bytes(8, "little"))


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (pickled, "only pickled weights"),
        (of_another_class, "must be one of AutoencoderKL"),
        (with_code, "carries code"),
        (cut_off, "is damaged"),
        (shutil.rmtree, "cannot be read"),
    ],
)
def test_it_is_inspected_as_strictly_as_a_model(
    sd1: Path, tmp_path: Path, load_card: LoadCard, break_it: Callable[[Path], None], reason: str
) -> None:
    folder = build_vae(tmp_path / "other")
    break_it(folder)

    with pytest.raises(WeightsRejected, match=reason):
        load_card(replace(card_of(sd1), vae=folder))


def test_its_files_count_in_the_models_hash(sd1: Path, tmp_path: Path) -> None:
    plain, other = card_of(sd1), replace(card_of(sd1), vae=build_vae(tmp_path / "other"))
    hashes, weights = Hashes(), inspect(sd1)
    before = hashes.of_model(weights, other)
    config = tmp_path / "other" / "config.json"
    config.write_text(config.read_text().replace("0.18215", "0.5"))

    assert len({hashes.of_model(weights, plain), before, hashes.of_model(weights, other)}) == 3

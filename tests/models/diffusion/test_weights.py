"""What may not be loaded says why."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from plugins.at_once import at_once
from plugins.tiny_specs import card_of

from models import WeightsRejected
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.weights import hashing
from models.diffusion.weights.folders import inspect
from models.diffusion.weights.hashing import Hashes


def change_json(file: Path, **members: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | members))


def pickle_only(folder: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").rename(folder / "unet" / "diffusion_pytorch_model.bin")


def without_weights(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()


def with_auto_map(folder: Path) -> None:
    change_json(folder / "text_encoder" / "config.json", auto_map={"AutoModel": "evil.Model"})


def with_listed_class(folder: Path) -> None:
    change_json(folder / "model_index.json", _class_name=["evil", "Pipeline"])


def with_unknown_pipeline(folder: Path) -> None:
    change_json(folder / "model_index.json", _class_name="AudioLDMPipeline")


def with_foreign_component(folder: Path) -> None:
    change_json(folder / "model_index.json", unet=["evil", "Network"])


def with_code(folder: Path) -> None:
    (folder / "unet" / "model.py").write_text("print('never run')")


def with_long_header(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes((1 << 40).to_bytes(8, "little") + file.read_bytes()[8:])


def without_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (pickle_only, "unet has only pickled weights"),
        (without_weights, "vae has no weights"),
        (with_auto_map, "auto_map"),
        (with_listed_class, "names foreign code"),
        (with_unknown_pipeline, "is a AudioLDMPipeline"),
        (with_foreign_component, "must be a UNet2DConditionModel"),
        (with_code, "carries code"),
        (with_long_header, "is damaged"),
        (without_index, "model_index.json cannot be read"),
    ],
)
def test_a_folder_that_may_not_be_loaded_is_refused(
    sd1: Path, tmp_path: Path, break_it: Callable[[Path], None], reason: str
) -> None:
    folder = shutil.copytree(sd1, tmp_path / "model")
    break_it(folder)

    with pytest.raises(WeightsRejected, match=reason):
        inspect(folder)


def test_missing_tensors_are_not_filled_with_chance(sd1: Path, tmp_path: Path, device: Device) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(sd1, tmp_path / "model")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    del tensors["conv_in.weight"]
    save_file(tensors, file)

    with pytest.raises(WeightsRejected, match=r"unet lacks 1 weights, such as conv_in\.weight"):
        at_once(Residency({"tiny": card_of(folder)}, device).pipeline("tiny"))


def test_pickles_beside_safetensors_are_left_alone(sd1: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sd1, tmp_path / "model")
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickle")

    assert not any(file.suffix == ".bin" for file in inspect(folder).files)


def test_the_models_hash_changes_with_any_file_that_counts(sd1: Path, tmp_path: Path) -> None:
    folder, hashes = shutil.copytree(sd1, tmp_path / "model"), Hashes()
    before = hashes.of_model(inspect(folder), card_of(folder))
    (folder / "README.md").write_text("words")
    same = hashes.of_model(inspect(folder), card_of(folder))
    change_json(folder / "scheduler" / "scheduler_config.json", prediction_type="v_prediction")

    assert before == same != hashes.of_model(inspect(folder), card_of(folder))


def test_a_large_file_is_hashed_in_pieces(sd1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, plain = card_of(sd1), Hashes()
    whole = plain.of_model(inspect(sd1), card)
    monkeypatch.setattr(hashing, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(hashing, "PIECE_BYTES", 1 << 14)

    pieces = Hashes().hashing(inspect(sd1), card)
    yields = 0
    while (ended := next(pieces, None)) is True:
        yields += 1

    assert ended is None
    assert yields >= inspect(sd1).size_bytes >> 14
    assert Hashes().of_model(inspect(sd1), card) == whole
    assert list(plain.hashing(inspect(sd1), card)) == []  # known
    unet = sd1 / "unet" / "diffusion_pytorch_model.safetensors"
    assert Hashes().of_file(unet) == hashlib.sha256(unet.read_bytes()).hexdigest()

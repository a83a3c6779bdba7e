"""LoRAs over HTTP and on the command line."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gateway.cli.app import run
from gateway.cli.loras import read_choice
from gateway.settings import ROOT
from models import Adapter, RequestInvalid

INK = 'id = "ink"\nfamily = "starter"\npath = "ink.safetensors"\nlicence = "MIT"\ntrigger = "inkwash"\n'
XL = 'id = "xl-only"\nfamily = "sdxl"\npath = "xl.safetensors"\nlicence = "MIT"\n'


@pytest.fixture
async def gateway(open_gateway, tmp_path):
    """With one LoRA for the model in the box, and one for models that are not installed."""
    configs = shutil.copytree(ROOT / "configs", tmp_path / "configs")
    for card in (configs / "loras").glob("*.toml"):
        card.unlink()
    (configs / "loras" / "ink.toml").write_text(INK)
    (configs / "loras" / "xl-only.toml").write_text(XL)
    return await open_gateway(config_dir=configs)


async def test_loras_are_listed_with_the_models_they_fit(gateway):
    listed = (await gateway.http.get("/v1/loras")).json()["data"]

    assert listed == [
        {"id": "ink", "family": "starter", "models": ["starter"], "trigger": "inkwash", "licence": "MIT"},
        {"id": "xl-only", "family": "sdxl", "models": [], "trigger": None, "licence": "MIT"},
    ]


async def test_a_painting_is_made_with_the_loras_that_were_asked_for(gateway):
    painted = (await gateway.paint(style="none", loras=[{"id": "ink", "weight": 0.5}])).json()

    assert painted["status"] == "completed"
    assert painted["revised_prompt"] == "a red lighthouse by the sea, inkwash"
    recipe = (await gateway.get(f"/v1/generations/{painted['generation_id']}/recipe")).json()["recipes"][0]
    assert recipe["spec"]["adapters"] == [{"id": "ink", "weight": 0.5}]


async def test_a_weight_left_out_is_one_and_may_be_a_whole_number(gateway):
    for loras in ([{"id": "ink"}], [{"id": "ink", "weight": 1}]):
        painted = (await gateway.paint(loras=loras)).json()
        recipe = (await gateway.get(f"/v1/generations/{painted['generation_id']}/recipe")).json()["recipes"][0]
        assert recipe["spec"]["adapters"] == [{"id": "ink", "weight": 1.0}]


@pytest.mark.parametrize(
    ("loras", "code", "param"),
    [
        ([{"id": "chalk"}], "lora_not_found", "loras"),
        ([{"id": "xl-only"}], "invalid_parameter", "loras"),
        ([{"id": "ink", "weight": 2.5}], "invalid_parameter", "loras"),
        ([{"id": "ink"}, {"id": "ink"}], "invalid_parameter", "loras"),
        ([{"id": f"l{number}"} for number in range(6)], "invalid_parameter", "loras"),
        ([{"weight": 1.0}], "missing_parameter", "loras[0].id"),
        ([{"id": "ink"}, {"id": "ink", "scale": 1}], "unknown_parameter", "loras[1].scale"),
        ([{"id": "ink", "weight": "1"}], "invalid_parameter", "loras[0].weight"),
        ("ink", "invalid_parameter", "loras"),
        (["ink"], "invalid_parameter", "loras[0]"),
    ],
)
async def test_loras_that_cannot_be_are_refused(gateway, loras, code, param):
    answered = await gateway.paint(loras=loras)

    error = answered.json()["error"]
    assert (answered.status_code, error["code"], error["param"]) == (400, code, param)


# --- pinxit loras -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The data folder's cards."""
    monkeypatch.setenv("PINXIT_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "loras"


def lora_file(folder: Path, name: str, width: int) -> Path:
    """A LoRA on one layer that reads a text of this width."""
    layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    tensors = {f"{layer}.lora_down.weight": np.ones((2, width)), f"{layer}.lora_up.weight": np.ones((4, 2))}
    save_file(tensors, folder / name)
    return folder / name


def called(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        run(["loras", *arguments])
    return ended.value.code


def test_a_file_is_added_by_what_it_says_and_listed(shelf, tmp_path, capsys):
    file = lora_file(tmp_path, "Ink Wash v2.safetensors", 2048)

    assert called("add", str(file), "--trigger", "inkwash", "--licence", "MIT") == 0
    assert (
        "ink-wash-v2 (sdxl) is in the catalogue. A running server sees it after a restart." in capsys.readouterr().out
    )
    copy = shelf / "ink-wash-v2.safetensors"
    assert copy.read_bytes() == file.read_bytes()
    file.unlink()
    assert called("list", "--json") == 0
    listed = capsys.readouterr().out
    assert all(f'"{word}"' in listed for word in ("ink-wash-v2", "sdxl", "inkwash", "MIT", str(copy)))


@pytest.mark.parametrize(("width", "family"), [(256, "starter"), (768, "sd1"), (1024, "sd2"), (2048, "sdxl")])
def test_the_family_is_told_by_the_width_of_the_text(shelf, tmp_path, width, family):
    assert called("add", str(lora_file(tmp_path, "a.safetensors", width))) == 0
    assert f'family = "{family}"' in (shelf / "a.toml").read_text()


def test_where_nothing_tells_the_family_it_must_be_said(shelf, tmp_path, capsys):
    file = lora_file(tmp_path, "a.safetensors", 48)

    assert called("add", str(file)) == 2
    assert "--family" in capsys.readouterr().err
    assert called("add", str(file), "--family", "sd1") == 0


def test_names_taken_or_badly_formed_and_files_that_are_no_loras_are_refused(shelf, tmp_path, capsys):
    file = lora_file(tmp_path, "a.safetensors", 768)
    save_file({"model.weight": np.ones(2)}, tmp_path / "b.safetensors")
    called("add", str(file))

    for arguments, word in (
        ([str(file)], "already"),
        ([str(file), "--id", "A.b"], "cannot be a LoRA's id"),
        ([str(tmp_path / "b.safetensors")], "model.weight"),
        ([str(tmp_path / "none.safetensors")], "none.safetensors"),
        ([str(file), "--id", "c", "--family", "flux"], "not to flux"),
    ):
        assert called("add", *arguments) == 2
        assert word in capsys.readouterr().err
    assert sorted(entry.name for entry in shelf.iterdir()) == ["a.safetensors", "a.toml"]


def test_a_lora_is_removed_with_its_copy_and_guessed_and_kept_where_it_is_needed(shelf, tmp_path, capsys):
    file = lora_file(tmp_path, "a-wash.safetensors", 768)
    called("add", str(file))
    for id, word in (("a-wush", "'a-wash'"), ("starter-blueprint", "configs")):
        assert called("remove", id) == 2
        assert word in capsys.readouterr().err
    needed = lora_file(tmp_path, "starter-blueprint.safetensors", 256)
    (shelf / "starter-blueprint.toml").write_text(
        f'id = "starter-blueprint"\nfamily = "starter"\npath = "{needed}"\nlicence = "x"\n'
    )
    assert called("remove", "starter-blueprint") == 2
    assert "the style 'blueprint'" in capsys.readouterr().err.lower()

    assert called("remove", "a-wash") == 0
    assert "files are gone too" in capsys.readouterr().out
    assert [entry.name for entry in shelf.iterdir()] == ["starter-blueprint.toml"]
    assert file.exists()


def test_the_default_model_is_chosen_and_not_removed(shelf, tmp_path, capsys):
    def models(*arguments: str) -> int | str | None:
        with pytest.raises(SystemExit) as ended:
            run(["models", *arguments])
        return ended.value.code

    own = shelf.parent / "models" / "own.toml"
    own.parent.mkdir(parents=True)
    own.write_text('id = "own"\nfamily = "sd1"\npath = "/nowhere"\nlicence = "x"\nnative_pixels = 4096\n')
    assert models("default", "owwn") != 0
    assert "'own'" in capsys.readouterr().err
    assert models("default", "own") == 0
    assert models("remove", "own") == 2
    assert "models default" in capsys.readouterr().err
    assert models("remove", "starter") == 2
    assert models("default", "starter") == 0
    assert models("remove", "own") == 0
    assert "stay where they are: /nowhere" in capsys.readouterr().out
    assert not own.exists()


LAYER = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
FC1 = "encoder.layers.0.mlp.fc1"


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([f"unet.{LAYER}.lora_A.weight", f"unet.{LAYER}.lora_B.weight"], None),
        ([f"base_model.model.{LAYER}.lora_A.weight", f"base_model.model.{LAYER}.lora_B.weight"], None),
        ([f"unet.{LAYER[:-5]}.processor.to_out_lora.{way}.weight" for way in ("up", "down")], None),
        ([f"text_encoder.text_model.{FC1}.lora_linear_layer.{way}.weight" for way in ("up", "down")], None),
        (["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_" + way + ".weight" for way in ("up", "down")], None),
        ([f"unet.down_blocks.9.to_k.lora_{half}.weight" for half in "AB"], "1 of the 1 layers"),
        ([f"unet.{one}.lora_{half}.weight" for one in (LAYER, "no.to_k") for half in "AB"], "1 of the 2 layers"),
        ([f"transformer.{LAYER}.lora_{half}.weight" for half in "AB"], "such as transformer.down_blocks.1"),
        ([f"text_encoder_2.{FC1}.lora_{half}.weight" for half in "AB"], "such as text_encoder_2.encoder"),
        ([f"unet.{LAYER}.lora_A.weight"], f"half of a pair is missing: the lora_B of unet.{LAYER}"),
    ],
)
def test_what_fits_no_installed_model_is_refused_when_it_is_added(shelf, tmp_path, capsys, names, complaint):
    save_file({name: np.ones((2, 2)) for name in names}, tmp_path / "a.safetensors")

    ended = called("add", str(tmp_path / "a.safetensors"), "--family", "starter")

    assert ended == (2 if complaint else 0)
    assert (complaint or "is in the catalogue") in "".join(capsys.readouterr())
    assert (shelf / "a.toml").exists() == (complaint is None)


def test_a_lora_is_chosen_by_id_and_weight():
    assert [read_choice(text) for text in ("ink", "ink:-0.5")] == [
        Adapter(id="ink", weight=1.0),
        Adapter(id="ink", weight=-0.5),
    ]
    with pytest.raises(RequestInvalid, match="id:weight"):
        read_choice("ink:much")

"""Single files of the original form become folders that paint the same pictures.

The files have every block of SD 1.5, SD 2.1 and SDXL base at tiny widths, in the names of files from Civitai.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline
from plugins.original_keys import Original, original_sd1, original_sd2, original_sdxl
from safetensors.torch import load_file, save_file

from models import WeightsRejected
from models.diffusion.originals.conversion import left_behind, plan_components, write_folder
from models.diffusion.originals.convert import convert
from models.diffusion.originals.vocabulary import new_tokenizer
from models.inspection import inspect_folder
from models.process.conversion import Step, Word
from models.single_file import Checkpoint, Prediction, read_header, recognize

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

NETWORKS = ("text_encoder", "text_encoder_2", "unet", "vae")
UNET = "model.diffusion_model."
Fixture = pytest.TempPathFactory
Tensors = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def _one_thread(device: object) -> None:
    """As everywhere here; the converting program takes what there is."""


@pytest.fixture(scope="module")
def sd1_file(tmp_path_factory: Fixture) -> Original:
    return original_sd1(tmp_path_factory.mktemp("sd1") / "tiny_v15.safetensors")


@pytest.fixture(scope="module")
def sd2_file(tmp_path_factory: Fixture) -> Original:
    return original_sd2(tmp_path_factory.mktemp("sd2") / "tiny_v21.safetensors")


@pytest.fixture(scope="module")
def sdxl_file(tmp_path_factory: Fixture) -> Original:
    return original_sdxl(tmp_path_factory.mktemp("sdxl") / "tiny_xl.safetensors")


def recognized(file: Path) -> Checkpoint:
    return recognize(file.name, read_header(file))


def converted(file: Path, folder: Path) -> list[Word]:
    """What the program says, its last word included."""
    folder.mkdir()
    words: list[Word] = []
    words.append(convert(file, folder, None, say=words.append))
    return words


def written(file: Path, folder: Path, *names: str, prediction: Prediction | None = None) -> Path:
    """The folder with only the networks of these `names`."""
    folder.mkdir()
    checkpoint = recognize(file.name, read_header(file), prediction=prediction)
    wanted = [component for component in plan_components(checkpoint) if component.name in names]
    assert list(write_folder(file, folder, checkpoint, wanted)) == wanted
    return folder


def changed(file: Path, target: Path, change: Callable[[Tensors], object]) -> Path:
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, target)
    return target


def schedule_of(folder: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
    return content


def picture(pipeline: Any) -> torch.Tensor:
    """The weights go to fresh memory first: a kernel's last bits depend on where in a cache line a matrix begins."""
    for network in filter(None, map(pipeline.components.get, NETWORKS)):
        weights = {name: weight.clone() for name, weight in network.state_dict().items()}
        network.load_state_dict(weights, assign=True)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator("cpu").manual_seed(5)
    asked = {"width": 64, "height": 64, "num_inference_steps": 2, "guidance_scale": 5.0, "output_type": "pt"}
    return pipeline("a red boat, by day", negative_prompt="fog", generator=generator, **asked).images


@pytest.mark.parametrize("model", ["sd1", "sd2", "sdxl"])
def test_a_converted_file_has_the_same_weights_and_paints_the_same_picture(
    request: pytest.FixtureRequest, tmp_path: Path, model: str
) -> None:
    original: Original = request.getfixturevalue(f"{model}_file")

    words = converted(original.file, tmp_path / "model")

    theirs = DiffusionPipeline.from_pretrained(tmp_path / "model", local_files_only=True)
    for name in filter(theirs.components.get, NETWORKS):
        expected, found = original.pipeline.components[name].state_dict(), theirs.components[name].state_dict()
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[weight], found[weight]) for weight in expected), name
    assert torch.equal(picture(theirs), picture(original.pipeline))
    inspection = inspect_folder(tmp_path / "model")
    assert (inspection.family, inspection.native.width) == (model, {"sd1": 512, "sd2": 768, "sdxl": 1024}[model])
    assert [word.what for word in words if isinstance(word, Step)][-2:] == ["writing unet", "loading"]


def test_a_file_in_half_precision_stays_so_on_disk(sd1_file: Original, tmp_path: Path) -> None:
    def halve(tensors: Tensors) -> None:
        for name, tensor in tensors.items():
            tensors[name] = tensor.half() if tensor.is_floating_point() else tensor

    half = changed(sd1_file.file, tmp_path / "half.safetensors", halve)

    files = list(written(half, tmp_path / "model", "text_encoder", "unet", "vae").rglob("*.safetensors"))

    assert len(files) == 3
    assert not any(".fp16" in file.name for file in files)
    for file in files:
        assert {tensor.dtype for tensor in load_file(file).values()} == {torch.float16}, file


def test_eight_bit_floats_are_widened_without_loss(sd1_file: Original, tmp_path: Path) -> None:
    name = f"{UNET}out.2.weight"
    small = changed(
        sd1_file.file,
        tmp_path / "small.safetensors",
        lambda tensors: tensors.update({name: tensors[name].to(torch.float8_e4m3fn)}),
    )

    folder = written(small, tmp_path / "model", "unet")

    kept = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")["conv_out.weight"]
    assert kept.dtype is torch.float16
    assert torch.equal(kept, load_file(small)[name].half())


def test_markers_of_zero_terminal_snr_reach_the_schedule(sd1_file: Original, tmp_path: Path) -> None:
    marked = changed(
        sd1_file.file,
        tmp_path / "marked.safetensors",
        lambda tensors: tensors.update(v_pred=torch.zeros(0), ztsnr=torch.zeros(0)),
    )

    schedule = schedule_of(written(marked, tmp_path / "model"))

    assert schedule["prediction_type"] == "v_prediction"
    assert schedule["rescale_betas_zero_snr"] is True
    assert schedule["timestep_spacing"] == "trailing"


def test_the_prediction_asked_for_is_the_folders(sd2_file: Original, tmp_path: Path) -> None:
    folder = written(sd2_file.file, tmp_path / "model", "unet", "vae", prediction=Prediction.EPSILON)

    assert schedule_of(folder)["prediction_type"] == "epsilon"
    assert inspect_folder(folder).native.width == 512


def test_sd2s_last_text_layer_may_be_missing_for_it_is_never_used(sd2_file: Original, tmp_path: Path) -> None:
    def drop(tensors: Tensors) -> None:
        for name in [name for name in tensors if ".resblocks.23." in name or name.endswith("text_projection")]:
            del tensors[name]

    short = recognized(changed(sd2_file.file, tmp_path / "short.safetensors", drop))

    (text, *_) = plan_components(short)
    assert text.network.config.num_hidden_layers == 23
    assert left_behind(short, plan_components(short)) == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"{UNET}output_blocks.5.1.proj_out.weight", r"unet lacks 1 weights, such as up_blocks\.1\.attentions\.2"),
        (f"{UNET}time_embed.0.bias", r"unet lacks 1 weights, such as time_embedding\.linear_1\.bias"),
        (f"{UNET}middle_block.1.proj_in.weight", r"middle_block\.1\.proj_in\.weight is missing"),
        ("first_stage_model.decoder.up.2.block.1.conv2.bias", r"vae lacks 1 weights, such as decoder\.up_blocks\.1"),
        ("first_stage_model.post_quant_conv.weight", r"vae lacks 1 weights, such as post_quant_conv\.weight"),
        (
            "cond_stage_model.transformer.text_model.encoder.layers.7.mlp.fc2.bias",
            r"text_encoder lacks 1 weights, such as encoder\.layers\.7\.mlp\.fc2\.bias",
        ),
    ],
)
def test_a_missing_weight_is_named(sd1_file: Original, tmp_path: Path, name: str, reason: str) -> None:
    file = changed(sd1_file.file, tmp_path / "less.safetensors", lambda tensors: tensors.pop(name))

    with pytest.raises(WeightsRejected, match=reason):
        plan_components(recognized(file))


@pytest.mark.parametrize(
    ("name", "weight", "reason"),
    [
        (f"{UNET}out.2.bias", torch.zeros(5), r"unet: conv_out\.bias has the shape \(5,\) instead of \(4,\)"),
        (f"{UNET}input_blocks.1.1.fuser.weight", torch.zeros(2), r"unet has 1 weights that .* 'model.*fuser"),
        (f"{UNET}input_blocks.4.0.adapter.weight", torch.zeros(2), r"unet has 1 weights that .* 'model.*adapter"),
        (f"{UNET}extra.weight", torch.zeros(2), r"unet has 1 weights that .* 'model.*extra"),
        (
            "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
            torch.zeros(49407, 64),
            "knows 49407 tokens",
        ),
        (
            f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight",
            torch.zeros(96, 128),
            "reads texts 128 wide, and the text encoders give 64",
        ),
    ],
)
def test_a_weight_that_does_not_belong_is_named(
    sd1_file: Original, tmp_path: Path, name: str, weight: torch.Tensor, reason: str
) -> None:
    file = changed(sd1_file.file, tmp_path / "odd.safetensors", lambda tensors: tensors.update({name: weight}))

    with pytest.raises(WeightsRejected, match=reason):
        plan_components(recognized(file))


def test_weights_that_are_no_numbers_are_refused(sd1_file: Original, tmp_path: Path) -> None:
    file = changed(
        sd1_file.file,
        tmp_path / "nan.safetensors",
        lambda tensors: tensors[f"{UNET}out.2.weight"].fill_(torch.nan),
    )

    with pytest.raises(WeightsRejected, match=r"unet: conv_out\.weight holds values that are no numbers"):
        written(file, tmp_path / "model", "unet")


@pytest.mark.parametrize("family", ["sd1", "sd2"])
def test_an_inpainting_file_becomes_an_inpainting_folder(tmp_path: Path, family: str) -> None:
    build = original_sd1 if family == "sd1" else partial(original_sd2, prediction="epsilon")
    original = build(tmp_path / "paint_in.safetensors", in_channels=9)

    folder = written(original.file, tmp_path / "model", "unet", "vae")

    expected = original.pipeline.unet.state_dict()
    found = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[weight], found[weight]) for weight in expected)
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == "StableDiffusionInpaintPipeline"
    assert (inspect_folder(folder).family, inspect_folder(folder).native.width) == (family, 512)


def test_clutter_is_left_behind_without_a_word_and_the_unknown_is_named(sd1_file: Original, tmp_path: Path) -> None:
    plain = recognized(sd1_file.file)
    more = changed(
        sd1_file.file,
        tmp_path / "more.safetensors",
        lambda tensors: tensors.update({"control_model.out.weight": torch.zeros(2)}),
    )

    assert left_behind(plain, plan_components(plain)) == ()
    assert left_behind(recognized(more), plan_components(recognized(more))) == ("control_model.out.weight",)


def test_the_vocabulary_gives_the_numbers_that_clip_was_trained_with() -> None:
    tokenizer = new_tokenizer("!")

    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert (tokenizer.pad_token_id, new_tokenizer("<|endoftext|>").pad_token_id) == (0, 49407)

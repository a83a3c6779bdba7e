"""What a file of weights is, told from its header; needs no torch and no weights."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from models import Family, WeightsRejected
from models.single_file import Checkpoint, Prediction, read_header, recognize
from models.single_file.dimensions import Shapes, unet_config
from models.single_file.naming import is_clutter

UNET, VAE = "model.diffusion_model.", "first_stage_model."
PARTS = {f"{VAE}decoder.conv_in.weight": (64, 4, 3, 3)}
CONV_IN = f"{UNET}input_blocks.0.0.weight"
CLIP = {"cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 64)}
OPEN_CLIP = {"cond_stage_model.model.token_embedding.weight": (49408, 64)}
SDXL = {
    "conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight": (49408, 64),
    "conditioner.embedders.1.model.token_embedding.weight": (49408, 64),
    f"{UNET}label_emb.0.0.weight": (128, 320),
}
Shape = tuple[int, ...]


def written(file: Path, tensors: Mapping[str, Shape], *, dtype: str = "F16", **metadata: str) -> Path:
    """A file with that header; its weights are a hole in the disk."""
    entries: dict[str, object] = {"__metadata__": {name.replace("_", ".", 1): word for name, word in metadata.items()}}
    place = 0
    for name, shape in tensors.items():
        size = 2 if dtype == "F16" else 1
        for side in shape:
            size *= side
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    return raw(file, json.dumps(entries).encode(), weights=place)


def raw(file: Path, header: bytes, *, weights: int = 0) -> Path:
    file.write_bytes(len(header).to_bytes(8, "little") + header)
    with file.open("r+b") as content:
        content.truncate(8 + len(header) + weights)
    return file


def told(file: Path, prediction: Prediction | None = None) -> Checkpoint:
    return recognize(file.name, read_header(file), prediction=prediction)


def network(in_channels: int = 4) -> dict[str, Shape]:
    return {CONV_IN: (64, in_channels, 3, 3)} | PARTS


@pytest.mark.parametrize(
    ("tensors", "family", "prediction", "side", "is_inpainting"),
    [
        (network() | CLIP, Family.SD1, "epsilon", 512, False),
        (network(9) | CLIP, Family.SD1, "epsilon", 512, True),
        (network() | OPEN_CLIP, Family.SD2, "v_prediction", 768, False),
        (network(9) | OPEN_CLIP, Family.SD2, "epsilon", 512, True),
        (network() | SDXL, Family.SDXL, "epsilon", 1024, False),
        (network(9) | SDXL, Family.SDXL, "epsilon", 1024, True),
        (network() | CLIP | {"v_pred": (0,)}, Family.SD1, "v_prediction", 512, False),
    ],
)
def test_names_and_shapes_tell_the_model(
    tmp_path: Path, tensors: dict[str, Shape], family: Family, prediction: str, side: int, is_inpainting: bool
) -> None:
    found = told(written(tmp_path / "x.safetensors", tensors))

    assert (found.family, found.prediction, found.native.width) == (family, prediction, side)
    assert (found.native.height, found.is_inpainting) == (side, is_inpainting)


@pytest.mark.parametrize(
    ("markers", "prediction", "has_zero_snr"),
    [((), "epsilon", False), (("v_pred",), "v_prediction", False), (("v_pred", "ztsnr"), "v_prediction", True)],
)
def test_markers_beside_the_weights_tell_the_prediction(
    tmp_path: Path, markers: tuple[str, ...], prediction: str, has_zero_snr: bool
) -> None:
    found = told(written(tmp_path / "x.safetensors", network() | SDXL | dict.fromkeys(markers, (0,))))

    assert (found.prediction, found.has_zero_snr, found.is_assumed) == (prediction, has_zero_snr, not markers)


def test_what_the_saver_wrote_counts_before_what_is_usual(tmp_path: Path) -> None:
    found = told(written(tmp_path / "x.safetensors", network() | OPEN_CLIP, modelspec_prediction_type="epsilon"))

    assert (found.prediction, found.native.width, found.is_assumed) == ("epsilon", 512, False)


@pytest.mark.parametrize("word", ["v", "V", "v_prediction", "V-Prediction", "v_pred", " v "])
def test_a_savers_word_counts_however_it_is_spelt(tmp_path: Path, word: str) -> None:
    found = told(written(tmp_path / "x.safetensors", network() | SDXL, modelspec_prediction_type=word))

    assert (found.prediction, found.is_assumed) == ("v_prediction", False)


def test_a_word_for_the_prediction_that_nobody_knows_is_refused_with_the_way_out(tmp_path: Path) -> None:
    file = written(tmp_path / "x.safetensors", network() | SDXL, modelspec_prediction_type="sample")
    with pytest.raises(WeightsRejected, match=r"'sample'.* --prediction epsilon or v_prediction"):
        told(file)
    assert told(file, Prediction.V_PREDICTION).prediction == "v_prediction"


def test_the_operator_counts_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path / "x.safetensors", network() | SDXL | {"v_pred": (0,), "ztsnr": (0,)})

    found = told(file, Prediction.EPSILON)

    assert (found.prediction, found.has_zero_snr, found.is_assumed) == ("epsilon", False, False)


def test_an_sd2_base_is_told_by_the_operator_and_has_512_pixels(tmp_path: Path) -> None:
    found = told(written(tmp_path / "x.safetensors", network() | OPEN_CLIP), Prediction.EPSILON)

    assert (found.family, found.native.width) == (Family.SD2, 512)


def test_sd_turbo_is_an_sd2_under_sdxls_names(tmp_path: Path) -> None:
    tensors = network() | {"conditioner.embedders.0.model.token_embedding.weight": (49408, 64)}

    found = told(written(tmp_path / "x.safetensors", tensors))

    assert (found.family, found.prediction, found.native.width) == (Family.SD2, "epsilon", 512)
    assert found.file_names["cond_stage_model.model.token_embedding.weight"].startswith("conditioner.")


def test_the_older_spelling_of_clip_is_known(tmp_path: Path) -> None:
    tensors = network() | {"cond_stage_model.transformer.embeddings.token_embedding.weight": (49408, 64)}

    assert told(written(tmp_path / "x.safetensors", tensors)).family is Family.SD1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight", "a LoRA"),
        ("unet.up_blocks.0.attentions.0.to_q.lora_A.weight", "a LoRA"),
        ("control_model.input_hint_block.0.weight", "a ControlNet"),
        ("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight", "an SD3 checkpoint"),
        ("model.diffusion_model.double_blocks.0.img_attn.qkv.weight", "a Flux checkpoint"),
        ("down_blocks.0.motion_modules.0.norm.weight", "an AnimateDiff motion module"),
        ("ip_adapter.1.to_k_ip.weight", "an IP-Adapter"),
        ("emb_params", "a textual inversion"),
        ("clip_g", "a textual inversion"),
        ("model.0.weight", "an upscaler"),
        ("body.0.rdb1.conv1.weight", "an upscaler"),
        ("down_blocks.0.resnets.0.conv1.weight", "a diffusers folder"),
        ("encoder.down.0.block.0.conv1.weight", "a VAE"),
        ("first_stage_model.decoder.conv_in.weight", "a VAE"),
        ("text_model.encoder.layers.0.mlp.fc1.weight", "a text encoder"),
        ("whatever", "nothing that we know"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(WeightsRejected, match=rf"^x\.safetensors is no checkpoint .* seems to be .*{kind}"):
        told(written(tmp_path / "x.safetensors", {name: (4, 4)}))


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({CONV_IN: (64, 4, 3, 3)} | CLIP, "holds no VAE"),
        (network(), "holds no text encoder"),
        (network() | OPEN_CLIP | {f"{UNET}label_emb.0.0.weight": (128, 320)}, "SDXL refiner or an SD 2 unCLIP"),
        (network() | {name: shape for name, shape in SDXL.items() if "label" not in name}, "size conditioning"),
        (network() | {name: shape for name, shape in SDXL.items() if "embedders.0" not in name}, "lacks the first"),
        (network(8) | CLIP, "InstructPix2Pix"),
        (network(5) | OPEN_CLIP, "SD 2 depth"),
        (network(7) | OPEN_CLIP, "x4 upscaler"),
        (network(3) | CLIP, "3 input channels"),
        ({CONV_IN: (64,)} | PARTS | CLIP, "0 input channels"),
        (network() | SDXL | {"edm_mean": (4,)}, "Playground"),
    ],
)
def test_relatives_and_fragments_are_refused_by_name(tmp_path: Path, tensors: dict[str, Shape], reason: str) -> None:
    with pytest.raises(WeightsRejected, match=reason):
        told(written(tmp_path / "x.safetensors", tensors))


def test_quantized_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsRejected, match=r"is quantized \('model\.diffusion_model\..*' is I8\)"):
        told(written(tmp_path / "x.safetensors", network() | CLIP, dtype="I8"))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"{}", "is no checkpoint"),
        (b"[]", "damaged header"),
        (b'{"x": 1}', "damaged header"),
        (b"[" * 100_000, "damaged header"),
        (b'{"x": ' * 100_000, "damaged header"),
        (b"\xff\xfe", "damaged header"),
        (b'{"x": {"dtype": "Q4", "shape": [1], "data_offsets": [0, 1]}}', "unknown type 'Q4'"),
        (b'{"x": {"dtype": "F16", "shape": [-1, -4], "data_offsets": [0, 8]}}', "has the shape"),
        (b'{"x": {"dtype": "F16", "shape": [' + b"9," * 99_999 + b'9], "data_offsets": [0, 4]}}', "has 100000 axes"),
        (b'{"x": {"dtype": "F16", "shape": [4], "data_offsets": [0, 4]}}', "not its shape's"),
        (b'{"x": {"dtype": "F16", "shape": [1], "data_offsets": [8, 10]}}', "do not follow"),
        (b'{"x": {"dtype": "F16", "shape": [4], "data_offsets": [8, 0]}}', "not its shape's"),
        (b'{"' + b"x" * 501 + b'": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}', "a name of 501"),
        (b'{"x": {"dtype": "F16", "shape": [4000000000, 4000000000], "data_offsets": [0, 8]}}', "not its shape's"),
    ],
)
def test_a_hostile_header_is_refused_in_one_line(tmp_path: Path, header: bytes, reason: str) -> None:
    with pytest.raises(WeightsRejected, match=reason) as refused:
        told(raw(tmp_path / "x.safetensors", header, weights=10))

    assert len(refused.value.message) < 1000
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("start", [b"", b"abc", (1 << 40).to_bytes(8, "little"), bytes(8)])
def test_a_file_without_a_header_is_refused(tmp_path: Path, start: bytes) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(start)

    with pytest.raises(WeightsRejected, match="is no safetensors file"):
        read_header(file)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path / "x.safetensors", network() | CLIP)
    size = whole.stat().st_size
    for kept, reason in (
        (size - 100, "100 of its .* bytes of weights are missing"),
        (40, "do not even hold its header"),
    ):
        with whole.open("r+b") as content:
            content.truncate(kept)
        with pytest.raises(WeightsRejected, match=reason):
            read_header(whole)


@pytest.mark.parametrize(
    ("name", "start", "reason"),
    [
        ("x.ckpt", b"anything at all", "is a pickle"),
        ("x.PT", b"anything at all", "is a pickle"),
        ("x.safetensors", b"PK\x03\x04" + bytes(20), "is a pickle"),
        ("x.safetensors", b"\x80\x02}q\x00." + bytes(20), "is a pickle"),
        ("x.gguf", b"GGUF" + bytes(20), "is a GGUF file"),
    ],
)
def test_pickles_and_other_forms_are_refused_unread(tmp_path: Path, name: str, start: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(start)

    with pytest.raises(WeightsRejected, match=reason):
        read_header(tmp_path / name)


@pytest.mark.parametrize("length", [0x280, 0x380, 0x480, 0x580])
def test_a_header_whose_length_starts_as_a_pickle_does_is_read(tmp_path: Path, length: int) -> None:
    header = json.dumps({"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}).encode().ljust(length)
    assert set(read_header(raw(tmp_path / "x.safetensors", header, weights=2)).tensors) == {"a"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsRejected, match=r"^gone\.safetensors cannot be read: No such file"):
        read_header(tmp_path / "gone.safetensors")


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("model_ema.diffusion_modelinput_blocks00weight", True),
        ("cond_stage_model.transformer.text_model.embeddings.position_ids", True),
        ("cond_stage_model.model.attn_mask", True),
        ("conditioner.embedders.1.model.logit_scale", True),
        ("conditioner.embedders.0.transformer.text_projection.weight", True),
        ("first_stage_model.loss.logvar", True),
        ("denoiser.sigmas", True),
        ("betas", True),
        ("ztsnr", True),
        ("model.diffusion_model.out.2.weight", False),
        ("conditioner.embedders.1.model.text_projection", False),
        ("first_stage_model.quant_conv.weight", False),
        ("control_model.out.weight", False),
    ],
)
def test_clutter_is_told_from_weights(name: str, is_known: bool) -> None:
    assert is_clutter(name) is is_known


def test_a_pruned_network_is_refused(tmp_path: Path) -> None:
    blocks = {f"{UNET}input_blocks.{place}.0.out_layers.3.weight": (64, 64, 3, 3) for place in (1, 2, 4)}
    tensors = network() | CLIP | blocks | {f"{UNET}input_blocks.3.0.op.weight": (64, 64, 3, 3)}
    checkpoint = told(written(tmp_path / "x.safetensors", tensors))

    with pytest.raises(WeightsRejected, match="was pruned"):
        unet_config(checkpoint, Shapes(checkpoint.tensors))

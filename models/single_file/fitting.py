"""Whether a LoRA's layers are in a model's folder, known by the names in the headers of both."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import WeightsRejected
from models.single_file.header import read_header
from models.single_file.lora import NARROW, with_plain_names

NETWORKS = ("unet", "text_encoder", "text_encoder_2")
KOHYAS = {"lora_unet": "unet", "lora_te": "text_encoder", "lora_te1": "text_encoder", "lora_te2": "text_encoder_2"}
KOHYAS_NAME = re.compile(r"(lora_unet|lora_te[12]?)_(.+)")
# How the first SDXL code called its layers: which of ours each one is, only the conversion knows.
OF_THE_FIRST_CODE = re.compile(r"(input_blocks|middle_block|output_blocks|time_embed_\d|label_emb|out_\d)")
OLD_WORDS = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}


def check_fit(file: Path, folders: Sequence[Path]) -> None:
    """At least one of these models has every layer that the LoRA changes; without a model nothing is checked.

    Raises:
        WeightsRejected: none has; the message says how many layers have no place, and names one.
    """
    found = list(dict.fromkeys(_layers_of_lora(file)))
    first: WeightsRejected | None = None
    for folder in folders:
        layers = {network: _layers_of_network(folder / network) for network in NETWORKS}
        strange = [name for name, network, layer in found if not _has(layers, network, layer)]
        if not strange:
            return
        first = first or WeightsRejected(
            f"{file.name} does not fit the model {folder.name}: {len(strange)} of the {len(found)} layers that it "
            f"changes are not there, such as {strange[0]}."
        )
    if first:
        raise first


def _layers_of_lora(file: Path) -> Iterator[tuple[str, str, str]]:
    """(name in the file, network, layer with underscores) of every pair."""
    for name in with_plain_names(file.name, read_header(file).tensors):
        if (narrow := NARROW.search(name)) is None:
            continue
        layer = name[: narrow.start()].rstrip("._")
        if kohyas := KOHYAS_NAME.fullmatch(layer):
            yield layer, KOHYAS[kohyas[1]], kohyas[2].removeprefix("text_model_")
        else:
            network, _, rest = layer.partition(".")
            yield layer, network, _underscored(rest, is_text=network != "unet")


def _underscored(layer: str, *, is_text: bool) -> str:
    """With the words of today for those of diffusers' older forms."""
    stem, _, last = layer.replace(".processor.", ".").rpartition(".")
    last = OLD_WORDS.get(last, last) if is_text else last.replace("to_out", "to_out_0")
    return f"{stem}.{last}".removeprefix("text_model.").strip(".").replace(".", "_")


def _layers_of_network(folder: Path) -> frozenset[str] | None:
    """None where the model has no such network."""
    if not folder.is_dir():
        return None
    names = (name for file in folder.glob("*.safetensors") for name in read_header(file).tensors)
    layers = (name.removesuffix(".weight") for name in names if name.endswith(".weight"))
    return frozenset(layer.removeprefix("text_model.").replace(".", "_") for layer in layers)


def _has(layers: dict[str, frozenset[str] | None], network: str, layer: str) -> bool:
    """True, too, where nothing can be said: the network is in another form than safetensors, or the name is."""
    theirs = layers.get(network)
    if theirs is None:
        return False
    return not theirs or layer in theirs or (network == "unet" and bool(OF_THE_FIRST_CODE.match(layer)))

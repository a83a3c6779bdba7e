"""A recognized checkpoint becomes a diffusers folder; what does not fit is found before any weight
is read."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from diffusers import __version__ as diffusers_version
from safetensors import safe_open

from models.diffusion.originals.components import (
    Component,
    FixedConfiguration,
    Tensors,
    components_of,
    fixed_configuration,
)
from models.diffusion.originals.vocabulary import new_tokenizer
from models.errors import WeightsRejected
from models.single_file import Checkpoint
from models.single_file.dimensions import Config
from models.single_file.naming import is_clutter

ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
# Half precision holds each number of these types; no kernel works in them.
WIDENED = {torch.float8_e4m3fn: torch.float16, torch.float8_e5m2: torch.float16, torch.float64: torch.float32}
# One of these becomes several tensors, or another one.
REMADE = (".in_proj_weight", ".in_proj_bias", ".text_projection")


def plan_components(checkpoint: Checkpoint) -> tuple[Component, ...]:
    """Every network, proven on shapes alone to get each of its weights from the file.

    Raises:
        WeightsRejected: a weight is missing, has another shape, or is one that the network does not know.
    """
    components = components_of(checkpoint)
    for component in components:
        with torch.device("meta"):
            tensors = {name: torch.empty(checkpoint.tensors[name].shape) for name in component.names}
        converted = component.convert(tensors)
        _check_shapes(component, converted)
        if unknown := _unknown(component, tensors, converted):
            raise WeightsRejected(
                f"{component.name} has {len(unknown)} weights that its form does not know, such as {min(unknown)!r}."
            )
    return components


def write_folder(
    source: Path, folder: Path, checkpoint: Checkpoint, components: Iterable[Component]
) -> Iterator[Component]:
    """Write the diffusers folder; yields each network before it is written.

    Raises:
        WeightsRejected: a weight is not a finite number.
        OSError, SafetensorError: reading or writing failed.
    """
    fixed = fixed_configuration(checkpoint.family)
    with safe_open(source, framework="pt") as content:
        for component in components:
            yield component
            tensors = {name: content.get_tensor(checkpoint.file_names[name]) for name in component.names}
            _write_network(component, tensors, folder)
    for name, settings in fixed.tokenizers.items():
        new_tokenizer(settings["pad_token"]).save_pretrained(folder / name)
    _write_json(folder / "scheduler" / "scheduler_config.json", _schedule(checkpoint, fixed))
    _write_json(folder / "model_index.json", _index(checkpoint, components, fixed))


def left_behind(checkpoint: Checkpoint, components: Iterable[Component]) -> tuple[str, ...]:
    """Tensors that belong to no network and are no known clutter either: whoever adds the file
    should hear of them."""
    taken = {name for component in components for name in component.names}
    rest = (name for name in checkpoint.tensors if name not in taken and not is_clutter(name))
    return tuple(sorted(name for name in rest if not name.startswith("cond_stage_model.model.")))


def _check_shapes(component: Component, converted: Tensors) -> None:
    wanted = {name: tuple(weight.shape) for name, weight in component.network.state_dict().items()}
    if missing := wanted.keys() - converted.keys():
        raise WeightsRejected(f"{component.name} lacks {len(missing)} weights, such as {min(missing)}.")
    for name, shape in wanted.items():
        if shape != tuple(converted[name].shape):
            raise WeightsRejected(
                f"{component.name}: {name} has the shape {tuple(converted[name].shape)} instead of {shape}."
            )


def _unknown(component: Component, tensors: Tensors, converted: Tensors) -> set[str]:
    """Names that the conversion dropped, or carried over to a name that the network does not
    have."""
    wanted = component.network.state_dict().keys()
    used = [tensor for name, tensor in converted.items() if name in wanted]
    sources = {id(tensor) for tensor in used} | {id(getattr(tensor, "_base", None)) for tensor in used}
    return {name for name, tensor in tensors.items() if id(tensor) not in sources and not name.endswith(REMADE)}


def _write_network(component: Component, tensors: Tensors, folder: Path) -> None:
    """The weights keep the file's numbers and, where kernels know it, its type."""
    wanted = component.network.state_dict().keys()
    weights = {name: _kept(tensor) for name, tensor in component.convert(tensors).items() if name in wanted}
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise WeightsRejected(f"{component.name}: {name} holds values that are no numbers (NaN or infinite).")
    component.network.load_state_dict(weights, strict=True, assign=True)
    component.network.save_pretrained(folder / component.name, safe_serialization=True)
    component.network.to("meta")


def _kept(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(WIDENED.get(tensor.dtype, tensor.dtype)).contiguous()


def _schedule(checkpoint: Checkpoint, fixed: FixedConfiguration) -> Config:
    zero_snr = ZERO_SNR if checkpoint.has_zero_snr else {}
    return fixed.scheduler | {"prediction_type": checkpoint.prediction.value, **zero_snr}


def _index(checkpoint: Checkpoint, components: Iterable[Component], fixed: FixedConfiguration) -> Config:
    libraries = {"unet": "diffusers", "vae": "diffusers"}
    return {
        "_class_name": fixed.pipelines[checkpoint.is_inpainting],
        "_diffusers_version": diffusers_version,
        "scheduler": ["diffusers", fixed.scheduler["_class_name"]],
        **{name: ["transformers", "CLIPTokenizer"] for name in fixed.tokenizers},
        **{one.name: [libraries.get(one.name, "transformers"), one.kind] for one in components},
        **fixed.index,
    }


def _write_json(file: Path, content: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

"""A placement put into effect on loaded networks, with the hooks of accelerate and diffusers."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from accelerate.utils import send_to_device
from diffusers.hooks import apply_group_offloading

from models.catalogue import ModelCard, Placing
from models.diffusion.device import Device
from models.diffusion.resident.placement import VAE, Placement, plan_placement
from models.diffusion.weights.folders import Weights
from models.single_file.header import read_header

USUAL_CHANNELS = 128  # of the last block of decoders
HOME = torch.device("cpu")


def placement_of(weights: Weights, card: ModelCard, device: Device) -> Placement:
    """Plan from what the files' headers and the autoencoder's configuration say; nothing is loaded.

    Raises:
        WeightsRejected: a file is damaged.
    """
    numbers: Counter[str] = Counter()
    for file in weights.files:
        if file.suffix == ".safetensors":
            numbers[file.parent.name] += sum(prod(tensor.shape) for tensor in read_header(file).tensors.values())
    dtypes = {VAE: device.decode_dtype}
    return plan_placement(
        {name: count * dtypes.get(name, device.dtype).itemsize for name, count in numbers.items()},
        kind=device.torch_device.type,
        room=device.memory_bytes,
        channels=_decoder_channels((card.vae or weights.folder / VAE) / "config.json"),
        wanted=card.placement,
    )


def _decoder_channels(config: Path) -> int:
    if not config.exists():  # some pipelines have no autoencoder
        return USUAL_CHANNELS
    said = json.loads(config.read_bytes())
    channels = said.get("decoder_block_out_channels") or said.get("block_out_channels") or [USUAL_CHANNELS]
    return int(channels[0])


class OneAtATime(ModelHook):  # type: ignore[misc] # accelerate is not typed
    """Before its network computes, the others leave the device.

    accelerate's own hook sends away one other network, the one before it in a line; with several
    pictures in work there is no such line.
    """

    def __init__(self, others: Sequence[torch.nn.Module], device: torch.device) -> None:
        self.execution_device = device
        self._others = others

    def pre_forward(self, module: torch.nn.Module, *args: object, **kwargs: object) -> tuple[object, object]:
        """Inputs follow the network onto the device."""
        for other in self._others:
            other.to(HOME)
        module.to(self.execution_device)
        return send_to_device(args, self.execution_device), send_to_device(kwargs, self.execution_device)


def place(networks: Mapping[str, torch.nn.Module], placement: Placement, device: torch.device) -> None:
    """From now on the networks, which lie in the machine's memory, compute on the device."""
    if placement.placing is Placing.WHOLE:
        for network in networks.values():
            network.to(device)
        return
    taking_turns = [name for name in networks if name != VAE and name not in placement.grouped]
    for name in taking_turns:
        others = [networks[other] for other in taking_turns if other != name]
        add_hook_to_module(networks[name], OneAtATime(others, device))
    for name in placement.grouped:
        apply_group_offloading(networks[name], onload_device=device, offload_device=HOME, offload_type="leaf_level")
    if VAE in networks:
        networks[VAE].to(device)

"""A published upscaler's file as a network."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from models.errors import WeightsRejected
from models.single_file.upscaler import Build, UpscalerForm, inspect_upscaler
from models.upscalers.rrdb import Rrdb
from models.upscalers.srvgg import Srvgg


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A network in float32 on the processor, and the SHA-256 of its file."""

    network: Srvgg | Rrdb
    sha256: str


def read_network(file: Path) -> Read:
    """Raises WeightsRejected: the file cannot be read, is no safetensors file, or holds something
    else."""
    form = inspect_upscaler(file)
    network = new_network(form)
    try:
        weights = load_file(file)
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    except (OSError, SafetensorError) as wrong:
        raise WeightsRejected(f"{file.name} cannot be read: {wrong}") from wrong
    network.load_state_dict({plain: weights[original].float() for plain, original in form.names.items()})
    if not all(bool(torch.isfinite(weight).all()) for weight in network.parameters()):
        raise WeightsRejected(f"{file.name} is broken: it holds numbers that are none.")
    return Read(network=network.eval().requires_grad_(requires_grad=False), sha256=sha256)


def new_network(form: UpscalerForm) -> Srvgg | Rrdb:
    """Of such measures; its weights are nobody's."""
    if form.build is Build.SRVGG:
        return Srvgg(form.features, form.depth, form.scale)
    return Rrdb(form.features, form.growth, form.depth, form.scale)

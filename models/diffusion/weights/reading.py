"""One network from its folder, every weight of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from models.errors import WeightsRejected


@contextmanager
def rejecting(name: str) -> Iterator[None]:
    """Whatever diffusers and transformers raise over files that are not what their configuration
    says.

    Raises:
        WeightsRejected: instead of it.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as wrong:
        raise WeightsRejected(f"{name} could not be loaded: {wrong}") from wrong


def read_network(kind: type, folder: Path, *, dtype: torch.dtype, variant: str | None) -> torch.nn.Module:
    """Load onto the CPU, ready to predict. `variant` is None or the word in the names of the
    weights' files.

    Raises:
        WeightsRejected: a weight is missing; diffusers and transformers would fill the gap with chance.
    """
    dtype_name = "dtype" if issubclass(kind, PreTrainedModel) else "torch_dtype"
    reader: Any = kind
    network, loaded = reader.from_pretrained(
        folder,
        use_safetensors=True,
        local_files_only=True,
        variant=variant,
        output_loading_info=True,
        **{dtype_name: dtype},
    )
    if missing := loaded["missing_keys"]:
        raise WeightsRejected(f"{folder.name} lacks {len(missing)} weights, such as {min(missing)}.")
    ready: torch.nn.Module = network.eval().requires_grad_(requires_grad=False)
    return ready

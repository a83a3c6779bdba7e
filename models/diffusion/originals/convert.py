"""The converting program: `python -m models.diffusion.originals.convert FILE FOLDER [PREDICTION]`,
started by `models.process.conversion`.

Says a line of JSON for each step, and at the end what became of it. The folder is proven: it has
been loaded.
"""

import hashlib
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from models.catalogue import ModelCard
from models.diffusion.device import choose_device
from models.diffusion.loading.pipelines import load_pipeline
from models.diffusion.originals.components import Component
from models.diffusion.originals.conversion import left_behind, plan_components, write_folder
from models.diffusion.weights.folders import inspect
from models.errors import DomainError
from models.process.conversion import Converted, Rejected, Step, Word
from models.single_file import Checkpoint, Prediction, read_header, recognize

Say = Callable[[Word], None]


def main(arguments: list[str]) -> None:
    """Convert and say so."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    transformers_logging.disable_progress_bar()
    file, folder, *prediction = arguments
    try:
        say(convert(Path(file), Path(folder), Prediction(prediction[0]) if prediction else None, say=say))
    except DomainError as refusal:
        say(Rejected(refusal.message))
    except (OSError, SafetensorError) as wrong:
        say(Rejected(f"{Path(file).name} could not be converted: {wrong}"))


def say(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


def convert(file: Path, folder: Path, prediction: Prediction | None, *, say: Say) -> Converted:
    """Fill `folder`, an empty one.

    Raises:
        WeightsRejected: the file does not hold what its kind of model needs.
        OSError, SafetensorError: reading or writing failed.
    """
    checkpoint = recognize(file.name, read_header(file), prediction=prediction)
    components = plan_components(checkpoint)
    size = file.stat().st_size
    say(Step("reading", size))
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    for component in write_folder(file, folder, checkpoint, components):
        say(Step(f"writing {component.name}", _size_bytes(checkpoint, component)))
    say(Step("loading", size))
    size_bytes = prove(folder, checkpoint)
    return Converted(sha256=sha256, size_bytes=size_bytes, left_behind=left_behind(checkpoint, components))


def prove(folder: Path, checkpoint: Checkpoint) -> int:
    """Load the folder as the engine will, on the CPU and in the half precision that costs the least
    memory.

    Returns the size of its files. Raises WeightsRejected.
    """
    weights = inspect(folder)
    card = ModelCard(
        id=folder.name,
        family=checkpoint.family,
        path=folder,
        licence="",
        native_pixels=checkpoint.native.pixels,
    )
    device = replace(choose_device("cpu", threads=torch.get_num_threads()), dtype=torch.float16)
    load_pipeline(weights, card, device=device, model_sha256="")
    return weights.size_bytes


def _size_bytes(checkpoint: Checkpoint, component: Component) -> int:
    return sum(checkpoint.tensors[name].size_bytes for name in component.names)


if __name__ == "__main__":
    main(sys.argv[1:])

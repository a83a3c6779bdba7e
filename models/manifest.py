"""What happened: the facts a finished picture carries, enough to paint it again and to check that
it is the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.spec import GenerationSpec


class Execution(StrEnum):
    """How a painting was driven through the network.

    STEPS: step by step, sharing passes with others. ALONE: step by step, each pass by itself.
    PIPELINE: as a whole by diffusers' own pipeline, because this kind of model has no adapter of
    ours.
    """

    STEPS = "steps"
    ALONE = "alone"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The engine that painted: all that we know to decide pixels beside the spec.

    Equal fingerprints and equal specs give equal pixels, whoever else is painted for, on any
    machine for which nothing beside these members differs: drivers, firmware and libraries of the
    operating system are not among them. `batch_class` is the smallest batch size, counted in
    pictures, whose bits every pass had: 1 means "as if alone", 0 that nothing was proven; then
    nothing is promised, not even by one machine from one run to the next.

    `model_sha256` covers every weight and configuration file of the model, `adapters` holds the
    SHA-256 of each LoRA by its id, and `vae_sha256` covers the autoencoder that the spec put in the
    place of the model's own. `device_name` is the GPU's name, or the CPU's with the instruction set
    that torch uses; `compute_capability`, `multiprocessors`, `cudnn`, `cublas`, `kernels` (which of
    its kernels may run) and `host_cpu` (it draws the noise; on a CPU it is the device) are CUDA's.
    `pinxit` is our version and a hash of the engine's source. `decoding` is "whole" or says the
    tiles that a large picture was decoded in, `placement` is "whole" or says how else the model was
    held. What is empty does not apply, or was not written down by an older version.
    """

    model_sha256: str
    device: str
    device_name: str
    dtype: str
    threads: int
    torch: str
    diffusers: str
    transformers: str
    pinxit: str
    adapters: Mapping[str, str] = field(default_factory=dict[str, str])
    batch_class: int = 1
    execution: Execution = Execution.STEPS
    decoding: str = "whole"
    placement: str = "whole"
    peft: str = ""
    pillow: str = ""
    cudnn: str = ""
    compute_capability: str = ""
    multiprocessors: str = ""
    cublas: str = ""
    kernels: str = ""
    host_cpu: str = ""
    vae_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A spec, the engine that followed it, and what came out.

    `pixel_sha256` is of the RGB bytes, row by row, before any mark is put on. `unknown_words` are
    prompt words the model was never taught (only models that list their words report them).
    `timesteps` is the schedule that was walked, one entry for each pass of the network.
    `upscaler_sha256` is of the weights that enlarged the picture, None where a filter or nothing
    did.
    """

    spec: GenerationSpec
    fingerprint: Fingerprint
    pixel_sha256: str
    unknown_words: tuple[str, ...] = ()
    timesteps: tuple[float, ...] = ()
    upscaler_sha256: str | None = None


def joint_sha256(files: Mapping[str, str]) -> str:
    """One hash for several files: over each one's name and SHA-256, in the order of their names."""
    whole = hashlib.sha256()
    for name, sha256 in sorted(files.items()):
        whole.update(f"{name}\0{sha256}\n".encode())
    return whole.hexdigest()

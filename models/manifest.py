"""What happened: the facts a finished picture carries, enough to paint it again and to check that it is the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.spec import GenerationSpec


class Execution(StrEnum):
    """How a painting was driven through the network.

    STEPS: step by step, sharing passes with others. ALONE: step by step, each pass by itself. PIPELINE: as a whole
    by diffusers' own pipeline, because this kind of model has no adapter of ours.
    """

    STEPS = "steps"
    ALONE = "alone"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The engine that painted. Equal fingerprints and equal specs give equal pixels.

    `model_sha256` covers every weight and configuration file of the model, `adapters` holds the SHA-256 of each LoRA
    by its id; `device_name` is the GPU's name or the CPU's instruction set. `batch_class` is the smallest batch size,
    counted in pictures, whose bits every pass had: 1 means "as if alone". `decoding` is "whole" or says the tiles that a
    large picture was decoded in.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A spec, the engine that followed it, and what came out.

    `pixel_sha256` is of the RGB bytes, row by row, before any mark is put on. `unknown_words` are prompt words the
    model was never taught (only models that list their words report them). `timesteps` is the schedule that was
    walked, one entry for each pass of the network. `upscaler_sha256` is of the weights that enlarged the picture,
    None where a filter did.
    """

    spec: GenerationSpec
    fingerprint: Fingerprint
    pixel_sha256: str
    unknown_words: tuple[str, ...] = ()
    timesteps: tuple[float, ...] = ()
    upscaler_sha256: str | None = None

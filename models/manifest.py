"""What happened: the facts a finished picture carries, enough to paint it again and to check that it is the same."""

from dataclasses import dataclass

from models.spec import GenerationSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The engine that painted. Equal fingerprints and equal specs give equal pixels.

    `model_sha256` covers every weight and configuration file of the model; `device_name` is the GPU's name or the
    CPU's instruction set.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A spec, the engine that followed it, and what came out.

    `pixel_sha256` is of the RGB bytes, row by row, before any mark is put on. `unknown_words` are prompt words the
    model was never taught (only models that list their words report them).
    """

    spec: GenerationSpec
    fingerprint: Fingerprint
    pixel_sha256: str
    unknown_words: tuple[str, ...] = ()

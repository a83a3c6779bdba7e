"""What the engine's parent and child say to each other: one JSON object a line over a private
socket pair.

The parent begins with `Setup`; the child answers `Ready` when its device is chosen and the first
model was tried. After that every `Paint` gets beats and exactly one of `Painted`, `Stopped` or
`Broken`.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from models.catalogue import AdapterCard, ModelCard, UpscalerCard, VaeCard
from models.engine import Painting, Phase
from models.manifest import Fingerprint
from models.spec import GenerationSpec

MAX_LINE_BYTES = 1 << 20


class Compute(StrEnum):
    """What batching may change. EXACT: nothing, each picture has the bits it has alone. FAST: the
    last bits, since passes take whatever size is quickest."""

    EXACT = "exact"
    FAST = "fast"


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One line; its type stands in the member `type`."""


class Setup(Message, frozen=True, kw_only=True):
    """First of all: the models, adapters, autoencoders and upscaler there are, the model to load at
    once, and how to compute.

    `threads` None means all cores. `slots` bounds the paintings at a time. `calibrations` is the
    folder where measured batch sizes are kept. `dtype` is auto or a name of torch's; see `Compute`.
    """

    cards: tuple[ModelCard, ...]
    adapters: tuple[AdapterCard, ...] = ()
    vaes: tuple[VaeCard, ...] = ()
    upscaler: UpscalerCard | None = None
    preload: str
    device: str
    threads: int | None
    slots: int = 1
    calibrations: Path | None = None
    compute: Compute = Compute.EXACT
    dtype: str = "auto"


class Paint(Message, frozen=True, kw_only=True):
    """Paint `spec` into a file in `workspace`; `number` names this painting on the wire."""

    number: int
    spec: GenerationSpec
    workspace: Path
    preview_every: int = 0


class Preview(Message, frozen=True, kw_only=True):
    """From its next step on, that painting shall carry a preview each so many steps, 0 none;
    unknown numbers are ignored."""

    number: int
    every: int


class Cancel(Message, frozen=True, kw_only=True):
    """Stop that painting before its next step; unknown numbers are ignored."""

    number: int


class Ready(Message, frozen=True, kw_only=True):
    """The child takes orders; sent again whenever what is loaded changes.

    `why` says why this device, or why the first model could not be loaded; then `resident` is
    empty. `fingerprints` are those of the resident models.
    """

    device: str
    device_name: str
    why: str
    resident: tuple[str, ...]
    slots: int = 1
    notes: tuple[str, ...] = ()
    fingerprints: Mapping[str, Fingerprint] = {}


class Beat(Message, frozen=True, kw_only=True):
    """A phase begins or a step ended. `number` is None while the child works for nobody (loading
    the first model)."""

    number: int | None
    phase: Phase
    step: int = 0
    steps: int = 0
    eta_ms: int | None = None
    preview: bytes | None = None


class Painted(Message, frozen=True, kw_only=True):
    """It is finished."""

    number: int
    painting: Painting


class Stopped(Message, frozen=True, kw_only=True):
    """The painting was cancelled; nothing is written to its workspace any more."""

    number: int


class Broken(Message, frozen=True, kw_only=True):
    """The painting failed. `kind` is the name of a `Failed`."""

    number: int
    kind: str
    message: str


Order = Setup | Paint | Preview | Cancel
Report = Ready | Beat | Painted | Stopped | Broken


def encode(message: Message) -> bytes:
    """One line, with its end."""
    return msgspec.json.encode(message, enc_hook=_written) + b"\n"


def decode_order(line: bytes) -> Order:
    """Raises msgspec.ValidationError."""
    order: Order = msgspec.json.decode(line, type=Order, dec_hook=_read)
    return order


def decode_report(line: bytes) -> Report:
    """Raises msgspec.ValidationError."""
    report: Report = msgspec.json.decode(line, type=Report, dec_hook=_read)
    return report


def _written(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def _read(kind: type, value: object) -> object:
    return Path(value) if issubclass(kind, Path) and isinstance(value, str) else value

"""The port to whatever paints. One adapter runs diffusion in a child process; tests have a
deterministic fake."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from models.manifest import Fingerprint, Recipe
from models.request import ImageSize
from models.spec import GenerationSpec


class Phase(StrEnum):
    """What the engine is doing for one picture."""

    WAITING = "waiting"
    LOADING = "loading"
    CALIBRATING = "calibrating"
    ENCODING = "encoding"
    DENOISING = "denoising"
    DECODING = "decoding"
    UPSCALING = "upscaling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One sign of life. `step` counts finished steps of `steps`; both are 0 outside DENOISING.

    `eta_ms` is how much longer this picture will take, None as long as nobody can say. `preview` is
    a small JPEG of what the finished picture will look like, at the steps it was asked for.
    """

    phase: Phase
    step: int = 0
    steps: int = 0
    eta_ms: int | None = None
    preview: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """A finished picture: `size.width * size.height * 3` RGB bytes, row by row, in the file
    `pixels`."""

    pixels: Path
    size: ImageSize
    recipe: Recipe
    render_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """For `/readyz` and the log. `why` says in words why this device, or why not ready.

    `slots` is how many pictures it takes in at a time; others wait. `notes` says, a line each, how
    a resident model is held when not plainly whole on the device (offloaded, decoded in tiles, one
    at a time). `fingerprints` says of each resident model under what it paints now, as far as that
    does not depend on the picture (no adapters, batch class 1, decoded whole).
    """

    is_ready: bool
    device: str
    device_name: str
    resident_models: tuple[str, ...]
    why: str
    slots: int = 1
    notes: tuple[str, ...] = ()
    fingerprints: Mapping[str, Fingerprint] = field(default_factory=dict[str, Fingerprint])


PreviewEvery = Callable[[], int]
"""Asked at every sign of life: each how many steps a preview is wanted just now, 0 for none."""


def no_preview() -> int:
    return 0


class Engine(Protocol):
    """Paints specs, many at a time. Cancelling the awaiting task stops that painting between two
    steps and nothing else."""

    async def start(self) -> None:
        """Begin; returns at once, loading goes on in the background."""

    async def paint(
        self,
        spec: GenerationSpec,
        *,
        workspace: Path,
        on_progress: Callable[[Progress], None],
        preview_every: PreviewEvery = no_preview,
    ) -> Painting:
        """Paint one picture into a file in the folder `workspace`, which the caller owns and
        removes.

        The files that `spec.init_image` names lie in `workspace` before the call. While
        `preview_every` answers more than 0, each so many steps the progress carries a preview;
        nobody has to decide that before the painting has begun. Pixels do not depend on it.

        Raises:
            Failed: OutOfMemory, EngineStopped (both retryable), WeightsRejected, PaintingBroken, ModelUnavailable.
        """
        ...

    def state(self) -> EngineState: ...

    async def close(self) -> None:
        """Stop the child at once; paintings in flight fail with EngineStopped."""

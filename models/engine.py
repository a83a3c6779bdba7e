"""The port to whatever paints. One adapter runs diffusion in a child process; tests have a deterministic fake."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from models.manifest import Recipe
from models.request import ImageSize
from models.spec import GenerationSpec


class Phase(StrEnum):
    """What the engine is doing for one picture."""

    WAITING = "waiting"
    LOADING = "loading"
    ENCODING = "encoding"
    DENOISING = "denoising"
    DECODING = "decoding"
    UPSCALING = "upscaling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One sign of life. `step` counts finished steps of `steps`; both are 0 outside DENOISING."""

    phase: Phase
    step: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """A finished picture: `size.width * size.height * 3` RGB bytes, row by row, in the file `pixels`."""

    pixels: Path
    size: ImageSize
    recipe: Recipe
    render_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """For `/readyz` and the log. `why` says in words why this device, or why not ready."""

    is_ready: bool
    device: str
    device_name: str
    resident_models: tuple[str, ...]
    why: str


class Engine(Protocol):
    """Paints specs. Cancelling the awaiting task stops that painting between two steps and nothing else."""

    async def start(self) -> None:
        """Begin; returns at once, loading goes on in the background."""

    async def paint(
        self, spec: GenerationSpec, *, workspace: Path, on_progress: Callable[[Progress], None]
    ) -> Painting:
        """Paint one picture into a file in the folder `workspace`, which the caller owns and removes.

        Raises:
            Failed: OutOfMemory, EngineStopped (both retryable), WeightsRejected, PaintingBroken, ModelUnavailable.
        """
        ...

    def state(self) -> EngineState: ...

    async def close(self) -> None:
        """Stop the child at once; paintings in flight fail with EngineStopped."""

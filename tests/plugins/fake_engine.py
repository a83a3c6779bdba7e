"""An engine for tests: keeps the port's promises, paints a plain gradient, needs neither torch nor a child."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from models import EngineState, EngineStopped, Failed, Fingerprint, GenerationSpec, Painting, Phase, Progress, Recipe

FINGERPRINT = Fingerprint(
    model_sha256="0" * 64,
    device="cpu",
    device_name="fake",
    dtype="float32",
    threads=1,
    torch="0",
    diffusers="0",
    transformers="0",
    pinxit="0.1.0",
)


class FakeEngine:
    """Paints one picture at a time, in the order of asking; the same spec gives the same pixels.

    `hold()` keeps paintings between two steps until `release()`; `fail_next(failure)` makes the next painting that
    begins fail with it. `painted` lists what was finished, `begun` what was started.
    """

    def __init__(self, *, is_ready: bool = True) -> None:
        self.painted: list[GenerationSpec] = []
        self.begun: list[GenerationSpec] = []
        self._failures: list[Failed] = []
        self._gate = asyncio.Event()
        self._gate.set()
        self._ready = asyncio.Event()
        if is_ready:
            self._ready.set()
        self._turn = asyncio.Lock()
        self._inside: set[asyncio.Future[Painting]] = set()
        self._is_closed = False

    def hold(self) -> None:
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def get_ready(self) -> None:
        self._ready.set()

    def fail_next(self, failure: Failed) -> None:
        self._failures.append(failure)

    async def start(self) -> None:
        """Nothing to load."""

    async def paint(
        self, spec: GenerationSpec, *, workspace: Path, on_progress: Callable[[Progress], None]
    ) -> Painting:
        if self._is_closed:
            raise EngineStopped("The engine is closed.")
        work = asyncio.ensure_future(self._paint(spec, workspace, on_progress))
        self._inside.add(work)
        try:
            return await work
        except asyncio.CancelledError:
            if self._is_closed and work.cancelled():
                raise EngineStopped("The engine was closed while it painted.") from None
            work.cancel()
            raise
        finally:
            self._inside.discard(work)

    def state(self) -> EngineState:
        is_ready = self._ready.is_set() and not self._is_closed
        resident = ("fake",) if is_ready else ()
        return EngineState(is_ready=is_ready, device="cpu", device_name="fake", resident_models=resident, why="a fake")

    async def close(self) -> None:
        self._is_closed = True
        for work in self._inside:
            work.cancel()

    async def _paint(self, spec: GenerationSpec, workspace: Path, on_progress: Callable[[Progress], None]) -> Painting:
        on_progress(Progress(phase=Phase.WAITING))
        await self._ready.wait()
        async with self._turn:
            self.begun.append(spec)
            if self._failures:
                raise self._failures.pop(0)
            on_progress(Progress(phase=Phase.ENCODING))
            for step in range(spec.num_inference_steps):
                await asyncio.sleep(0)
                await self._gate.wait()
                on_progress(Progress(phase=Phase.DENOISING, step=step + 1, steps=spec.num_inference_steps))
            on_progress(Progress(phase=Phase.DECODING))
            pixels = _gradient(spec)
            file = workspace / f"{len(self.begun)}.rgb"
            file.write_bytes(pixels)
            self.painted.append(spec)
            recipe = Recipe(spec=spec, fingerprint=FINGERPRINT, pixel_sha256=hashlib.sha256(pixels).hexdigest())
            return Painting(pixels=file, size=spec.size.delivered, recipe=recipe, render_ms=1)


def _gradient(spec: GenerationSpec) -> bytes:
    """From black to a colour that the whole spec decides, row by row."""
    colour = hashlib.sha256(msgspec.json.encode(spec)).digest()[:3]
    size = spec.size.delivered
    rows = [bytes(channel * (row + 1) // size.height for channel in colour) for row in range(size.height)]
    return b"".join(row * size.width for row in rows)

"""An engine for tests: keeps the port's promises, paints a plain gradient, needs neither torch nor a child."""

import asyncio
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec
from PIL import Image

from models import (
    EngineState,
    EngineStopped,
    Failed,
    Fingerprint,
    GenerationSpec,
    Painting,
    PaintingBroken,
    Phase,
    Progress,
    Recipe,
)
from models.engine import PreviewEvery, no_preview

ROOT = Path(__file__).parents[2]
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
    pillow="13.0.0",
)


@cache
def upscaler_sha256() -> str:
    """Of the upscaler in the box, which a fake that enlarges says it used."""
    return hashlib.sha256((ROOT / "models" / "starter" / "upscaler.safetensors").read_bytes()).hexdigest()


@cache
def refiner_sha256() -> str:
    """Of the refiner in the box, which a fake that refines says it used."""
    return hashlib.sha256((ROOT / "models" / "starter" / "refiner.safetensors").read_bytes()).hexdigest()


class FakeEngine:
    """Paints `slots` pictures at a time, in the order of asking; the same spec gives the same pixels.

    `hold()` keeps paintings between two steps until `release()`; `fail_next(failure)` makes the next painting that
    begins fail with it; `become(fingerprint)` paints on as another version of the engine, and with `tint` in slightly
    other colours. It paints every spec, and says that it holds `model`. `painted` lists what was finished, `begun` what
    was started, `found` the names of the files that each began from; one that is not there, or is another one, fails it.
    """

    def __init__(self, *, is_ready: bool = True, slots: int = 1, model: str = "starter") -> None:
        self.painted: list[GenerationSpec] = []
        self.begun: list[GenerationSpec] = []
        self.found: list[set[str]] = []
        self._failures: list[Failed] = []
        self._fingerprint = FINGERPRINT
        self._tint = 0
        self._gate = asyncio.Event()
        self._gate.set()
        self._ready = asyncio.Event()
        if is_ready:
            self._ready.set()
        self._slots = slots
        self._model = model
        self._free = asyncio.Semaphore(slots)
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

    def become(self, fingerprint: Fingerprint, *, tint: int = 0) -> None:
        self._fingerprint, self._tint = fingerprint, tint

    async def start(self) -> None:
        """Nothing to load."""

    async def paint(
        self,
        spec: GenerationSpec,
        *,
        workspace: Path,
        on_progress: Callable[[Progress], None],
        preview_every: PreviewEvery = no_preview,
    ) -> Painting:
        if self._is_closed:
            raise EngineStopped("The engine is closed.")
        work = asyncio.ensure_future(self._paint(spec, workspace, on_progress, preview_every))
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
        fingerprints = {self._model: self._fingerprint} if is_ready else {}
        return EngineState(
            is_ready=is_ready,
            device="cpu",
            device_name="fake",
            resident_models=tuple(fingerprints),
            why="a fake",
            slots=self._slots,
            fingerprints=fingerprints,
        )

    async def close(self) -> None:
        self._is_closed = True
        for work in self._inside:
            work.cancel()

    async def _paint(
        self,
        spec: GenerationSpec,
        workspace: Path,
        on_progress: Callable[[Progress], None],
        preview_every: PreviewEvery,
    ) -> Painting:
        on_progress(Progress(phase=Phase.WAITING))
        await self._ready.wait()
        async with self._free:
            self.begun.append(spec)
            self.found.append(_found_in(workspace))
            _check_beginning(spec, self.found[-1])
            file = workspace / f"{len(self.begun)}.rgb"
            if self._failures:
                raise self._failures.pop(0)
            on_progress(Progress(phase=Phase.ENCODING))
            for step in range(1, spec.num_inference_steps + 1):
                await asyncio.sleep(0)
                await self._gate.wait()
                on_progress(self._after_step(step, spec, preview_every()))
            on_progress(Progress(phase=Phase.DECODING))
            pixels = _gradient(_chosen(spec), self._tint)
            file.write_bytes(pixels)
            self.painted.append(spec)
            pixel_sha256 = hashlib.sha256(pixels).hexdigest()
            recipe = Recipe(
                spec=_chosen(spec),
                fingerprint=_with_refiner(self._fingerprint, spec),
                pixel_sha256=pixel_sha256,
                upscaler_sha256=upscaler_sha256() if spec.size.wants_network else None,
            )
            return Painting(pixels=file, size=spec.size.delivered, recipe=recipe, render_ms=1)

    def _after_step(self, step: int, spec: GenerationSpec, preview_every: int) -> Progress:
        """A millisecond a step, and the picture in small where a preview was asked for."""
        steps = spec.num_inference_steps
        preview = _jpeg(_gradient(spec, self._tint), spec) if preview_every and step % preview_every == 0 else None
        return Progress(phase=Phase.DENOISING, step=step, steps=steps, eta_ms=steps - step, preview=preview)


def _with_refiner(fingerprint: Fingerprint, spec: GenerationSpec) -> Fingerprint:
    if spec.refining is None:
        return fingerprint
    return replace(fingerprint, adapters={adapter.id: refiner_sha256() for adapter in spec.refining.adapters})


def _chosen(spec: GenerationSpec) -> GenerationSpec:
    """Of several candidates the last, named as the real engine names the one it took."""
    return replace(spec, candidate=spec.candidate + spec.candidates - 1, candidates=1)


def _found_in(workspace: Path) -> set[str]:
    """Names that tell the truth about what lies under them."""
    contents = {file.name: file.read_bytes() for file in workspace.iterdir()}
    return {name for name, content in contents.items() if hashlib.sha256(content).hexdigest() == name}


def _check_beginning(spec: GenerationSpec, found: set[str]) -> None:
    init = spec.init_image
    if init is not None and not {init.sha256, init.mask_sha256 or init.sha256} <= found:
        raise PaintingBroken("The picture to start from is not there.")


def _jpeg(pixels: bytes, spec: GenerationSpec) -> bytes:
    size, jpeg = spec.size.delivered, io.BytesIO()
    Image.frombytes("RGB", (size.width, size.height), pixels).resize((8, 8)).save(jpeg, format="JPEG")
    return jpeg.getvalue()


def _gradient(spec: GenerationSpec, tint: int) -> bytes:
    """From black to a colour that the whole spec and the tint decide, row by row."""
    colour = hashlib.sha256(msgspec.json.encode(spec) + bytes(tint)).digest()[:3]
    size = spec.size.delivered
    rows = [bytes(channel * (row + 1) // size.height for channel in colour) for row in range(size.height)]
    return b"".join(row * size.width for row in rows)

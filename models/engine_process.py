"""The engine in a child process: hands it one painting at a time, restarts it when it dies or hangs.

start -> spawn -> Setup -> Ready; paint -> queue -> Paint -> beats -> Painted. This side never imports torch. When
the child dies or is silent for too long, the painting in it fails with EngineStopped (which may be tried again);
those still waiting go to the next child.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from models import child_protocol as wire
from models.catalogue import Catalogue
from models.child_process import Child, EngineLimits
from models.engine import EngineState, Painting, Phase, Progress
from models.errors import EngineStopped, Failed, ModelUnavailable, OutOfMemory, PaintingBroken, WeightsRejected
from models.spec import GenerationSpec

REPORTED = {kind.__name__: kind for kind in (OutOfMemory, PaintingBroken, WeightsRejected, ModelUnavailable)}
DEFAULT_LIMITS = EngineLimits()

log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class _Order:
    """One call of `paint`; `done` ends with a painting or a Failed."""

    number: int
    spec: GenerationSpec
    workspace: Path
    on_progress: Callable[[Progress], None]
    done: asyncio.Future[Painting]
    latest: Progress = field(default_factory=lambda: Progress(phase=Phase.WAITING))

    def note(self, progress: Progress) -> None:
        """Tell the caller, who may not disturb us by raising."""
        self.latest = progress
        if not self.done.done():
            self.done.get_loop().call_soon(self.on_progress, progress)

    def finish(self, painting: Painting) -> None:
        if not self.done.done():
            self.done.set_result(painting)

    def fail(self, failure: Failed) -> None:
        if not self.done.done():
            self.done.set_exception(failure)


class EngineProcess:
    """Implements `models.Engine` over `python -m <entry>`.

    `environment` is the child's whole environment (`gateway.settings.child_environment()`); the switches that keep
    foreign code and the network out are added to it. `device` is auto, cpu or cuda; `threads` None means all cores.
    `catalogue.default` is loaded at the start.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        environment: Mapping[str, str],
        device: str = "auto",
        threads: int | None = None,
        limits: EngineLimits = DEFAULT_LIMITS,
        entry: str = "models.diffusion.child",
    ) -> None:
        self._setup = wire.Setup(cards=catalogue.cards(), preload=catalogue.default.id, device=device, threads=threads)
        self._environment = environment
        self._limits = limits
        self._entry = entry
        self._numbers = itertools.count(1)
        self._waiting: deque[_Order] = deque()
        self._painting: _Order | None = None
        self._child: Child | None = None
        self._living: tuple[asyncio.Task[None], ...] = ()
        self._is_closed = False
        self._state = EngineState(
            is_ready=False, device="", device_name="", resident_models=(), why="The engine is starting."
        )

    async def start(self) -> None:
        """Begin; returns at once, the child loads in the background."""
        self._living = (
            asyncio.create_task(self._keep_alive(), name="engine"),
            asyncio.create_task(self._keep_callers_posted(), name="engine beats"),
        )

    async def paint(
        self, spec: GenerationSpec, *, workspace: Path, on_progress: Callable[[Progress], None]
    ) -> Painting:
        """See `models.Engine`. While others are before it, it beats in phase WAITING."""
        if self._is_closed:
            raise EngineStopped("The engine is closed.")
        order = _Order(
            number=next(self._numbers),
            spec=spec,
            workspace=workspace,
            on_progress=on_progress,
            done=asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(order)
        order.note(order.latest)
        self._hand_over()
        try:
            return await asyncio.shield(order.done)
        except asyncio.CancelledError:
            await self._withdraw(order)
            raise

    def state(self) -> EngineState:
        return self._state

    async def close(self) -> None:
        """Kill the child; paintings asked for and not finished fail with EngineStopped."""
        self._is_closed = True
        for living in self._living:
            living.cancel()
        await asyncio.gather(*self._living, return_exceptions=True)
        self._is_down("The engine is closed.")
        self._fail_waiting(EngineStopped("The engine was closed before it began this picture."))

    async def _withdraw(self, order: _Order) -> None:
        """The caller has left: forget a waiting order, stop a running one and give it time to let go."""
        if order in self._waiting:
            self._waiting.remove(order)
        elif order is self._painting and self._child is not None:
            self._child.send(wire.Cancel(number=order.number))
            await asyncio.wait([order.done], timeout=self._limits.cancel_s)
        order.done.cancel()

    async def _keep_alive(self) -> None:
        """Keep one child running until cancelled; wait longer after each that never became ready."""
        failed_starts = 0
        while True:
            failed_starts = 0 if await self._live() else failed_starts + 1
            if failed_starts >= self._limits.max_failed_starts:
                self._fail_waiting(EngineStopped(f"The engine does not start. {self._state.why}"))
            backoff_s = self._limits.first_backoff_s * 2 ** min(failed_starts, 16)
            await asyncio.sleep(min(backoff_s, self._limits.longest_backoff_s))

    async def _live(self) -> bool:
        """One child from spawn to death; True if it became ready."""
        try:
            child = await Child.spawn(self._entry, environment=self._environment, limits=self._limits)
        except OSError as wrong:
            self._is_down(f"The engine's process could not be started: {wrong}.")
            return False
        try:
            child.send(self._setup)
            while report := await child.next_report():
                self._take(report, child)
        finally:
            was_ready, self._child = self._child is not None, None
            await child.kill()
        log.warning("engine stopped", reason=child.end)
        self._is_down(child.end)
        return was_ready

    def _take(self, report: wire.Report, child: Child) -> None:
        match report:
            case wire.Ready():
                self._is_up(report, child)
            case wire.Beat():
                child.expect(report.phase)
                if self._painting is not None and report.number == self._painting.number:
                    self._painting.note(Progress(phase=report.phase, step=report.step, steps=report.steps))
            case _:
                self._finish(report, child)

    def _is_up(self, ready: wire.Ready, child: Child) -> None:
        """The child takes orders; whether anything is loaded decides whether we call ourselves ready."""
        self._state = EngineState(
            is_ready=bool(ready.resident),
            device=ready.device,
            device_name=ready.device_name,
            resident_models=ready.resident,
            why=ready.why,
        )
        if self._child is None:
            log.info("engine takes orders", device=ready.device, name=ready.device_name, why=ready.why)
            self._child = child
            child.expect(None)
            self._hand_over()

    def _is_down(self, why: str) -> None:
        self._state = replace(self._state, is_ready=False, resident_models=(), why=why)
        if self._painting is not None:
            self._painting.fail(EngineStopped(f"The engine stopped while it painted this picture. {why}"))
            self._painting = None

    def _finish(self, report: wire.Painted | wire.Stopped | wire.Broken, child: Child) -> None:
        order, self._painting = self._painting, None
        child.expect(None)
        if order is not None and order.number == report.number:
            match report:
                case wire.Painted():
                    order.finish(report.painting)
                case wire.Stopped():
                    order.fail(EngineStopped("The painting was stopped."))
                case wire.Broken():
                    order.fail(REPORTED.get(report.kind, PaintingBroken)(report.message))
        self._hand_over()

    def _hand_over(self) -> None:
        """Give the child the oldest waiting order, if it is free."""
        if self._child is None or self._painting is not None or not self._waiting:
            return
        self._painting = order = self._waiting.popleft()
        self._child.send(wire.Paint(number=order.number, spec=order.spec, workspace=order.workspace))
        self._child.expect(Phase.ENCODING)

    def _fail_waiting(self, failure: Failed) -> None:
        while self._waiting:
            self._waiting.popleft().fail(failure)

    async def _keep_callers_posted(self) -> None:
        """Repeat where each painting stands: a slow phase within its deadline is no hang, nor is waiting."""
        while True:
            await asyncio.sleep(self._limits.beat_s)
            for order in (*self._waiting, *([self._painting] if self._painting else [])):
                order.note(order.latest)

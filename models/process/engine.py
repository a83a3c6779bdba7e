"""The engine in a child process: hands it paintings as far as its slots go, restarts it when it
dies or hangs.

start -> spawn -> Setup -> Ready; paint -> wait -> Paint -> beats -> Painted. This side never
imports torch. When the child dies or is silent for too long, the one painting in it fails with
EngineStopped (which may be tried again); of several only the one that also kills it alone (see
`Commissions`). Those still waiting go to the next child.
"""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

import structlog

from models.catalogue import Catalogue
from models.engine import EngineState, Painting, Phase, PreviewEvery, Progress, no_preview
from models.errors import EngineStopped, MachineShort, ModelUnavailable, OutOfMemory, PaintingBroken, WeightsRejected
from models.process import protocol as wire
from models.process.child import Child, EngineLimits
from models.process.commissions import Commission, Commissions
from models.spec import GenerationSpec

REPORTED = {
    kind.__name__: kind for kind in (OutOfMemory, MachineShort, PaintingBroken, WeightsRejected, ModelUnavailable)
}
DEFAULT_LIMITS = EngineLimits()

log = structlog.get_logger()


class Computing(TypedDict, total=False):
    """How the child computes; see `child_protocol.Setup`, whose defaults count. `device` is auto
    unless it is given, `threads` None."""

    device: str
    threads: int | None
    slots: int
    calibrations: Path | None
    compute: wire.Compute
    dtype: str


class EngineProcess:
    """Implements `models.Engine` over `python -m <entry>`.

    `environment` is the child's whole environment (`gateway.settings.child_environment()`); the
    switches that keep foreign code and the network out are added to it. `device` is auto, cpu or
    cuda; `threads` None means all cores; `slots` bounds the paintings inside the child.
    `catalogue.default` is loaded at the start.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        environment: Mapping[str, str],
        limits: EngineLimits = DEFAULT_LIMITS,
        entry: str = "models.diffusion.child",
        **computing: Unpack[Computing],
    ) -> None:
        given: Computing = {"device": "auto", "threads": None, **computing}
        self._setup = wire.Setup(
            cards=catalogue.cards(),
            adapters=catalogue.adapters(),
            vaes=catalogue.vaes(),
            upscaler=catalogue.upscaler,
            preload=catalogue.default.id,
            **given,
        )
        self._environment = environment
        self._limits = limits
        self._entry = entry
        self._numbers = itertools.count(1)
        self._commissions = Commissions()
        self._child: Child | None = None
        self._doing = Phase.ENCODING  # what the child may still be at when it is handed a painting
        self._living: tuple[asyncio.Task[None], ...] = ()
        self._is_closed = False
        self._state = EngineState(
            is_ready=False,
            device="",
            device_name="",
            resident_models=(),
            why="The engine is starting.",
            slots=self._setup.slots,
        )

    async def start(self) -> None:
        """Begin; returns at once, the child loads in the background."""
        self._living = (
            asyncio.create_task(self._keep_alive(), name="engine"),
            asyncio.create_task(self._keep_callers_posted(), name="engine beats"),
        )

    async def paint(
        self,
        spec: GenerationSpec,
        *,
        workspace: Path,
        on_progress: Callable[[Progress], None],
        preview_every: PreviewEvery = no_preview,
    ) -> Painting:
        """See `models.Engine`. While no slot is free for it, it beats in phase WAITING."""
        if self._is_closed:
            raise EngineStopped("The engine is closed.")
        number = next(self._numbers)
        order = wire.Paint(number=number, spec=spec, workspace=workspace, preview_every=preview_every())
        commission = Commission(order=order, on_progress=on_progress, preview_every=preview_every)
        self._commissions.add(commission)
        self._hand_over()
        try:
            return await asyncio.shield(commission.done)
        except asyncio.CancelledError:
            await self._withdraw(commission)
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
        self._commissions.fail_waiting(EngineStopped("The engine was closed before it had painted this picture."))

    async def _withdraw(self, commission: Commission) -> None:
        """The caller has left: forget a waiting commission, stop a running one and give it time to
        end."""
        if self._commissions.withdraw(commission) and self._child is not None:
            self._child.send(wire.Cancel(number=commission.order.number))
            await asyncio.wait([commission.done], timeout=self._limits.cancel_s)
        commission.done.cancel()

    async def _keep_alive(self) -> None:
        """Keep one child running until cancelled; wait longer after each that never became
        ready."""
        failed_starts = 0
        while True:
            failed_starts = 0 if await self._live() else failed_starts + 1
            if failed_starts >= self._limits.max_failed_starts:
                self._commissions.fail_waiting(EngineStopped(f"The engine does not start. {self._state.why}"))
            backoff_s = self._limits.first_backoff_s * 2 ** min(failed_starts, 16)
            await asyncio.sleep(min(backoff_s, self._limits.longest_backoff_s))

    async def _live(self) -> bool:
        """One child from spawn to death; True if it became ready."""
        try:
            child = await Child.spawn(self._entry, environment=self._environment, limits=self._limits)
        except OSError as wrong:
            self._is_down(f"The engine's process could not be started: {wrong.strerror}.")
            return False
        try:
            child.send(self._setup)
            while report := await child.next_report():
                self._take(report, child)
        finally:
            was_ready, self._child = self._child is not None, None
            await child.kill()
        inside = [commission.order.number for commission in self._commissions.inside()]
        log.warning("engine stopped", reason=child.end, inside=inside)
        self._is_down(child.end)
        return was_ready

    def _take(self, report: wire.Report, child: Child) -> None:
        match report:
            case wire.Ready():
                self._is_up(report, child)
            case wire.Beat():
                self._hear(report, child)
            case _:
                self._finish(report, child)

    def _is_up(self, ready: wire.Ready, child: Child) -> None:
        """The child takes orders; whether anything is loaded decides whether we call ourselves
        ready."""
        self._state = EngineState(
            is_ready=bool(ready.resident),
            device=ready.device,
            device_name=ready.device_name,
            resident_models=ready.resident,
            why=ready.why,
            slots=ready.slots,
            notes=ready.notes,
            fingerprints=ready.fingerprints,
        )
        if self._child is None:
            log.info("engine takes orders", device=ready.device, name=ready.device_name, why=ready.why)
            self._child = child
            self._rest(child)
            self._hand_over()

    def _is_down(self, why: str) -> None:
        self._state = replace(self._state, is_ready=False, resident_models=(), notes=(), fingerprints={}, why=why)
        if guilty := self._commissions.blame():
            guilty.fail(EngineStopped(f"The engine stopped while it painted this picture. {why}"))

    def _hear(self, beat: wire.Beat, child: Child) -> None:
        """The child does one thing at a time, so the latest beat's phase is its own, whomever it is
        for."""
        self._doing = beat.phase
        if self._child is None or self._commissions.inside():
            child.expect(beat.phase)
        if beat.number is not None and (commission := self._commissions.find_inside(beat.number)):
            if (preview := commission.new_wish()) is not None:
                child.send(preview)
            commission.note(
                Progress(phase=beat.phase, step=beat.step, steps=beat.steps, eta_ms=beat.eta_ms, preview=beat.preview)
            )

    def _finish(self, report: wire.Painted | wire.Stopped | wire.Broken, child: Child) -> None:
        commission = self._commissions.leave(report.number)
        if commission is None:
            return
        match report:
            case wire.Painted():
                commission.finish(report.painting)
            case wire.Stopped():
                commission.fail(EngineStopped("The painting was stopped."))
            case wire.Broken():
                commission.fail(REPORTED.get(report.kind, PaintingBroken)(report.message))
        if not self._commissions.inside():
            self._rest(child)
        self._hand_over()

    def _rest(self, child: Child) -> None:
        """The child has nothing to do: it may be silent."""
        self._doing = Phase.ENCODING
        child.expect(None)

    def _hand_over(self) -> None:
        """Give the child who waits, the oldest first, as long as it has room."""
        while self._child is not None and (commission := self._commissions.next_in(self._state.slots)):
            self._child.send(commission.order)
            if len(self._commissions.inside()) == 1:
                self._child.expect(self._doing)

    async def _keep_callers_posted(self) -> None:
        """Repeat where each painting stands: a slow phase within its deadline is no hang, nor is
        waiting."""
        while True:
            await asyncio.sleep(self._limits.beat_s)
            self._commissions.repeat_progress()

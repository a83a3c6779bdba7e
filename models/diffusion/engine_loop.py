"""One device with the models loaded on it and the paintings in work, advanced together tick by
tick.

A tick: drop who was cancelled -> a piece of work of everybody who does not wait for the network ->
plan -> one pass of the network for the chosen ones. A painting's failure stays its own.
"""

import gc
import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from models.batching import Active, StepPlan, plan_step
from models.catalogue import UpscalerCard
from models.diffusion.device import Device, choose_device
from models.diffusion.failing import as_failure, is_out_of_memory
from models.diffusion.loading.residency import Residency
from models.diffusion.pacing import Pace
from models.diffusion.painting.generation import Work, generate
from models.diffusion.painting.run import EngineContext, Yielded
from models.diffusion.pixels.upscaling import UpscalerStand
from models.diffusion.recovering import recover
from models.diffusion.sharing.attempts import Outcome, attempted
from models.diffusion.sharing.calibrations import LONE, Calibrations
from models.diffusion.steps.passes import PassWanted, run_pass
from models.engine import Phase
from models.errors import Failed
from models.process import protocol as wire
from models.turns import Turns

log = logging.getLogger(__name__)

# Whatever the slots: with more of them pictures are the same, and what was measured stays.
LARGEST_BATCH = {"cpu": 8, "cuda": 32}
DONE = object()

Send = Callable[[wire.Report], None]


@dataclass(kw_only=True, eq=False)
class Running:
    """One painting in work. `beat` is said before its next piece of work; `wanted` is where it
    stands before the network, for `waited` passes by now. `is_new`: it has not had a pass yet.
    `had_no_room`: the last one failed for want of memory; then it is `deferred` until somebody else
    ends, and tried once more."""

    number: int
    work: Work
    beat: wire.Beat | None = None
    wanted: PassWanted | None = None
    waited: int = 0
    is_new: bool = True
    had_no_room: bool = False
    is_deferred: bool = False


class EngineLoop:
    """Owns the device. `send` is how the parent hears of everything."""

    def __init__(
        self,
        device: Device,
        residency: Residency,
        calibrations: Calibrations,
        *,
        slots: int,
        upscaler: UpscalerCard | None = None,
    ) -> None:
        self._device = device
        self._residency = residency
        self._calibrations = calibrations
        self._slots = slots
        self._pace = Pace.of(device.torch_device)
        self._context = EngineContext(
            residency=residency,
            device=device,
            batch_class=calibrations.batch_class,
            upscaler=UpscalerStand(upscaler, device),
        )
        self._running: list[Running] = []
        self._turns: Turns[Hashable] = Turns()
        self._measuring: tuple[PassWanted, Generator[None, None, None]] | None = None

    @classmethod
    def open(cls, setup: wire.Setup) -> Self:
        """Choose the device; nothing is loaded yet.

        Raises:
            ModelUnavailable: the device asked for is not there.
        """
        for library in (diffusers_logging, transformers_logging):
            library.set_verbosity_error()
            library.disable_progress_bar()
        device = choose_device(setup.device, threads=setup.threads, dtype=setup.dtype)
        kind = device.torch_device.type
        residency = Residency(
            {card.id: card for card in setup.cards},
            device,
            {adapter.id: adapter for adapter in setup.adapters},
            {vae.id: vae for vae in setup.vaes},
        )
        calibrations = Calibrations(
            setup.calibrations,
            largest=LARGEST_BATCH[kind],
            holds_one=kind == "cpu",
            compute=setup.compute,
        )
        return cls(device, residency, calibrations, slots=setup.slots, upscaler=setup.upscaler)

    @property
    def is_idle(self) -> bool:
        return not self._running and self._measuring is None

    def load(self, model: str) -> None:
        """Raises ModelUnavailable, WeightsRejected."""
        with self._residency.using(model):
            for _ in self._residency.pipeline(model):
                continue

    def status(self, *, fault: str | None = None) -> wire.Ready:
        """What the parent should know of us. `fault` is said as long as no model is loaded."""
        resident = self._residency.models()
        return wire.Ready(
            device=self._device.torch_device.type,
            device_name=self._device.name,
            why=self._device.why if resident or fault is None else fault,
            resident=resident,
            slots=self._slots,
            notes=self._residency.notes(),
            fingerprints=self._residency.fingerprints(),
        )

    def add(self, order: wire.Paint) -> None:
        """Begin at the next tick."""
        self._running.append(Running(number=order.number, work=generate(order, self._context)))

    def preview(self, order: wire.Preview) -> None:
        """From the painting's next step on; it may have ended meanwhile."""
        if any(one.number == order.number for one in self._running):
            self._context.preview_every[order.number] = order.every

    def tick(self, send: Send, is_canceled: Callable[[int], bool]) -> None:
        """Bring everybody forward by a step."""
        for one in [one for one in self._running if is_canceled(one.number)]:
            one.work.close()
            self._end(one, wire.Stopped(number=one.number), send)
        for one in [one for one in self._running if one.wanted is None]:
            self._work_alone(one, send)
        self._measure_on(send)
        if (plan := self._plan()) is not None:
            self._step(plan, send)

    def _work_alone(self, one: Running, send: Send) -> None:
        """A piece of work; and reading the texts along with what came before it, so that a newcomer
        is in this tick's pass."""
        self._advance(one, partial(next, one.work), send)
        if one.beat is not None and one.beat.phase is Phase.ENCODING:
            self._advance(one, partial(next, one.work), send)

    def _advance(self, one: Running, resume: Callable[[], Yielded], send: Send) -> None:
        """A piece of work. The edge around one painting: whatever goes wrong in it ends it and
        nobody else."""
        if one.beat is not None:
            send(one.beat)
        one.beat = one.wanted = None
        one.waited = 0
        try:
            yielded = resume()
        except StopIteration as finished:
            self._end(one, wire.Painted(number=one.number, painting=finished.value), send)
        except Exception as wrong:  # noqa: BLE001
            recover(wrong)
            self._end(one, broken(one.number, as_failure(wrong)), send)
        else:
            one.wanted = yielded if isinstance(yielded, PassWanted) else None
            one.beat = yielded if isinstance(yielded, wire.Beat) else None

    def _end(self, one: Running, report: wire.Report, send: Send) -> None:
        self._running.remove(one)
        for other in self._running:
            other.is_deferred = False
        self._context.preview_every.pop(one.number, None)
        send(report)

    def _plan(self) -> StepPlan[Hashable] | None:
        """Who takes the next pass."""
        waiting = [(one, one.wanted) for one in self._running if one.wanted is not None and not one.is_deferred]
        one_of = {wanted.group: wanted for _, wanted in waiting}
        sizes = {group: self._calibrations.sizes(wanted) for group, wanted in one_of.items()}
        usable = {group: size for group, size in sizes.items() if size is not None}
        active = [
            Active(
                number=one.number,
                group=wanted.group,
                cost=wanted.cost,
                waited=one.waited,
                is_new=one.is_new,
            )
            for one, wanted in waiting
            if wanted.group in usable
        ]
        plan, self._turns = plan_step(active, usable, self._turns)
        return plan

    def _step(self, plan: StepPlan[Hashable], send: Send) -> None:
        """One pass for the chosen ones; everybody else has waited one more."""
        going = [(one, one.wanted) for one in self._running if one.number in plan.numbers and one.wanted is not None]
        for one in self._running:
            one.waited += one.wanted is not None
        for one, wanted in going:
            one.is_new = False
            send(wanted.beat)
        known = self._calibrations.of(going[0][1]) or LONE
        outcomes = attempted(
            [wanted for _, wanted in going],
            plan.size,
            known.sizes,
            partial(self._run_pass, steadied=known.steadied),
        )
        self._pace.keep()
        for (one, _), outcome in zip(going, outcomes, strict=True):
            if not self._is_tried_again(one, outcome):
                self._advance(one, partial(_resume, one.work, outcome), send)

    def _run_pass(
        self, wanted: Sequence[PassWanted], size: int, *, steadied: tuple[str, ...]
    ) -> Sequence[torch.Tensor]:
        began = time.perf_counter()
        predictions = run_pass(wanted, size, steadied=steadied)
        if self._pace.is_immediate:
            self._calibrations.note(wanted[0], size, (time.perf_counter() - began) * 1000)
        return predictions

    def _is_tried_again(self, one: Running, outcome: Outcome) -> bool:
        """Whom a full memory hits waits until somebody else ends, whose memory comes free; alone,
        it just tries again. A second time in a row is the end."""
        had_no_room = isinstance(outcome, Exception) and is_out_of_memory(outcome)
        is_first_time, one.had_no_room = had_no_room and not one.had_no_room, had_no_room
        if is_first_time:
            gc.collect()
            one.is_deferred = any(not other.is_deferred for other in self._running if other is not one)
        return is_first_time

    def _measure_on(self, send: Send) -> None:
        """Find out the batch sizes of a group once that may help somebody; a pass or two a tick."""
        if self._measuring is None and (wanted := self._unmeasured()) is not None:
            self._measuring = wanted, self._measured(wanted)
        if self._measuring is None:
            return
        wanted, measuring = self._measuring
        send(wire.Beat(number=None, phase=Phase.CALIBRATING))
        try:
            if next(measuring, DONE) is DONE:
                self._measuring = None
        except Exception as wrong:  # a network that fails here fails for its own picture, later
            recover(wrong)
            log.warning("the batch sizes of %s cannot be measured", wanted.model, exc_info=wrong)
            self._calibrations.forgo(wanted)
            self._measuring = None

    def _measured(self, wanted: PassWanted) -> Generator[None, None, None]:
        """Goes on when those it was begun for have ended; model and adapters stay until it is
        done."""
        with self._residency.using(wanted.model), wanted.pipeline.adapters.using(wanted.adapters):
            yield from self._calibrations.measure(wanted)

    def _unmeasured(self) -> PassWanted | None:
        """One of a group that nothing is known of, and in which somebody must wait for that or is
        not alone."""
        wanted = [one.wanted for one in self._running if one.wanted is not None]
        neighbours = Counter(one.group for one in wanted)
        unknown = (one for one in wanted if self._calibrations.of(one) is None)
        return next(
            (one for one in unknown if neighbours[one.group] > 1 or self._calibrations.sizes(one) is None), None
        )


def _resume(work: Work, outcome: Outcome) -> Yielded:
    return work.throw(outcome) if isinstance(outcome, Exception) else work.send(outcome)


def broken(number: int, failure: Failed) -> wire.Broken:
    return wire.Broken(number=number, kind=type(failure).__name__, message=failure.message)

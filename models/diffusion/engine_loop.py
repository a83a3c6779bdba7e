"""One device with the models loaded on it and the paintings in work, advanced together tick by tick.

A tick: drop who was cancelled -> one stroke of everybody who does not wait for the network -> plan -> one pass of the
network for the chosen ones. A painting's failure stays its own.
"""

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
from models.diffusion.failing import as_failure
from models.diffusion.loading.residency import Residency
from models.diffusion.pacing import Pace
from models.diffusion.painting.generation import Work, generate
from models.diffusion.painting.run import EngineContext, Yielded
from models.diffusion.pixels.upscaling import UpscalerStand
from models.diffusion.recovering import recover
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
class Sitting:
    """One painting in work. `beat` is said before its next stroke; `wanted` is where it stands before the network, for
    `waited` passes by now. `is_new`: it has not had a pass yet."""

    number: int
    work: Work
    beat: wire.Beat | None = None
    wanted: PassWanted | None = None
    waited: int = 0
    is_new: bool = True


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
        self._sittings: list[Sitting] = []
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
        return not self._sittings and self._measuring is None

    def load(self, model: str) -> None:
        """Raises ModelUnavailable, WeightsRejected."""
        with self._residency.using(model):
            for _ in self._residency.pipeline(model):
                continue

    def standing(self, *, fault: str | None = None) -> wire.Ready:
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

    def take_in(self, order: wire.Paint) -> None:
        """Begin at the next tick."""
        self._sittings.append(Sitting(number=order.number, work=generate(order, self._context)))

    def preview(self, order: wire.Preview) -> None:
        """From the painting's next step on; it may have ended meanwhile."""
        if any(sitting.number == order.number for sitting in self._sittings):
            self._context.preview_every[order.number] = order.every

    def tick(self, send: Send, is_canceled: Callable[[int], bool]) -> None:
        """Bring everybody forward by a step."""
        for sitting in [one for one in self._sittings if is_canceled(one.number)]:
            sitting.work.close()
            self._end(sitting, wire.Stopped(number=sitting.number), send)
        for sitting in [one for one in self._sittings if one.wanted is None]:
            self._bring_forward(sitting, send)
        self._measure_on(send)
        if (plan := self._plan()) is not None:
            self._step(plan, send)

    def _bring_forward(self, sitting: Sitting, send: Send) -> None:
        """One stroke; and reading the texts along with what came before it, so that a newcomer is in this tick's pass."""
        self._advance(sitting, partial(next, sitting.work), send)
        if sitting.beat is not None and sitting.beat.phase is Phase.ENCODING:
            self._advance(sitting, partial(next, sitting.work), send)

    def _advance(self, sitting: Sitting, resume: Callable[[], Yielded], send: Send) -> None:
        """One stroke. The edge around one painting: whatever goes wrong in it ends it and nobody else."""
        if sitting.beat is not None:
            send(sitting.beat)
        sitting.beat = sitting.wanted = None
        sitting.waited = 0
        try:
            stroke = resume()
        except StopIteration as finished:
            self._end(sitting, wire.Painted(number=sitting.number, painting=finished.value), send)
        except Exception as wrong:  # noqa: BLE001
            recover(wrong)
            self._end(sitting, broken(sitting.number, as_failure(wrong)), send)
        else:
            sitting.wanted = stroke if isinstance(stroke, PassWanted) else None
            sitting.beat = stroke if isinstance(stroke, wire.Beat) else None

    def _end(self, sitting: Sitting, report: wire.Report, send: Send) -> None:
        self._sittings.remove(sitting)
        self._context.preview_every.pop(sitting.number, None)
        send(report)

    def _plan(self) -> StepPlan[Hashable] | None:
        """Who takes the next pass."""
        waiting = [(one, one.wanted) for one in self._sittings if one.wanted is not None]
        sizes = {wanted.group: self._calibrations.sizes(wanted) for _, wanted in waiting}
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
        going = [(one, one.wanted) for one in self._sittings if one.number in plan.numbers and one.wanted is not None]
        for one in self._sittings:
            one.waited += one.wanted is not None
        for one, wanted in going:
            one.is_new = False
            send(wanted.beat)
        predictions = self._predictions([wanted for _, wanted in going], plan.size)
        self._pace.keep()
        for (one, _), prediction in zip(going, predictions, strict=True):
            self._advance(one, partial(_resume, one.work, prediction), send)

    def _predictions(self, wanted: Sequence[PassWanted], size: int) -> list[torch.Tensor | Exception]:
        """The network's answer for each. If a shared pass fails each goes alone, so that only the guilty one fails."""
        known = self._calibrations.of(wanted[0]) or LONE
        began = time.perf_counter()
        try:
            predictions: list[torch.Tensor | Exception] = [*run_pass(wanted, size, steadied=known.steadied)]
        except Exception as wrong:
            recover(wrong)
            if len(wanted) == 1:
                return [wrong]
            log.warning("a pass for %d pictures failed; each is tried alone", len(wanted), exc_info=wrong)
            return [self._predictions([one], min(known.sizes))[0] for one in wanted]
        if self._pace.is_immediate:
            self._calibrations.note(wanted[0], size, (time.perf_counter() - began) * 1000)
        return predictions

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
        """Goes on when those it was begun for have ended; model and adapters stay until it is done."""
        with self._residency.using(wanted.model), wanted.pipeline.adapters.using(wanted.adapters):
            yield from self._calibrations.measure(wanted)

    def _unmeasured(self) -> PassWanted | None:
        """One of a group that nothing is known of, and in which somebody must wait for that or has company."""
        wanted = [one.wanted for one in self._sittings if one.wanted is not None]
        company = Counter(one.group for one in wanted)
        unknown = (one for one in wanted if self._calibrations.of(one) is None)
        return next((one for one in unknown if company[one.group] > 1 or self._calibrations.sizes(one) is None), None)


def _resume(work: Work, prediction: torch.Tensor | Exception) -> Yielded:
    return work.throw(prediction) if isinstance(prediction, Exception) else work.send(prediction)


def broken(number: int, failure: Failed) -> wire.Broken:
    return wire.Broken(number=number, kind=type(failure).__name__, message=failure.message)

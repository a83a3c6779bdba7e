"""One device with the models loaded on it."""

from collections.abc import Callable
from typing import Self

from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from models import child_protocol as wire
from models.diffusion.device import Device, choose_device
from models.diffusion.painting import strokes
from models.diffusion.residency import Residency


class Studio:
    """Paints one order after the other."""

    def __init__(self, device: Device, residency: Residency) -> None:
        self._device = device
        self._residency = residency

    @classmethod
    def open(cls, setup: wire.Setup) -> Self:
        """Choose the device; nothing is loaded yet.

        Raises:
            ModelUnavailable: the device asked for is not there.
        """
        for library in (diffusers_logging, transformers_logging):
            library.set_verbosity_error()
            library.disable_progress_bar()
        device = choose_device(setup.device, threads=setup.threads)
        return cls(device, Residency({card.id: card for card in setup.cards}, device))

    def load(self, model: str) -> None:
        """Raises ModelUnavailable, WeightsRejected."""
        self._residency.pipeline(model)

    def standing(self, *, fault: str | None = None) -> wire.Ready:
        """What the parent should know of us. `fault` is said as long as no model is loaded."""
        resident = self._residency.models()
        return wire.Ready(
            device=self._device.torch_device.type,
            device_name=self._device.name,
            why=self._device.why if resident or fault is None else fault,
            resident=resident,
        )

    def paint(
        self, order: wire.Paint, *, send: Callable[[wire.Report], None], is_canceled: Callable[[int], bool]
    ) -> wire.Painted | wire.Stopped:
        """Take strokes, sending a beat before each, until the picture is finished or nobody wants it any more.

        Raises:
            Failed, or whatever torch raises.
        """
        stroke = strokes(order, residency=self._residency, device=self._device)
        while True:
            try:
                beat = next(stroke)
            except StopIteration as finished:
                return wire.Painted(number=order.number, painting=finished.value)
            if is_canceled(order.number):
                stroke.close()
                return wire.Stopped(number=order.number)
            send(beat)

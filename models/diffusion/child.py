"""The engine's process: `python -m models.diffusion.child DESCRIPTOR`, started by `models.child_process` alone.

The main thread owns the device and paints one picture after the other; torch is imported once the parent can be heard.
"""

import logging
import sys
from typing import TYPE_CHECKING, NoReturn

from models import child_protocol as wire
from models.diffusion.channel import Channel
from models.engine import Phase
from models.errors import Failed, ModelUnavailable, OutOfMemory, PaintingBroken

if TYPE_CHECKING:
    from models.diffusion.studio import Studio

log = logging.getLogger(__name__)


def main(descriptor: int) -> NoReturn:
    """Talk and paint until the parent is gone."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    channel = Channel(descriptor)
    channel.listen()
    setup = channel.setup()
    try:
        studio = open_studio(setup)
    except Failed as unfit:
        channel.send(wire.Ready(device=setup.device, device_name="", why=unfit.message, resident=()))
        while True:
            channel.send(broken(channel.next_painting(), unfit))
    channel.send(wire.Beat(number=None, phase=Phase.LOADING))
    channel.send(preloaded(studio, setup.preload))
    while True:
        serve(studio, channel)


def open_studio(setup: wire.Setup) -> "Studio":
    """Raises ModelUnavailable: torch or the device asked for is not there."""
    try:
        from models.diffusion.studio import Studio  # noqa: PLC0415 - takes seconds
    except ImportError as missing:
        raise ModelUnavailable(f"What paints is not installed ({missing}): pip install 'pinxit[engine]'.") from missing
    return Studio.open(setup)


def preloaded(studio: "Studio", model: str) -> wire.Ready:
    """Load the first model. If that fails we say so and serve nevertheless: the others may work."""
    try:
        studio.load(model)
    except Exception as wrong:  # noqa: BLE001 - the edge around one message
        return studio.standing(fault=as_failure(wrong).message)
    return studio.standing()


def serve(studio: "Studio", channel: Channel) -> None:
    """Paint the next order, or say why not; whatever goes wrong in it stays in it."""
    order, before = channel.next_painting(), studio.standing()
    report: wire.Report
    try:
        report = studio.paint(order, send=channel.send, is_canceled=channel.is_canceled)
    except Exception as wrong:  # noqa: BLE001 - the edge around one message
        report = broken(order, as_failure(wrong))
    if (now := studio.standing()) != before:
        channel.send(now)
    channel.send(report)


def broken(order: wire.Paint, failure: Failed) -> wire.Broken:
    return wire.Broken(number=order.number, kind=type(failure).__name__, message=failure.message)


def as_failure(wrong: Exception) -> Failed:
    """Ours as they are; a full memory by whatever name as OutOfMemory; the rest, logged, as PaintingBroken."""
    if isinstance(wrong, Failed):
        return wrong
    if is_out_of_memory(wrong):
        return OutOfMemory("The device has no room for this picture.")
    log.error("painting broke", exc_info=wrong)
    return PaintingBroken(f"The engine failed: {type(wrong).__name__}.")


def is_out_of_memory(wrong: Exception) -> bool:
    """torch says it in a class of its own on CUDA, in words on the CPU."""
    return (
        isinstance(wrong, MemoryError)
        or type(wrong).__name__ == "OutOfMemoryError"
        or (isinstance(wrong, RuntimeError) and "allocate memory" in str(wrong))
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))

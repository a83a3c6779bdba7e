"""The engine's process: `python -m models.diffusion.child DESCRIPTOR`, started by
`models.process.child` alone.

The main thread owns the device and brings every painting forward tick by tick; torch is imported
once the parent can be heard.
"""

import gc
import logging
import sys
from typing import TYPE_CHECKING, NoReturn

from models.diffusion.channel import Channel
from models.diffusion.failing import as_failure
from models.engine import Phase
from models.errors import Failed, ModelUnavailable
from models.process import protocol as wire

if TYPE_CHECKING:
    from models.diffusion.engine_loop import EngineLoop


def main(descriptor: int) -> NoReturn:
    """Talk and paint until the parent is gone."""
    gc.disable()  # what is imported and loaded first is no garbage, and to look through it costs a sixth of that time
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    channel = Channel(descriptor)
    channel.listen()
    setup = channel.setup()
    try:
        loop = opened_loop(setup)
    except Failed as unfit:
        gc.enable()
        refuse_all(channel, setup, unfit)
    channel.send(wire.Beat(number=None, phase=Phase.LOADING))
    channel.send(preloaded(loop, setup.preload))
    gc.enable()
    while True:
        serve(loop, channel)


def opened_loop(setup: wire.Setup) -> "EngineLoop":
    """Raises ModelUnavailable: torch or the device asked for is not there."""
    try:
        from models.diffusion.engine_loop import EngineLoop  # noqa: PLC0415 - takes seconds
    except ImportError as missing:
        raise ModelUnavailable(f"What paints is not installed ({missing}): pip install 'pinxit[engine]'.") from missing
    return EngineLoop.open(setup)


def refuse_all(channel: Channel, setup: wire.Setup, unfit: Failed) -> NoReturn:
    """There is nothing to paint with: say so to everybody."""
    channel.send(wire.Ready(device=setup.device, device_name="", why=unfit.message, resident=()))
    while True:
        for order in channel.orders(waits=True):
            if isinstance(order, wire.Paint):
                channel.send(wire.Broken(number=order.number, kind=type(unfit).__name__, message=unfit.message))


def preloaded(loop: "EngineLoop", model: str) -> wire.Ready:
    """Load the first model. If that fails we say so and serve nevertheless: the others may work."""
    try:
        loop.load(model)
    except Exception as wrong:  # noqa: BLE001 - the edge around one message
        return loop.status(fault=as_failure(wrong).message)
    return loop.status()


def serve(loop: "EngineLoop", channel: Channel) -> None:
    """One tick, with whoever came meanwhile."""
    before = loop.status()
    for order in channel.orders(waits=loop.is_idle):
        if isinstance(order, wire.Paint):
            loop.add(order)
        else:
            loop.preview(order)
    loop.tick(channel.send, channel.is_canceled)
    if (now := loop.status()) != before:
        channel.send(now)


if __name__ == "__main__":
    main(int(sys.argv[1]))

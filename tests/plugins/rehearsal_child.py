"""A child for tests: speaks the protocol without torch and does what the first word of the prompt says.

hang: silent for ever after the first step. die: ends itself. shy: ends itself if it is not alone. babble: says
something that is no report. mistake: answers for a painting that is not there. load: says that it loads and takes
1 s. Anything else is painted black in `num_inference_steps` steps of 20 ms, in turn with all others inside. As
`first model` "broken-start" it dies before it is ready.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator

from plugins.fake_engine import FINGERPRINT

from models import Painting, Phase, Recipe
from models.diffusion.channel import Channel
from models.process.protocol import Beat, Paint, Painted, Preview, Ready, Setup, Stopped

STEP_MS = 20
PREVIEW = b"what it will look like"


class Rehearsal:
    """Everybody inside, a step each in turn."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inside: list[Iterator[None]] = []
        self._previews: dict[int, int] = {}

    def go_on(self) -> None:
        for order in self._channel.orders(waits=not self._inside):
            if isinstance(order, Preview):
                self._previews[order.number] = order.every
            else:
                self._inside.append(self._perform(order))
        for work in [*self._inside]:
            if next(work, self) is self:
                self._inside.remove(work)

    def _perform(self, order: Paint) -> Iterator[None]:
        number, steps = order.number, order.spec.num_inference_steps
        self._channel.send(Beat(number=number, phase=Phase.ENCODING))
        yield
        for step in range(1, steps + 1):
            if self._channel.is_canceled(number):
                self._channel.send(Stopped(number=number))
                return
            eta_ms = STEP_MS * (steps - step)
            every = self._previews.get(number, order.preview_every)
            preview = PREVIEW if every and step % every == 0 else None
            self._channel.send(
                Beat(number=number, phase=Phase.DENOISING, step=step, steps=steps, eta_ms=eta_ms, preview=preview)
            )
            time.sleep(STEP_MS / 1000)
            self._act(order.spec.prompt.split()[0], number)
            yield
        self._channel.send(Painted(number=number, painting=paint(order, self.pixels(order))))

    def pixels(self, order: Paint) -> bytes:
        return bytes(order.spec.size.delivered.pixels * 3)

    def _act(self, action: str, number: int) -> None:
        match action:
            case "hang":
                time.sleep(3600)
            case "die":
                os._exit(3)
            case "shy" if len(self._inside) > 1:
                os._exit(5)
            case "babble":
                os.write(int(sys.argv[1]), b"{nonsense}\n")
            case "mistake":
                self._channel.send(Stopped(number=number + 1000))
            case "load":
                self._channel.send(Beat(number=None, phase=Phase.LOADING))
                time.sleep(1.0)


def paint(order: Paint, pixels: bytes) -> Painting:
    size = order.spec.size.delivered
    file = order.workspace / f"{order.number}.rgb"
    file.write_bytes(pixels)
    recipe = Recipe(spec=order.spec, fingerprint=FINGERPRINT, pixel_sha256=hashlib.sha256(pixels).hexdigest())
    return Painting(pixels=file, size=size, recipe=recipe, render_ms=1)


def ready(setup: Setup) -> Ready:
    """The process's id stands in for the device's name, what we were told in the notes."""
    told = (f"{setup.compute} {setup.dtype}", *(f"adapter {card.id}" for card in setup.adapters))
    return Ready(
        device=setup.device,
        device_name=str(os.getpid()),
        why=f"a rehearsal over {setup.calibrations} with {setup.threads} threads",
        resident=(setup.preload,),
        slots=setup.slots,
        notes=told,
    )


def main(rehearsed: type[Rehearsal] = Rehearsal) -> None:
    channel = Channel(int(sys.argv[1]))
    channel.listen()
    setup = channel.setup()
    print("a print that must not reach the parent's ear", flush=True)  # noqa: T201
    if setup.preload == "broken-start":
        os._exit(4)
    channel.send(ready(setup))
    rehearsal = rehearsed(channel)
    while True:
        rehearsal.go_on()


if __name__ == "__main__":
    main()

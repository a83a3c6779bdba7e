"""A child for tests: speaks the protocol without torch and does what the first word of the prompt says.

hang: silent for ever after the first step. die: ends itself. babble: says something that is no report. Anything else
is painted black in `num_inference_steps` steps of 20 ms. As `first model` "broken-start" it dies before it is ready.
"""

import hashlib
import os
import sys
import time

from plugins.fake_engine import FINGERPRINT

from models import Painting, Phase, Recipe
from models.child_protocol import Beat, Paint, Painted, Ready, Stopped
from models.diffusion.channel import Channel


def perform(order: Paint, channel: Channel) -> Painted | Stopped:
    action, spec = order.spec.prompt.split()[0], order.spec
    channel.send(Beat(number=order.number, phase=Phase.ENCODING))
    for step in range(spec.num_inference_steps):
        if channel.is_canceled(order.number):
            return Stopped(number=order.number)
        channel.send(Beat(number=order.number, phase=Phase.DENOISING, step=step, steps=spec.num_inference_steps))
        time.sleep(0.02)
        act(action)
    pixels = bytes(spec.size.delivered.pixels * 3)
    file = order.workspace / f"{order.number}.rgb"
    file.write_bytes(pixels)
    recipe = Recipe(spec=spec, fingerprint=FINGERPRINT, pixel_sha256=hashlib.sha256(pixels).hexdigest())
    painting = Painting(pixels=file, size=spec.size.delivered, recipe=recipe, render_ms=1)
    return Painted(number=order.number, painting=painting)


def act(action: str) -> None:
    if action == "hang":
        time.sleep(3600)
    if action == "die":
        os._exit(3)
    if action == "babble":
        os.write(int(sys.argv[1]), b"{nonsense}\n")


def main() -> None:
    channel = Channel(int(sys.argv[1]))
    channel.listen()
    setup = channel.setup()
    print("a print that must not reach the parent's ear", flush=True)  # noqa: T201
    if setup.preload == "broken-start":
        os._exit(4)
    channel.send(Ready(device="cpu", device_name=str(os.getpid()), why="a rehearsal", resident=(setup.preload,)))
    while True:
        channel.send(perform(channel.next_painting(), channel))


if __name__ == "__main__":
    main()

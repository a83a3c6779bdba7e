"""The rehearsal's child with pictures that can be told apart, and a prompt that takes the server with it.

Where it stands in the prompt the process that asked is killed. No picture is finished while there is a file `held` in
the data folder. A picture is of one colour, which its seed decides.
"""

import hashlib
import os
import signal
import time
from collections.abc import Iterator

from plugins.rehearsal_child import Rehearsal, main

from models.diffusion.failing import as_failure
from models.process.protocol import Broken, Paint

POISON = "poison"


def pixels_of(seed: int, pixel_count: int) -> bytes:
    return hashlib.sha256(str(seed).encode()).digest()[:3] * pixel_count


class FaultyRehearsal(Rehearsal):
    def _perform(self, order: Paint) -> Iterator[None]:
        """What breaks is reported as the engine's own loop reports it."""
        try:
            yield from super()._perform(order)
        except OSError as wrong:
            failure = as_failure(wrong)
            self._channel.send(Broken(number=order.number, kind=type(failure).__name__, message=failure.message))

    def pixels(self, order: Paint) -> bytes:
        if POISON in order.spec.prompt:
            os.kill(os.getppid(), signal.SIGKILL)
        while (order.workspace.parents[2] / "held").exists():
            time.sleep(0.02)
        return pixels_of(order.spec.seed, order.spec.size.delivered.pixels)


if __name__ == "__main__":
    main(FaultyRehearsal)

"""The rehearsal's child with pictures that can be told apart, and a prompt that takes the server with it.

poison: kills the process that asked for it. Any other picture is of one colour, which its seed decides.
"""

import hashlib
import os
import signal

from plugins.rehearsal_child import Rehearsal, main

from models.process.protocol import Paint


def pixels_of(seed: int, pixel_count: int) -> bytes:
    return hashlib.sha256(str(seed).encode()).digest()[:3] * pixel_count


class FaultyRehearsal(Rehearsal):
    def pixels(self, order: Paint) -> bytes:
        return pixels_of(order.spec.seed, order.spec.size.delivered.pixels)

    def _act(self, action: str, number: int) -> None:
        if action == "poison":
            os.kill(os.getppid(), signal.SIGKILL)
        super()._act(action, number)


if __name__ == "__main__":
    main(FaultyRehearsal)

"""The child's end of the conversation. A thread listens all the time, so that a cancel is heard
between two steps."""

import ctypes
import os
import queue
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

from models.process import protocol as wire

PR_SET_PDEATHSIG = 1


class Channel:
    """Speaks for one thread and listens in another. When the parent is gone, so is this process."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._orders: queue.SimpleQueue[wire.Setup | wire.Paint | wire.Preview] = queue.SimpleQueue()
        self._canceled: set[int] = set()

    def listen(self) -> None:
        """Begin. Death of the parent is noticed twice over: its end of the socket closes, and Linux
        sends a signal."""
        die_with_parent()
        threading.Thread(target=self._listen, name="channel", daemon=True).start()

    def setup(self) -> wire.Setup:
        """The first order.

        Raises:
            ValueError: something else came first.
        """
        order = self._orders.get()
        if not isinstance(order, wire.Setup):
            raise ValueError(f"The conversation must begin with Setup, not {type(order).__name__}.")  # noqa: TRY004
        return order

    def orders(self, *, waits: bool) -> Iterator[wire.Paint | wire.Preview]:
        """What has been asked for meanwhile; with `waits`, at least one thing."""
        if waits:
            yield from _after_setup(self._orders.get())
        with suppress(queue.Empty):
            while True:
                yield from _after_setup(self._orders.get_nowait())

    def is_canceled(self, number: int) -> bool:
        return number in self._canceled

    def send(self, report: wire.Report) -> None:
        self._socket.sendall(wire.encode(report))

    def _listen(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    order = wire.decode_order(line)
                    if isinstance(order, wire.Cancel):
                        self._canceled.add(order.number)
                    else:
                        self._orders.put(order)
        finally:
            os._exit(0)  # nobody is left to paint for; the main thread may be deep inside a step


def _after_setup(order: wire.Setup | wire.Paint | wire.Preview) -> Iterator[wire.Paint | wire.Preview]:
    if not isinstance(order, wire.Setup):
        yield order


def die_with_parent() -> None:
    """Ask Linux for SIGKILL when the parent dies, even while no thread of ours can run."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

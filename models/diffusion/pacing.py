"""How far we may run ahead of a device that works through its orders by itself."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, Self

import torch


class Event(Protocol):
    """A place in the device's queue. Waiting for one that was recorded ends when the device has
    come there."""

    def record(self) -> None: ...
    def synchronize(self) -> None: ...


class Pace:
    """Lets one pass wait in the device's queue while another runs, never more.

    Without a pass in the queue a GPU stands still between two; with many, steps would be reported
    before they are made, and who cancels or comes new would wait for all of them. A CPU has
    computed when it returns: `new_event` is None.
    """

    def __init__(self, new_event: Callable[[], Event] | None) -> None:
        self._new_event = new_event
        self._before: Event | None = None

    @property
    def is_immediate(self) -> bool:
        """A pass is over when its call returns."""
        return self._new_event is None

    @classmethod
    def of(cls, device: torch.device) -> Self:
        return cls(partial(torch.cuda.Event, blocking=True) if device.type == "cuda" else None)

    def keep(self) -> None:
        """Call it after each pass; returns when the pass before is over."""
        if self._new_event is None:
            return
        event = self._new_event()
        event.record()
        if self._before is not None:
            self._before.synchronize()
        self._before = event

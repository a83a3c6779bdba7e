"""What the engine has been asked to paint: who waits, who is inside the child, and who may have
killed it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from models.engine import Painting, Phase, PreviewEvery, Progress, no_preview
from models.errors import Failed
from models.process import protocol as wire

WAITING = Progress(phase=Phase.WAITING)


@dataclass(kw_only=True, eq=False)
class Commission:
    """One call of `paint`. `done` ends with a painting or a Failed, or is cancelled once nobody
    wants it any more.

    `order` is what the child knows of it, or will. `is_suspect`: it was inside a child that died,
    and it was not alone there.
    """

    order: wire.Paint
    on_progress: Callable[[Progress], None]
    preview_every: PreviewEvery = no_preview
    done: asyncio.Future[Painting] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    latest: Progress = WAITING
    is_wanted: bool = True
    is_suspect: bool = False

    def note(self, progress: Progress) -> None:
        """Notify the caller, who may not disturb us by raising."""
        self.latest = replace(progress, preview=None)
        if not self.done.done():
            self.done.get_loop().call_soon(self.on_progress, progress)

    def new_wish(self) -> wire.Preview | None:
        """What the child must be sent where previews are wanted otherwise than it knows."""
        every = self.preview_every()
        if every == self.order.preview_every:
            return None
        self.order = msgspec.structs.replace(self.order, preview_every=every)
        return wire.Preview(number=self.order.number, every=every)

    def finish(self, painting: Painting) -> None:
        if not self.done.done():
            self.done.set_result(painting)

    def fail(self, failure: Failed) -> None:
        if not self.done.done():
            self.done.set_exception(failure)


class Commissions:
    """All that are not finished, in the order of asking.

    A dead child with one painting inside was killed by it. With several nobody knows, so these
    suspects go first again, each alone with nothing else in the child, and only who kills it then
    is to blame.
    """

    def __init__(self) -> None:
        self._waiting: deque[Commission] = deque()
        self._inside: dict[int, Commission] = {}

    def add(self, commission: Commission) -> None:
        self._waiting.append(commission)
        commission.note(WAITING)

    def inside(self) -> tuple[Commission, ...]:
        """Those whom the child has and has not answered."""
        return tuple(self._inside.values())

    def find_inside(self, number: int) -> Commission | None:
        return self._inside.get(number)

    def leave(self, number: int) -> Commission | None:
        """The child has answered it; None: it was not inside."""
        return self._inside.pop(number, None)

    def next_in(self, slots: int) -> Commission | None:
        """Who goes into the child now, and is inside from now on; None while there is nobody or no
        room."""
        if not self._waiting or not self._has_room(self._waiting[0], slots):
            return None
        commission = self._waiting.popleft()
        self._inside[commission.order.number] = commission
        return commission

    def withdraw(self, commission: Commission) -> bool:
        """Its caller has left. True if the child has it and must be notified."""
        commission.is_wanted = False
        if commission in self._waiting:
            self._waiting.remove(commission)
        return commission.order.number in self._inside

    def blame(self) -> Commission | None:
        """The child has died: who did it, where that is known. The others wait again."""
        lost, self._inside = self.inside(), {}
        if len(lost) == 1:
            return lost[0]
        for commission in reversed(lost):
            if commission.is_wanted:
                commission.is_suspect = True
                commission.note(WAITING)
                self._waiting.appendleft(commission)
            else:
                commission.done.cancel()
        return None

    def fail_waiting(self, failure: Failed) -> None:
        while self._waiting:
            self._waiting.popleft().fail(failure)

    def repeat_progress(self) -> None:
        """Notify each caller again where it stands."""
        for commission in (*self._waiting, *self.inside()):
            commission.note(commission.latest)

    def _has_room(self, commission: Commission, slots: int) -> bool:
        is_trial = commission.is_suspect or any(other.is_suspect for other in self.inside())
        return not self._inside if is_trial else len(self._inside) < slots

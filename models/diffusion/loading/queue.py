"""Who gets which model next, and what must go for it. Pure: `Residency` asks, this decides."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who asked for a model and has not got it yet; `number` distinguishes callers.
    `size_bytes`, what the model will take on the device, is known once it was found not to be
    loaded."""

    number: int
    model: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Callers in order of arrival, and what they meet.

    The first whose model is not loaded is served next: the models that must go for it take nobody
    new who came after it, so that they come free. So a caller waits for at most as many rounds as
    there are other models asked for before it, and then its own. A round is one load, and before it
    the paintings begun with the models that must go.

    A model that needs no room may be loaded out of turn, if it fits beside all that is loaded and
    beside the one that is next. A model that is larger than the room is loaded once nothing else is
    in use, and may fail there.

    `loaded` holds the bytes of each model, the least recently used first, `users` how many use it
    or have asked for it, those in the queue included; `coming` is who a model is being loaded for,
    `room_bytes` what all may take together.
    """

    callers: tuple[Caller, ...]
    loaded: Mapping[str, int]
    users: Mapping[str, int]
    coming: Caller | None
    room_bytes: int

    def is_served(self, caller: Caller) -> bool:
        """The model is there, and nobody who came earlier waits for its room."""
        if caller.model not in self.loaded:
            return False
        first = self._first()
        return first is None or self._place(first) > self._place(caller) or caller.model not in self.leaving(first)

    def may_load(self, caller: Caller) -> bool:
        """It is its turn and its room is free, or it takes nobody's. One model is loaded at a
        time."""
        if self.coming is not None or caller.model in self.loaded:
            return False
        first = self._first()
        if first is None or first.number == caller.number:
            return not any(self._is_busy(model, caller) for model in self.leaving(caller))
        return first.model != caller.model and self._fits_beside(caller, first)

    def leaving(self, caller: Caller) -> tuple[str, ...]:
        """Which models must go for the caller's: idle ones first, then the least recently used. All
        of them if even that is too little."""
        excess = self.held_bytes + (caller.size_bytes or 0) - self.room_bytes
        leaving: list[str] = []
        for model in sorted(self.loaded, key=lambda model: self._is_busy(model, caller)):
            if excess <= 0:
                break
            leaving.append(model)
            excess -= self.loaded[model]
        return tuple(leaving)

    def after(self, loaded: str) -> tuple[Caller, ...]:
        """The order once a model is loaded: the others who wait for it come along."""
        return tuple(sorted(self.callers, key=lambda one: one.model != loaded))

    def _first(self) -> Caller | None:
        """Whose turn it is: the model is neither loaded nor being loaded."""
        coming = None if self.coming is None else self.coming.model
        return next((one for one in self.callers if one.model != coming and one.model not in self.loaded), None)

    def _fits_beside(self, caller: Caller, first: Caller) -> bool:
        """Whoever is next, once its size is known, finds its room afterwards as well."""
        if first.size_bytes is None:
            return False
        freed = sum(self.loaded[model] for model in self.leaving(first))
        needed = self.held_bytes + (caller.size_bytes or 0) + max(0, first.size_bytes - freed)
        return needed <= self.room_bytes

    def _is_busy(self, model: str, caller: Caller) -> bool:
        """Somebody uses the model, or came before the caller and is about to. Those behind the
        caller do not count."""
        behind = self.callers[self._place(caller) :]
        return self.users.get(model, 0) > sum(one.model == model for one in behind)

    def _place(self, caller: Caller) -> int:
        return next(place for place, one in enumerate(self.callers) if one.number == caller.number)

    @property
    def held_bytes(self) -> int:
        """What is loaded, and what is being loaded as if it were there."""
        return sum(self.loaded.values()) + (0 if self.coming is None else self.coming.size_bytes or 0)

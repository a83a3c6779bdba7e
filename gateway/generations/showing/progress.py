"""What is going on right now, in this process: steps done, and who waits for which generation to end."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from models import GenerationSpec, Phase, Progress
from models.spec import steps_asked

COURSE = tuple(Phase)  # in the order in which a picture goes through them


class JointProgress:
    """The progress of a generation's pictures as that of one.

    Steps are the sum over its pictures: one that has not begun counts with those its spec asks for, one that is past
    denoising with all of its own. The phase is DENOISING while any picture is in it, else that of the picture that has
    come furthest among those not finished. It takes as long as the slowest; nobody knows while nobody knows of one that
    still has steps to go.
    """

    def __init__(self, specs: Sequence[GenerationSpec]) -> None:
        self._latest = [Progress(phase=Phase.WAITING, steps=steps_asked(spec)) for spec in specs]
        self._unfinished = set(range(len(specs)))

    @property
    def steps_done(self) -> int:
        """Of all pictures; fewer again when one begins anew."""
        return sum(progress.step for progress in self._latest)

    def note(self, position: int, progress: Progress) -> Progress:
        """The picture at `position` has come this far; how far the generation has come."""
        self._latest[position] = self._counted(self._latest[position], progress)
        return self._together()

    def finish(self, position: int) -> Progress:
        """The picture at `position` is painted."""
        known = self._latest[position]
        self._latest[position] = replace(known, step=known.steps)
        self._unfinished.discard(position)
        return self._together()

    @staticmethod
    def _counted(known: Progress, progress: Progress) -> Progress:
        """`progress` with the steps that it does not tell outside DENOISING."""
        if progress.phase is Phase.DENOISING:
            return progress
        return replace(progress, step=known.steps if _is_past_steps(progress) else 0, steps=known.steps)

    def _together(self) -> Progress:
        running = [self._latest[position] for position in self._unfinished]
        phases = {progress.phase for progress in running or self._latest}
        phase = Phase.DENOISING if running and Phase.DENOISING in phases else max(phases, key=COURSE.index)
        is_counting = phase is Phase.DENOISING
        return Progress(
            phase=phase,
            step=sum(progress.step for progress in self._latest) if is_counting else 0,
            steps=sum(progress.steps for progress in self._latest) if is_counting else 0,
            eta_ms=_longest_left_ms(running) if running else 0,
        )


def _is_past_steps(progress: Progress) -> bool:
    return COURSE.index(progress.phase) > COURSE.index(Phase.DENOISING)


def _longest_left_ms(running: Sequence[Progress]) -> int | None:
    """Of those past their steps the engine need not say how long they take: it is little."""
    known = [progress.eta_ms for progress in running if progress.eta_ms is not None]
    is_unknown = any(progress.eta_ms is None and not _is_past_steps(progress) for progress in running)
    return None if is_unknown else max(known, default=None)


class Onlooker:
    """Somebody who watches one generation: hears that there is news, and keeps the latest preview of each picture.

    Who is slow misses what has been overtaken, and never makes anybody wait. `preview_every` 0 means no previews.
    """

    def __init__(self, *, preview_every: int) -> None:
        self.preview_every = preview_every
        self._news = asyncio.Event()
        self._previews: dict[int, bytes] = {}

    def hear(self) -> None:
        self._news.set()

    def see(self, position: int, preview: bytes) -> None:
        if self.preview_every:
            self._previews[position] = preview

    def take_previews(self) -> dict[int, bytes]:
        """Those not taken before, by the position of their picture."""
        taken, self._previews = self._previews, {}
        return taken

    async def hears_within(self, timeout_s: float) -> bool:
        """Wait for news since the last time. False: there was none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        has_heard = self._news.is_set()
        self._news.clear()
        return has_heard


class ProgressBoard:
    """Progress of generations being painted here, a bell for those who wait, and news for those who watch."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}
        self._bells: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._onlookers: dict[str, set[Onlooker]] = defaultdict(set)

    def note(self, generation_id: str, progress: Progress) -> None:
        self._progress[generation_id] = progress
        self._tell(generation_id)

    def show(self, generation_id: str, position: int, preview: bytes) -> None:
        """The picture at `position` will look like this; the news of it comes with the next `note`."""
        for onlooker in self._onlookers.get(generation_id, ()):
            onlooker.see(position, preview)

    def read(self, generation_id: str) -> Progress:
        return self._progress.get(generation_id, Progress(phase=Phase.WAITING))

    def find(self, generation_id: str) -> Progress | None:
        """None: it is not painted here."""
        return self._progress.get(generation_id)

    def forget(self, generation_id: str) -> None:
        """It is not painted here any more; its row says why."""
        self._progress.pop(generation_id, None)
        self._tell(generation_id)

    def ended(self, generation_id: str, painting_id: str) -> None:
        """Ring for everybody who waits for the generation; those who watch its painting hear that there is news."""
        self._tell(painting_id)
        for bell in self._bells.pop(generation_id, ()):
            bell.set()

    @contextmanager
    def watched(self, generation_id: str, onlooker: Onlooker) -> Iterator[Onlooker]:
        """Let `onlooker` hear and see in the block."""
        self._onlookers[generation_id].add(onlooker)
        try:
            yield onlooker
        finally:
            self._onlookers[generation_id].discard(onlooker)
            if not self._onlookers[generation_id]:
                del self._onlookers[generation_id]

    def preview_every(self, generation_id: str) -> int:
        """The smallest number of steps that anybody who watches wants between two previews; 0: nobody wants any."""
        wanted = [onlooker.preview_every for onlooker in self._onlookers.get(generation_id, ())]
        return min(filter(None, wanted), default=0)

    def _tell(self, generation_id: str) -> None:
        for onlooker in self._onlookers.get(generation_id, ()):
            onlooker.hear()

    async def wait(self, generation_id: str, timeout_s: float) -> None:
        """Return when the generation ends in this process, or after `timeout_s`."""
        bell = asyncio.Event()
        self._bells[generation_id].add(bell)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await bell.wait()
        finally:
            self._bells[generation_id].discard(bell)
            if not self._bells[generation_id]:
                del self._bells[generation_id]

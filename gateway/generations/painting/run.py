"""Carry out one claimed generation: its pictures painted and kept, all at a time -> settled.

While it works it renews its lease, but only as long as the painting shows progress: a hung device loses its claim,
a slow one does not.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from gateway.cancellation import unbroken
from gateway.generations.inputs.canonical import revision_of_all
from gateway.generations.inputs.source_images import SourceImages
from gateway.generations.painting.keeping import Keep, attempt_folder
from gateway.generations.painting.patience import Patience
from gateway.generations.painting.settle import Settle
from gateway.generations.showing.pace import Pace, Sitting
from gateway.generations.showing.progress import JointProgress, ProgressBoard
from gateway.metrics import Metrics
from gateway.queue import GenerationQueue
from models import Engine, Failed, GenerationSpec, Painting, Phase, Progress, Recipe, WeightsRejected, machine_short
from storage import Blobs, BlobUnavailable, Completion, Database, Generation, Picture, StoreUnavailable
from storage.generations import renew, requeue

# How often a generation may fail for one cause before it is given up (durability.md, section 1.9).
# Each attempt has waited for passing faults already, see `Patience`.
ATTEMPTS = {"EngineStopped": 3, "OutOfMemory": 2, "BlobUnavailable": 3, "StoreUnavailable": 3, "MachineShort": 3}
RENEWALS_PER_LEASE = 6

T = TypeVar("T")

log = structlog.get_logger()


class Pulse:
    """Counts signs of life, so that the lease is renewed for progress and for nothing else."""

    def __init__(self) -> None:
        self.beats = 0

    def beat(self) -> None:
        self.beats += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Signs of life from the pictures of one generation, passed on to those who look at it."""

    generation: Generation
    pulse: Pulse
    board: ProgressBoard
    joint: JointProgress
    metrics: Metrics

    def note(self, position: int, progress: Progress) -> None:
        self.pulse.beat()
        if progress.preview is not None:
            self.board.show(self.generation.painting_id, position, progress.preview)
        done_before = self.joint.steps_done
        self.board.note(self.generation.painting_id, self.joint.note(position, progress))
        self.metrics.count_steps(self.joint.steps_done - done_before)

    def preview_every(self) -> int:
        return self.board.preview_every(self.generation.painting_id)

    def finish(self, position: int) -> None:
        self.pulse.beat()
        self.board.note(self.generation.painting_id, self.joint.finish(position))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One picture, painted and stored."""

    picture: Picture
    recipe: Recipe
    sitting: Sitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs claimed generations, one call each."""

    engine: Engine
    database: Database
    blobs: Blobs
    source_images: SourceImages
    settle: Settle
    queue: GenerationQueue
    board: ProgressBoard
    pace: Pace
    metrics: Metrics
    workspace: Path
    lease_s: float
    keep: Keep
    patience: Patience = field(default_factory=Patience)

    async def __call__(self, generation: Generation) -> None:
        """Paint, keep and settle. Cancelling this call stops the painting between two steps and settles nothing."""
        try:
            completion = await self._attempt(generation)
            await self.patience(lambda: unbroken(self._publish(generation, completion)), generation_id=generation.id)
        except Failed as failure:
            await self.failed(generation, failure)
        finally:
            self.board.forget(generation.painting_id)

    async def _attempt(self, generation: Generation) -> Completion:
        """Paint while the claim is held. Losing it, or a stop, leaves no files."""
        pulse = Pulse()
        try:
            async with self._lease(generation, pulse):
                return await self._painted(generation, pulse)
        except asyncio.CancelledError:
            await unbroken(self._forget(generation))
            raise

    async def _publish(self, generation: Generation, completion: Completion) -> None:
        """Without the lease: this ends the claim itself, and whoever took that for a loss would delete what is shown."""
        if not await self.settle.completed(generation, completion):
            await self.blobs.delete(attempt_folder(generation))  # ended or deleted meanwhile: nothing points there

    async def failed(self, generation: Generation, failure: Failed) -> None:
        """Queue the generation again while its cause has attempts left, else end it."""
        cause = type(failure).__name__
        count = generation.failures.get(cause, 0) + 1
        log.warning("painting failed", generation=generation.id, cause=cause, count=count, reason=failure.message)
        if failure.retryable and count < ATTEMPTS.get(cause, 1):
            async with self.database.writing() as transaction:
                await requeue(transaction, generation.painting_id, generation.attempt, cause=cause)
            await self.queue.announce(generation.id)
            return
        await self.settle.failed(generation, code=failure.code, message=_for_callers(failure))

    async def _painted(self, generation: Generation, pulse: Pulse) -> Completion:
        """Paint every picture of the generation, all at a time, and keep its file; nothing is visible before `settle`.

        Raises:
            Failed: of one picture; the others are stopped, and have let go.
        """
        specs = msgspec.json.decode(generation.specs, type=tuple[GenerationSpec, ...])
        watch = Watch(
            generation=generation, pulse=pulse, board=self.board, joint=JointProgress(specs), metrics=self.metrics
        )
        with _removed_at_the_end(await self._patiently(watch, self._made_folder)) as folder:
            try:
                async with asyncio.TaskGroup() as together:
                    all_finished = [
                        together.create_task(self._finished(watch, position, spec, workspace=folder))
                        for position, spec in enumerate(specs)
                    ]
            except ExceptionGroup as several:
                await self._forget(generation)
                raise _gravest(several) from several
        finished = [one.result() for one in all_finished]
        return Completion(
            pictures=tuple(one.picture for one in finished),
            recipes=msgspec.json.encode([one.recipe for one in finished]),
            render_ms=_elapsed_ms([one.sitting for one in finished]),
            credits_used=generation.cost,
            revision=revision_of_all([one.recipe for one in finished]),
        )

    async def _finished(self, watch: Watch, position: int, spec: GenerationSpec, *, workspace: Path) -> Finished:
        """One picture from spec to stored file, in a folder of its own. A store that is away costs no second painting."""
        painting, sitting = await self._patiently(
            watch, lambda: self._with_pixels(watch, position, spec, folder=workspace / str(position))
        )
        watch.finish(position)
        picture = await self._patiently(
            watch,
            lambda: unbroken(self.keep(watch.generation, position, painting)),  # a thread cannot be stopped
        )
        watch.pulse.beat()
        return Finished(picture=picture, recipe=painting.recipe, sitting=sitting)

    async def _with_pixels(
        self, watch: Watch, position: int, spec: GenerationSpec, *, folder: Path
    ) -> tuple[Painting, Sitting]:
        """Painted, from the files that the spec names; a try that fails leaves nothing of itself in the folder.

        Raises:
            Failed: MachineShort among others.
        """
        files = await self.source_images.kept(watch.generation.painting_id, spec)
        with self.pace.sitting(spec) as sitting:

            def note(progress: Progress) -> None:
                if progress.phase is not Phase.WAITING:
                    sitting.begin()
                watch.note(position, progress)

            try:
                with machine_short():
                    await asyncio.to_thread(_filled, folder, files)
                painting = await self.engine.paint(
                    spec, workspace=folder, on_progress=note, preview_every=watch.preview_every
                )
            except Failed:
                await asyncio.to_thread(_remove, folder)
                raise
            sitting.end(is_finished=True)
        return painting, sitting

    async def _made_folder(self) -> Path:
        """Raises MachineShort."""
        with machine_short():
            self.workspace.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=self.workspace))

    async def _patiently(self, watch: Watch, work: Callable[[], Awaitable[T]]) -> T:
        """With the claim held. Raises Failed: as `Patience`."""
        return await self.patience(work, generation_id=watch.generation.id, beat=watch.pulse.beat)

    async def _forget(self, generation: Generation) -> None:
        """Delete what an attempt that publishes nothing has stored; what cannot be deleted now harms nobody."""
        try:
            await self.blobs.delete(attempt_folder(generation))
        except BlobUnavailable as unavailable:
            log.warning("left files behind", generation=generation.id, reason=unavailable.message)

    @asynccontextmanager
    async def _lease(self, generation: Generation, pulse: Pulse) -> AsyncIterator[None]:
        """Hold the claim while the body runs; losing it cancels the body."""
        body = asyncio.current_task()
        assert body is not None  # noqa: S101 - a coroutine always runs in a task
        keeper = asyncio.create_task(self._keep_lease(generation, pulse, on_lost=body.cancel))
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _keep_lease(self, generation: Generation, pulse: Pulse, *, on_lost: Callable[[], object]) -> None:
        seen = -1
        while True:
            await asyncio.sleep(self.lease_s / RENEWALS_PER_LEASE)
            if pulse.beats == seen:
                continue
            try:
                async with self.database.writing() as transaction:
                    is_ours = await renew(transaction, generation.painting_id, generation.attempt, lease_s=self.lease_s)
            except StoreUnavailable as unavailable:
                log.warning("lease not renewed", generation=generation.id, reason=unavailable.message)
                continue
            seen = pulse.beats
            if not is_ours:
                log.warning("lease lost", generation=generation.id, attempt=generation.attempt)
                on_lost()
                return


def _for_callers(failure: Failed) -> str:
    """What is wrong with a model's files is for who keeps them, in the log, with paths and texts of libraries."""
    if isinstance(failure, WeightsRejected):
        return "The files of this model, or of what it is to be painted with, cannot be used; the log says why."
    return failure.message


def _filled(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@contextmanager
def _removed_at_the_end(folder: Path) -> Iterator[Path]:
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """What cannot be removed is removed by the next start, see `ending.remains`."""
    shutil.rmtree(folder, onerror=lambda _, path, why: log.error("not removed", path=path, reason=str(why[1])))


def _gravest(several: ExceptionGroup[Exception]) -> Exception:
    """What decides about the generation when more than one picture broke: a defect, else what no retry will help."""
    return min(several.exceptions, key=lambda broken: isinstance(broken, Failed) + getattr(broken, "retryable", False))


def _elapsed_ms(sittings: Sequence[Sitting]) -> int:
    """From the first picture's begin to the last one's end."""
    begun = [sitting.begun_s for sitting in sittings if sitting.begun_s is not None]
    ended = [sitting.ended_s for sitting in sittings if sitting.ended_s is not None]
    return round((max(ended) - min(begun)) * 1000) if begun and ended else 0

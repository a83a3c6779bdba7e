"""An identical request is answered from what was painted before, or joins what is being painted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.generations.inputs.canonical import Revisions
from gateway.generations.showing.fetch import View
from gateway.generations.showing.picture_files import PictureFiles
from models import GenerationSpec
from storage import Database, Generation, State, Transaction
from storage.sharing import find_painted, find_painter, hurry, pictures_of, share_no_more


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Looks inside the accepting transaction, so that what it finds is still there when that is committed.

    What shares costs nothing. It has a row, an id and public names of its own, and is ended by nobody else's cancel.
    """

    database: Database
    files: PictureFiles
    revisions: Revisions

    async def revision(self, specs: Sequence[GenerationSpec]) -> str | None:
        """Of the engine that would paint these now; None: nobody can say, and nothing painted before is served."""
        return await self.revisions.current(specs)

    async def revised(self, generation: Generation, specs: Sequence[GenerationSpec]) -> Generation:
        """The generation, with the revision that would paint it now. From now on nothing is shared whose files are gone.

        Outside of the accepting transaction, for a store may take its time to answer.
        """
        revised = replace(generation, revision=await self.revision(specs))
        if revised.revision is not None and revised.canonical_sha256 is not None:
            await self._forget_lost(revised)
        return revised

    async def _forget_lost(self, generation: Generation) -> None:
        while True:
            async with self.database.reading() as connection:
                painted = await find_painted(connection, generation)
                shown = () if painted is None else await pictures_of(connection, painted, by=painted.id)
            if painted is None or await self.files.are_there(shown):
                return
            async with self.database.writing() as transaction:
                await share_no_more(transaction, painted.painting_id)

    async def join(self, transaction: Transaction, generation: Generation) -> View | None:
        """How a new generation, with the revision that would paint it now, enters where its pictures are there, or on their way; None: it must be painted.

        Nothing is written of it, nor of its pictures.
        """
        if painted := await self._painted(transaction, generation):
            shown = await pictures_of(transaction, painted, by=generation.id)
            return View(generation=_completed(generation, painted), pictures=shown)
        if painter := await find_painter(transaction, generation):
            await hurry(transaction, painter, generation.priority)
            return View(generation=_waiting(generation, painter), pictures=())
        return None

    async def is_painted(self, transaction: Transaction, generation: Generation) -> bool:
        """Whether it would be answered with what was painted before."""
        return await self._painted(transaction, generation) is not None

    async def _painted(self, transaction: Transaction, generation: Generation) -> Generation | None:
        return None if generation.revision is None else await find_painted(transaction, generation)


def _completed(generation: Generation, painted: Generation) -> Generation:
    """Done as soon as it is asked for."""
    return replace(
        generation,
        painting_id=painted.painting_id,
        is_sharer=True,
        cost=0,
        state=State.COMPLETED,
        revision=painted.revision,
        recipes=painted.recipes,
        render_ms=0,
        started_at=generation.created_at,
        completed_at=generation.created_at,
    )


def _waiting(generation: Generation, painter: Generation) -> Generation:
    """Beside the painter; nobody claims it."""
    return replace(
        generation,
        painting_id=painter.painting_id,
        is_sharer=True,
        cost=0,
        state=State.PROCESSING,
        started_at=painter.started_at,
    )

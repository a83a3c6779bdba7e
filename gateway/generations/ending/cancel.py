"""Cancel one generation: it ends, its credits come back, and whatever paints it stops between two steps."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.access import Caller
from gateway.generations.painting.settle import Settle
from gateway.generations.showing.fetch import Fetch, View
from models import Refused
from storage import State


class AlreadyFinished(Refused):
    """The generation is completed or failed; there is nothing left to cancel."""

    code: ClassVar[str] = "already_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Ends what has not ended; see `Settle.canceled` for those who share the painting."""

    fetch: Fetch
    settle: Settle

    async def __call__(self, caller: Caller, generation_id: str) -> View:
        """The generation as it has ended: canceled, or what it became while the cancel was on its way.

        Cancelling what is canceled already changes nothing, so that a lost answer may be asked for again.

        Raises:
            GenerationUnknown, AlreadyFinished.
        """
        view = await self.fetch.one(caller, generation_id)
        state = view.generation.state
        if state is State.CANCELED:
            return view
        if state.is_final:
            raise AlreadyFinished(f"The generation {generation_id!r} is {state} already.")
        await self.settle.canceled(view.generation)
        return await self.fetch.one(caller, generation_id)

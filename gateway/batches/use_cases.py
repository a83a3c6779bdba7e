"""The parts of the batch use cases, made for one server."""

from dataclasses import dataclass
from functools import cached_property

from gateway.access import Gatekeeper
from gateway.batches.accept import AcceptBatch
from gateway.batches.cancel import CancelBatch
from gateway.batches.expand import Expander
from gateway.batches.fetch import FetchBatch
from gateway.batches.files import Files
from gateway.generations import Fetch, Settle, Submit
from gateway.settings import Settings
from storage import Blobs


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Each part made when it is first asked for."""

    gatekeeper: Gatekeeper
    submit: Submit
    generations: Fetch
    settle: Settle
    blobs: Blobs
    settings: Settings

    @cached_property
    def accept(self) -> AcceptBatch:
        return AcceptBatch(
            database=self.settle.database,
            submit=self.submit,
            ends=self.settle.batch_ends,
            max_items=self.settings.max_batch_items,
            on_accepted=self._wake,
        )

    @cached_property
    def fetch(self) -> FetchBatch:
        return FetchBatch(database=self.settle.database, generations=self.generations)

    @cached_property
    def files(self) -> Files:
        return Files(
            database=self.settle.database,
            blobs=self.blobs,
            clock=self.submit.decide.clock,
            new_id=self.submit.decide.new_id,
            most=self.settings.max_files,
        )

    @cached_property
    def cancel(self) -> CancelBatch:
        return CancelBatch(
            database=self.settle.database, fetch=self.fetch, ends=self.settle.batch_ends, on_canceling=self._wake
        )

    @cached_property
    def expander(self) -> Expander:
        return Expander(
            database=self.settle.database,
            gatekeeper=self.gatekeeper,
            submit=self.submit,
            settle=self.settle,
            max_queued=self.settings.max_batch_queued,
            poll_s=self.settings.poll_s,
        )

    def _wake(self) -> None:
        """There may be something to expand or to stop, and something to tell."""
        self.expander.wake()
        self.settle.on_event()

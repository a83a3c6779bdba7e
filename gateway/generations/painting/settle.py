"""End a generation: state, ledger and webhook outbox move in one transaction, or not at all.

Everything is fenced by the attempt: a worker whose lease ran out finds zero rows and changes nothing. Whoever shares the
painting ends with it; where it ends without pictures one of them takes it over, and pays for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.clock import Clock
from gateway.generations.painting.batch_end import BatchEnds
from gateway.generations.painting.ends import note_end
from gateway.generations.painting.notifying import Notifications, PredictionBody
from gateway.generations.showing.progress import ProgressBoard
from gateway.generations.showing.urls import PublicUrls
from gateway.metrics import Metrics
from gateway.webhooks import Outbox
from storage import Completion, CreditsShort, Database, Generation, Picture, State, Transaction
from storage.generations import cancel, complete, fail
from storage.ledger import capture, hold, release
from storage.sharing import end_sharers, give_up, next_heir, show, shown_by, take_over

# Counted among the failures of who took a painting over that had failed, so that nobody takes it over a second time.
TAKEN_OVER = "TakenOver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """The three ways a generation ends. Each returns False when somebody else has ended it before.

    `halt` stops a painting of this process and waits for nothing; a worker of another process finds its claim gone
    when it next renews it.
    """

    database: Database
    board: ProgressBoard
    urls: PublicUrls
    clock: Clock
    outbox: Outbox
    on_event: Callable[[], None]
    halt: Callable[[str], object]
    metrics: Metrics
    prediction: PredictionBody

    @property
    def notifications(self) -> Notifications:
        return Notifications(outbox=self.outbox, urls=self.urls, clock=self.clock, prediction=self.prediction)

    @property
    def batch_ends(self) -> BatchEnds:
        return BatchEnds(outbox=self.outbox, urls=self.urls, clock=self.clock)

    async def completed(self, generation: Generation, completion: Completion) -> bool:
        """For whomever the painting went on: `generation` is how it was claimed."""
        ended: list[Generation] = []
        async with self.database.writing() as transaction:
            painter = await complete(
                transaction, generation.painting_id, generation.attempt, completion, now=self.clock()
            )
            if painter is not None:
                sharers = await end_sharers(transaction, painter)
                await show(transaction, [shown_by(p, one.id) for one in sharers for p in completion.pictures])
                await capture(transaction, painter.id, now=self.clock())
                ended = [painter, *sharers]
            for one in ended:
                pictures = [shown_by(picture, one.id) for picture in completion.pictures]
                await self.notify(transaction, one, pictures=pictures)
        self._tell(generation, *ended)
        return bool(ended)

    async def failed(self, generation: Generation, *, code: str, message: str) -> bool:
        """One who shares the painting may try once more; if that fails too, all have failed."""
        ended: list[Generation] = []
        async with self.database.writing() as transaction:
            painter = await fail(
                transaction, generation.painting_id, generation.attempt, code=code, message=message, now=self.clock()
            )
            if painter is not None:
                ended = [painter]
                await release(transaction, painter.id, now=self.clock())
                if TAKEN_OVER in painter.failures:
                    ended += await end_sharers(transaction, painter)
                else:
                    failures = {**painter.failures, TAKEN_OVER: 1}
                    _, unable = await self._pass_on(transaction, painter, state=State.QUEUED, failures=failures)
                    ended += unable
            for one in ended:
                await self.notify(transaction, one)
        self._tell(generation, *ended)
        return bool(ended)

    async def canceled(self, generation: Generation) -> bool:
        """Those who share the painting notice nothing: it goes on for one of them."""
        ended: list[Generation] = []
        is_over = False
        async with self.database.writing() as transaction:
            before = await cancel(transaction, generation.id, now=self.clock())
            if before is not None:
                ended = [replace(before, state=State.CANCELED, completed_at=self.clock())]
                await release(transaction, before.id, now=self.clock())
                if not before.is_sharer:
                    heir, unable = await self._pass_on(
                        transaction, before, state=before.state, failures=before.failures
                    )
                    ended += unable
                    is_over = heir is None
            for one in ended:
                await self.notify(transaction, one)
        self._tell(generation, *ended)
        if is_over:
            self.halt(generation.painting_id)
        return bool(ended)

    async def _pass_on(
        self, transaction: Transaction, left: Generation, *, state: State, failures: Mapping[str, int]
    ) -> tuple[Generation | None, list[Generation]]:
        """Who takes over from `left`, None where nobody is left; and those who could not, for their key may not spend it."""
        unable: list[Generation] = []
        while (heir := await next_heir(transaction, left.painting_id)) is not None:
            now = self.clock()
            try:
                await hold(transaction, heir.account_id, heir.id, left.cost, key_id=heir.key_id, now=now)
            except CreditsShort as short:
                unable.append(await give_up(transaction, heir, code=short.code, message=short.message, now=now))
            else:
                return await take_over(transaction, heir, left, state=state, failures=failures), unable
        return None, unable

    def _tell(self, *generations: Generation) -> None:
        """After the commit: wake those who wait for these generations, and the delivery loop."""
        for generation in generations:
            self.board.ended(generation.id, generation.painting_id)
        self.on_event()

    async def notify(
        self, transaction: Transaction, generation: Generation, *, pictures: Sequence[Picture] = ()
    ) -> bool:
        """Count what ends, end its item where it came in a batch, and put its event into the outbox, if anybody is to hear of
        it; the delivery loop takes it from there."""
        await self.batch_ends.item_ended(transaction, generation)
        note_end(generation, self.metrics)
        return await self.notifications.ended(transaction, generation, pictures)

"""Accept a batch: judge every item, then write all of it down in one transaction.

One item's fault is its own: it is refused with the code that a single call would have got, and the others go on. Only
the batch as a whole can be refused: for its size, or while too much is waiting.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from gateway.access import Caller, PlanTooSmall, expiry
from gateway.generations import Ask, Given, IdempotencyClash, IdempotencyInProgress, QueueFull, Submit
from gateway.generations.accepting.moderating import source_picture
from gateway.generations.inputs.source_images import check_given
from gateway.generations.inputs.sources import source_of
from gateway.generations.painting.batch_end import BatchEnds
from gateway.image_decoder import MaskRule
from models import DEFAULT_STRENGTH, DomainError, ParameterMissing, RequestInvalid
from safety import Decision, PromptBlocked, SourcePicture, Surface
from storage import Batch, BatchItem, BatchState, Database, ItemState, Priority
from storage.batches import add_batch, batch_by_id, count_accepted_items
from storage.idempotency import recall, remember_batch

MAX_CUSTOM_ID_CHARACTERS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(Ask):
    """What a single call would ask, and the pictures that it begins from as they were sent, each in a text: they are
    read when it is the item's turn."""

    surface: Surface = Surface.BATCH
    image: str | None = None
    mask: str | None = None
    strength: float | None = None

    @property
    def source(self) -> SourcePicture | None:
        """What is known of the picture before it is read."""
        if self.image is None or self.request.init_image is not None:
            return source_picture(self.request.init_image, masked_share=self.masked_share)
        strength = DEFAULT_STRENGTH if self.strength is None else self.strength
        return SourcePicture(strength=strength, has_mask=self.mask is not None, masked_share=None)

    def given(self) -> Given:
        """Raises ImageInvalid: a text is neither a picture nor names one."""
        return Given(
            mask_rule=MaskRule.HOLES_OR_WHITE,
            image=None if self.image is None else source_of(self.image, field="image"),
            mask=None if self.mask is None else source_of(self.mask, field="mask"),
            strength=self.strength,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAsk:
    """One item as the edge understood it: what a single call would ask, or why that is nothing."""

    custom_id: str | None
    wish: Wish | DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAsk:
    """One call as the edge understood it: items are read when they are looked at, which may raise Refused.

    `body_sha256` tells equal calls under one Idempotency-Key.
    """

    items: Iterable[ItemAsk]
    webhook_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    idempotency_key: str | None = None
    input_file_id: str | None = None
    body_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAccepted:
    """A batch that is written down. `is_replay` when an earlier call with the same Idempotency-Key made it."""

    batch: Batch
    is_replay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """The items as they are written down, and what the content policy refused of them."""

    items: Sequence[BatchItem]
    blocked: Sequence[Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptBatch:
    """Judges and writes batches down. `max_items` bounds the items of all unfinished batches together."""

    database: Database
    submit: Submit
    ends: BatchEnds
    max_items: int
    on_accepted: Callable[[], None]

    async def __call__(self, caller: Caller, ask: BatchAsk) -> BatchAccepted:
        """Accept, or answer with what the same Idempotency-Key made before.

        Raises:
            Refused: no items, more than the plan allows, QueueFull, IdempotencyClash, IdempotencyInProgress, and
                what reading the items raises.
        """
        earlier = await self._earlier(caller, ask)
        if earlier is not None:
            return BatchAccepted(batch=earlier, is_replay=True)
        batch_id = self.submit.decide.new_id("batch")
        judged = await self._judged(caller, batch_id, ask.items)
        batch = self._batch(caller, ask, batch_id, total=len(judged.items))
        await self._write(caller, ask, batch, judged)
        self.on_accepted()
        return BatchAccepted(batch=batch, is_replay=False)

    async def _earlier(self, caller: Caller, ask: BatchAsk) -> Batch | None:
        """Raises IdempotencyClash."""
        if ask.idempotency_key is None:
            return None
        async with self.database.reading() as connection:
            known = await recall(connection, caller.account.id, ask.idempotency_key, now=self.submit.decide.clock())
            if known is None:
                return None
            if known.batch_id is None or known.body_sha256 != ask.body_sha256:
                raise IdempotencyClash("This Idempotency-Key was used with another body.")
            return await batch_by_id(connection, caller.account.id, known.batch_id)

    async def _judged(self, caller: Caller, batch_id: str, asks: Iterable[ItemAsk]) -> "_Judged":
        """Every item as it is written down; other calls get their turns in between.

        Raises:
            Refused: there are none, or more than the plan allows, which are not looked at.
        """
        seen: set[str] = set()
        items: list[BatchItem] = []
        blocked: list[Decision] = []
        for position, ask in enumerate(asks):
            _check_count(caller, position + 1)
            waiting = BatchItem(
                batch_id=batch_id, position=position, state=ItemState.WAITING, custom_id=_shown(ask.custom_id)
            )
            try:
                items.append(replace(waiting, body=self._checked(caller, ask, seen)))
            except DomainError as error:
                items.append(refused(waiting, error))
                if isinstance(error, PromptBlocked):
                    blocked.append(error.decision)
            await asyncio.sleep(0)
        if not items:
            raise ParameterMissing("`items` must hold at least one request.", field="items")
        return _Judged(items=items, blocked=blocked)

    def _checked(self, caller: Caller, ask: ItemAsk, seen: set[str]) -> bytes:
        """The wish as it is kept until its turn.

        Raises:
            DomainError: what a single call would have been answered; or the custom id is no good.
        """
        if isinstance(ask.wish, DomainError):
            raise ask.wish
        if ask.custom_id is not None:
            _check_custom_id(ask.custom_id, seen)
            seen.add(ask.custom_id)
        wish = replace(ask.wish, priority=Priority.BATCH)
        check_given(wish.given())
        self.submit.decide.judged(caller, wish)
        expiry(caller.plan, wish.ttl_s, now=self.submit.decide.clock())
        return msgspec.json.encode(wish)

    async def _write(self, caller: Caller, ask: BatchAsk, batch: Batch, judged: "_Judged") -> None:
        async with self.database.writing() as transaction:
            if await count_accepted_items(transaction) + batch.total > self.max_items:
                raise QueueFull("Too many items of batches are waiting; try again later.")
            await add_batch(transaction, batch, judged.items)
            await self.submit.decide.moderation.note(transaction, caller, judged.blocked, batch_id=batch.id)
            if ask.idempotency_key is not None and not await remember_batch(
                transaction, caller.account.id, ask.idempotency_key, ask.body_sha256, batch.id, now=batch.created_at
            ):
                raise IdempotencyInProgress("Another call with this Idempotency-Key was quicker.")
            await self.ends.end_if_done(transaction, batch.id)  # which it is if nothing in it could be accepted

    def _batch(self, caller: Caller, ask: BatchAsk, batch_id: str, *, total: int) -> Batch:
        return Batch(
            id=batch_id,
            account_id=caller.account.id,
            key_id=caller.key.id,
            livemode=caller.is_live,
            state=BatchState.PROCESSING,
            total=total,
            created_at=self.submit.decide.clock(),
            webhook_url=ask.webhook_url,
            metadata=ask.metadata,
            input_file_id=ask.input_file_id,
        )


def refused(item: BatchItem, error: DomainError) -> BatchItem:
    """The item as it ends when nothing comes of it."""
    return replace(
        item,
        state=ItemState.REFUSED,
        body=None,
        error_code=error.code,
        error_message=error.message,
        error_field=getattr(error, "field", None),
    )


def _check_count(caller: Caller, count: int) -> None:
    most = caller.plan.max_batch_items
    if most is not None and count > most:
        raise PlanTooSmall(f"Plan {caller.plan.id!r} takes up to {most} items in a batch.", field="items")


def _check_custom_id(custom_id: str, seen: set[str]) -> None:
    if not 1 <= len(custom_id) <= MAX_CUSTOM_ID_CHARACTERS or not custom_id.isprintable():
        raise RequestInvalid(
            f"`custom_id` must have 1 to {MAX_CUSTOM_ID_CHARACTERS} printable characters.", field="custom_id"
        )
    if custom_id in seen:
        raise RequestInvalid(f"`custom_id` {custom_id!r} stands in an earlier item of this batch.", field="custom_id")


def _shown(custom_id: str | None) -> str | None:
    """What comes back with the item; one that is no good comes back as far as it can be kept."""
    if custom_id is None:
        return None
    return "".join(letter for letter in custom_id if letter.isprintable())[:MAX_CUSTOM_ID_CHARACTERS]

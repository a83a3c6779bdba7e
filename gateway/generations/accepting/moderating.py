"""What may be painted: hands the content policy everything that decides a picture, and keeps its decisions.

What was refused is written down by itself, what was flagged in the transaction that accepts it. Both leave a log line and
a count. Texts stand in the record only, and only while they are kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from gateway.access import Caller
from gateway.clock import Clock
from gateway.metrics import Metrics
from models import GenerationRequest, GenerationSpec, InitImage
from safety import Action, Decision, ModerationInput, PromptBlocked, PromptFilter, SourcePicture, Surface
from storage import Database, DecisionRow, Transaction
from storage.decisions import add_decisions, forget_decisions

log = structlog.get_logger()


def moderation_input(
    request: GenerationRequest,
    specs: Sequence[GenerationSpec],
    *,
    surface: Surface,
    source: SourcePicture | None,
    is_replay: bool = False,
) -> ModerationInput:
    """Everything that decides the pictures of a request that became these specs."""
    return ModerationInput(
        surface=surface,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        final_prompts=_each_once(spec.prompt for spec in specs),
        final_negative_prompts=_each_once(spec.negative_prompt for spec in specs),
        source=source,
        adapters=_each_once(adapter.id for spec in specs for adapter in spec.all_adapters),
        model=specs[0].model,
        style=request.style,
        is_replay=is_replay,
    )


def source_picture(init_image: InitImage | None, *, masked_share: float | None = None) -> SourcePicture | None:
    """What the policy hears of the picture that a painting begins from."""
    if init_image is None:
        return None
    return SourcePicture(
        strength=init_image.strength, has_mask=init_image.mask_sha256 is not None, masked_share=masked_share
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderation:
    """Judges by the policy of the caller's plan, else the server's. Texts are kept for `keeps_texts`, rows for `keeps_rows`."""

    prompt_filter: PromptFilter
    policy: str
    database: Database
    metrics: Metrics
    clock: Clock
    keeps_texts: timedelta
    keeps_rows: timedelta

    def judge(self, caller: Caller, given: ModerationInput) -> Decision:
        """Raises PromptBlocked; nothing is written down."""
        return self.prompt_filter.check(given, policy=caller.plan.safety_policy or self.policy)

    async def check(self, caller: Caller, given: ModerationInput) -> Decision:
        """As `judge`, and a refusal is written down.

        Raises:
            PromptBlocked.
            StoreUnavailable: it could not be written down.
        """
        try:
            return self.judge(caller, given)
        except PromptBlocked as blocked:
            await self.note_refusal(caller, blocked)
            raise

    async def note_refusal(self, caller: Caller, blocked: PromptBlocked) -> None:
        """Raises StoreUnavailable."""
        async with self.database.writing() as transaction:
            await self.note(transaction, caller, [blocked.decision])

    async def note(
        self,
        transaction: Transaction,
        caller: Caller,
        decisions: Iterable[Decision],
        *,
        generation_id: str | None = None,
        batch_id: str | None = None,
    ) -> None:
        """Write down those that were flagged or refused; what is allowed leaves nothing."""
        noted = [decision for decision in decisions if decision.verdict.action is not Action.ALLOW]
        rows = [self._row(caller, one, generation_id=generation_id, batch_id=batch_id) for one in noted]
        await add_decisions(transaction, rows)
        for row in rows:
            self.metrics.count_decision(row.action, row.category)
            log.warning(
                "content policy",
                action=row.action,
                category=row.category,
                rules=row.rules,
                surface=row.surface,
                account_id=row.account_id,
                key_id=row.key_id,
                generation_id=generation_id,
                batch_id=batch_id,
            )

    async def forget(self) -> int:
        """Let go of texts and rows whose time is over; how many rows that were. Raises StoreUnavailable."""
        now = self.clock()
        async with self.database.writing() as transaction:
            return await forget_decisions(
                transaction, texts_before=now - self.keeps_texts, rows_before=now - self.keeps_rows
            )

    def _row(
        self, caller: Caller, decision: Decision, *, generation_id: str | None, batch_id: str | None
    ) -> DecisionRow:
        verdict = decision.verdict
        return DecisionRow(
            created_at=self.clock(),
            account_id=caller.account.id,
            key_id=caller.key.id,
            surface=decision.given.surface.value,
            action=verdict.action.value,
            category=str(verdict.category),
            rules=[finding.rule for finding in verdict.findings],
            policy=verdict.policy,
            policy_hash=verdict.policy_hash,
            lexicon_hash=verdict.lexicon_hash,
            views_version=verdict.views_version,
            input_sha256=verdict.input_sha256,
            judged=decision.given.to_json() if self.keeps_texts else None,
            generation_id=generation_id,
            batch_id=batch_id,
        )


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))

"""Decisions of the content policy, for review."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.admin.callers import Operator
from gateway.http.answering.answers import answer, described
from gateway.http.reading.dependencies import Given
from gateway.http.reading.paging import ListBody, WantedPage
from gateway.wire import Moment
from safety import ModerationInput
from storage import DecisionFilters, DecisionRow, decisions

routes = APIRouter(prefix="/v1/admin", tags=["admin"])

Verdict = Literal["flag", "block"]


class JudgedSourceBody(BaseModel):
    """The picture that the painting was to begin from."""

    strength: float = Field(description="How far to leave it: near 0 keeps it, 1 repaints it.")
    has_mask: bool = Field(description="Whether only a part of it was to be repainted.")
    masked_share: float | None = Field(
        description="The part that the mask lets be repainted, 0 to 1; null without a mask, or before it was read."
    )


class JudgedBody(BaseModel):
    """What was judged: the caller's words, what they became, and the picture to begin from."""

    prompt: str = Field(description="The caller's prompt.")
    negative_prompt: str = Field(description="The caller's negative prompt.")
    final_prompts: list[str] = Field(description="What the text encoder reads, style and enhancement included.")
    final_negative_prompts: list[str] = Field(description="The same of negative prompts.")
    source: JudgedSourceBody | None = Field(description="Null: from noise.")
    loras: list[str] = Field(description="The ids of the LoRAs that were to act.")
    model: str = Field(description="The model that was to paint it.")
    style: str = Field(description="The style that was asked for.")
    is_replay: bool = Field(description="Whether an earlier generation was to be painted again.")


class DecisionBody(BaseModel):
    """One decision: `flag` was delivered and marked for review, `block` was refused. `judged` is null once its time is over."""

    object: Literal["decision"] = "decision"
    number: int = Field(description="Its place among all decisions.")
    created_at: Moment = Field(description="When it was judged.")
    account_id: str = Field(description="Whose request it was.")
    key_id: str = Field(description="The key it came with.")
    surface: str = Field(description="Where it came in, such as `native`, `openai`, `a1111` or `batch`.")
    verdict: Verdict = Field(description="`flag`: delivered, and marked for review; `block`: refused.")
    flagged: bool = Field(description="Whether it was delivered and waits for review.")
    category: str = Field(description="The gravest category that was found.")
    rules: list[str] = Field(description="The rules that matched, the one that counted most first.")
    policy: str = Field(description="The policy it was judged by.")
    policy_hash: str = Field(description="Changes with every word of that policy.")
    lexicon_hash: str = Field(description="Changes with every rule and word of the lexicons.")
    input_sha256: str = Field(description="Of everything that was judged.")
    generation_id: str | None = Field(description="What a flagged request became.")
    batch_id: str | None = Field(description="The batch that a refused item was part of.")
    judged: JudgedBody | None = Field(description="What was judged, while it is kept.")


@routes.get(
    "/decisions",
    summary="List decisions of the content policy",
    response_model=ListBody[DecisionBody],
    responses=described(400, 401, 403, 404),
)
async def list_decisions(
    given: Given,
    _: Operator,
    wanted: WantedPage,
    verdict: Annotated[Verdict | None, Query(description="Only these.")] = None,
    category: Annotated[str | None, Query(description="Only this category.")] = None,
    account: Annotated[str | None, Query(description="Only this account's, by id or name.")] = None,
) -> Response:
    """What was flagged or refused, newest first, with the words that were judged while they are kept
    (`PINXIT_SAFETY_TEXT_DAYS`). What was allowed leaves nothing."""
    account_id = None if account is None else (await given.accounts.one(account))[0].id
    filters = DecisionFilters(action=verdict, category=category, account_id=account_id)
    async with given.database.reading() as connection:
        found = await decisions.list_decisions(connection, filters, limit=wanted.rows, before=wanted.before_number())
    return answer(wanted.page(found, decision_body, lambda row: row.number))


def decision_body(row: DecisionRow) -> DecisionBody:
    judged = None if row.judged is None else ModerationInput.from_json(row.judged)
    return DecisionBody(
        number=row.number,
        created_at=row.created_at,
        account_id=row.account_id,
        key_id=row.key_id,
        surface=row.surface,
        verdict="flag" if row.action == "flag" else "block",
        flagged=row.action == "flag",
        category=row.category,
        rules=row.rules,
        policy=row.policy,
        policy_hash=row.policy_hash,
        lexicon_hash=row.lexicon_hash,
        input_sha256=row.input_sha256,
        generation_id=row.generation_id,
        batch_id=row.batch_id,
        judged=None if judged is None else _judged_body(judged),
    )


def _judged_body(judged: ModerationInput) -> JudgedBody:
    source = judged.source
    return JudgedBody(
        prompt=judged.prompt,
        negative_prompt=judged.negative_prompt,
        final_prompts=list(judged.final_prompts),
        final_negative_prompts=list(judged.final_negative_prompts),
        source=None
        if source is None
        else JudgedSourceBody(strength=source.strength, has_mask=source.has_mask, masked_share=source.masked_share),
        loras=list(judged.adapters),
        model=judged.model,
        style=judged.style,
        is_replay=judged.is_replay,
    )

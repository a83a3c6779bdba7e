"""`pinxit safety`: read what the content policy flagged and refused, and judge it again by today's rules."""

import asyncio
from collections.abc import Sequence

from rich.console import Console

from gateway.accounts import AccountUnknown
from gateway.cli.printing import Cell, print_json, print_rows
from gateway.settings import load_settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation
from gateway.wiring.starting import migrate, prepare_folder
from safety import ModerationInput
from storage import DecisionFilters, DecisionRow
from storage.accounts import account_by_id, account_named
from storage.decisions import list_decisions

NOT_KEPT = "its texts are not kept any more, or another release wrote them"


def show_decisions(filters: DecisionFilters, *, limit: int, as_json: bool) -> None:
    """Raises AccountUnknown."""
    rows = [_row(decision) for decision in _read(_installation(), filters, limit=limit)]
    print_rows("Decisions of the content policy", rows, as_json=as_json)


def replay_decisions(filters: DecisionFilters, *, limit: int, as_json: bool) -> bool:
    """Judge again what is still kept, by the policy of that time as it reads now; True if each verdict is the same.

    Raises:
        AccountUnknown.
        SettingInvalid: a policy of that time has left `policies.toml`.
    """
    installation = _installation()
    rows = [_replayed(installation, decision) for decision in _read(installation, filters, limit=limit)]
    if as_json:
        print_json(rows)
    else:
        print_rows("Decisions judged again", rows, as_json=False)
        kept = [row for row in rows if row["now"] != NOT_KEPT]
        changed = sum(not row["is_same"] for row in kept)
        Console(highlight=False).print(f"{len(kept)} judged again, {changed} with another verdict.")
    return all(row["is_same"] for row in rows if row["now"] != NOT_KEPT)


def _replayed(installation: Installation, decision: DecisionRow) -> dict[str, Cell]:
    before = f"{decision.action} {decision.category}"
    now = NOT_KEPT
    judged = None if decision.judged is None else ModerationInput.from_json(decision.judged)
    if judged is not None:
        verdict = installation.prompt_filter.judge(judged, policy=decision.policy)
        now = f"{verdict.action} {verdict.category or ''}".strip()
    return {
        "number": decision.number,
        "policy": decision.policy,
        "before": before,
        "now": now,
        "is_same": now == before,
    }


def _read(installation: Installation, filters: DecisionFilters, *, limit: int) -> Sequence[DecisionRow]:
    async def reading() -> Sequence[DecisionRow]:
        database = installation.database
        try:
            await migrate(database, installation.settings)
            async with database.reading() as connection:
                named = filters.account_id
                if named is None:
                    return await list_decisions(connection, filters, limit=limit)
                account = await account_by_id(connection, named) or await account_named(connection, named)
                if account is None:
                    raise AccountUnknown(f"There is no account {named!r}.")
                of_account = DecisionFilters(action=filters.action, category=filters.category, account_id=account.id)
                return await list_decisions(connection, of_account, limit=limit)
        finally:
            await database.close()

    return asyncio.run(reading())


def _installation() -> Installation:
    settings = load_settings()
    start_logging(form=settings.log_format, level="warning")
    prepare_folder(settings)
    return Installation(settings=settings)


def _row(decision: DecisionRow) -> dict[str, Cell]:
    judged = None if decision.judged is None else ModerationInput.from_json(decision.judged)
    return {
        "number": decision.number,
        "created_at": decision.created_at.isoformat(timespec="seconds"),
        "account_id": decision.account_id,
        "surface": decision.surface,
        "verdict": decision.action,
        "category": decision.category,
        "rules": decision.rules,
        "policy": decision.policy,
        "has_picture": None if judged is None else judged.source is not None,
        "generation_id": decision.generation_id,
        "prompt": None if judged is None else judged.prompt,
        "negative_prompt": None if judged is None else judged.negative_prompt,
    }

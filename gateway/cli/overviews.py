"""Commands that show what there is and what is going on: plans, queue, webhooks, decisions, the audit log; beside a running server."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
OneAccount = Annotated[str | None, typer.Option("--account", help="Only this account's.")]
EXIT_DIFFERENT = 1
Limit = Annotated[int, typer.Option(min=1, max=1000, help="So many, the newest first.")]

plans = typer.Typer(help="The plans of this installation.", no_args_is_help=True)
audit = typer.Typer(help="Who changed what.", no_args_is_help=True)
queue = typer.Typer(help="What is queued and being painted.", no_args_is_help=True)
safety = typer.Typer(help="What the content policy flagged and refused.", no_args_is_help=True)
webhooks = typer.Typer(help="How webhooks do.", no_args_is_help=True)


@plans.command("list")
def list_plans(as_json: Json = False) -> None:
    """Show every plan as `plans.toml` says it now; a running server has what it read at its start."""
    from gateway.cli.accounts import show_plans

    show_plans(as_json=as_json)


@audit.command("list")
def list_audit(account: OneAccount = None, limit: Limit = 20, as_json: Json = False) -> None:
    """Show who changed accounts, keys and credits."""
    from gateway.cli.accounts import show_audit

    show_audit(account, limit=limit, as_json=as_json)


@queue.command("show")
def show_queue(as_json: Json = False) -> None:
    """Show open generations by account, state and priority."""
    from gateway.cli.status import show_queue as show

    show(as_json=as_json)


@webhooks.command("show")
def show_webhooks(as_json: Json = False) -> None:
    """Show what has not arrived, and the endpoints that fail or are disabled."""
    from gateway.cli.status import show_webhooks as show

    show(as_json=as_json)


Verdicts = Annotated[str | None, typer.Option("--verdict", help="Only flag, or only block.")]
Category = Annotated[str | None, typer.Option("--category", help="Only this category, such as ncii.")]


@safety.command("decisions")
def list_decisions(
    verdict: Verdicts = None,
    category: Category = None,
    account: OneAccount = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show what was flagged and refused, with the words while they are kept (PINXIT_SAFETY_TEXT_DAYS)."""
    from gateway.cli.decisions import show_decisions
    from storage import DecisionFilters

    filters = DecisionFilters(action=_verdict(verdict), category=category, account_id=account)
    show_decisions(filters, limit=limit, as_json=as_json)


@safety.command("replay")
def replay_decisions(
    verdict: Verdicts = None,
    category: Category = None,
    account: OneAccount = None,
    limit: Limit = 1000,
    as_json: Json = False,
) -> None:
    """Judge again what is kept, by the rules as they are now. Exit code 1: some verdict is another one."""
    from gateway.cli.decisions import replay_decisions as replay
    from storage import DecisionFilters

    filters = DecisionFilters(action=_verdict(verdict), category=category, account_id=account)
    if not replay(filters, limit=limit, as_json=as_json):
        raise typer.Exit(EXIT_DIFFERENT)


def _verdict(word: str | None) -> str | None:
    """Raises RequestInvalid: it is none; a misspelt one would list nothing."""
    from models import RequestInvalid

    if word not in {None, "flag", "block"}:
        raise RequestInvalid(f"--verdict is flag or block, not {word!r}.", field="--verdict")
    return word

"""Commands that show what there is and what is going on: plans, queue, webhooks, the audit log; beside a running server."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
OneAccount = Annotated[str | None, typer.Option("--account", help="Only this account's.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="So many, the newest first.")]

plans = typer.Typer(help="The plans of this installation.", no_args_is_help=True)
audit = typer.Typer(help="Who changed what.", no_args_is_help=True)
queue = typer.Typer(help="What is queued and being painted.", no_args_is_help=True)
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

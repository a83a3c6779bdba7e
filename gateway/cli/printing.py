"""Tables for people, JSON for programs."""

import sys
from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

Cell = str | int | bool | None | Sequence[str]


def print_rows(title: str, rows: Sequence[Mapping[str, Cell]], *, as_json: bool) -> None:
    """One table, or one JSON list."""
    if as_json:
        print_json(rows)
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ("nothing yet",):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_shown(cell) for cell in row.values()))
    Console(highlight=False).print(table)


def print_json(content: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n")


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell) if isinstance(cell, str | int) else ", ".join(cell)

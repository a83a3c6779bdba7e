"""Tables for people, JSON for programs."""

import sys
from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Cell = str | int | bool | None | Sequence[str]

WIDEST = 10_000
"""Characters of a line, where no window bounds it."""


def print_rows(title: str, rows: Sequence[Mapping[str, Cell]], *, as_json: bool) -> None:
    """One table, or one JSON list. No cell is ever cut or folded: an id must stay one word."""
    if as_json:
        print_json(rows)
        return
    console = Console(highlight=False, markup=False)
    table = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ("nothing yet",):
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_shown(cell)) for cell in row.values()))
    needed = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    if console.is_terminal and needed > console.width:
        _print_records(console, title, rows)
    else:
        Console(highlight=False, markup=False, width=max(needed, console.width)).print(table)


def _print_records(console: Console, title: str, rows: Sequence[Mapping[str, Cell]]) -> None:
    """A line for each cell: what is copied from a narrow window is whole."""
    console.print(title, soft_wrap=True)
    for row in rows:
        name_width = max(map(len, row))
        console.print("\n".join(f"{name:<{name_width}}  {_shown(cell)}" for name, cell in row.items()), soft_wrap=True)
        console.print()


def print_json(content: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n")


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell) if isinstance(cell, str | int) else ", ".join(cell)

"""Sizes: what does not fit on a screen is not understood at a glance.

One exemption: a command's options are its function's parameters, because typer reads them there.
"""

import ast
import re
import tomllib
from pathlib import Path

from tests.architecture.source_tree import Source, lines

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_PARAMETERS = 6
MAX_COMPLEXITY = 8


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, the docstring not counted."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(".command(" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_no_file_is_longer_than_300_lines(sources: list[Source]) -> None:
    long = [f"{source.name} {count}" for source in sources if (count := source.text.count("\n")) > MAX_FILE_LINES]

    assert long == [], lines(long)


def test_no_function_is_longer_than_40_lines(sources: list[Source]) -> None:
    long = [
        source.at(function, f"{function.name} {body_lines(function)}")
        for source in sources
        for function in source.functions()
        if body_lines(function) > MAX_FUNCTION_LINES
    ]

    assert long == [], lines(long)


def test_no_function_takes_more_than_6_parameters(sources: list[Source]) -> None:
    wide = [
        source.at(function, f"{function.name}({', '.join(parameters(function))})")
        for source in sources
        for function in source.functions()
        if len(parameters(function)) > MAX_PARAMETERS and not is_command(function)
    ]

    assert wide == [], lines(wide)


def test_ruff_holds_complexity_at_8_and_nothing_is_let_through(root: Path, sources: list[Source]) -> None:
    lint = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    let_through = [source.name for source in sources if re.search(r"noqa:.*\b(C901|PLR09\d\d)", source.text)]

    assert "C90" in lint["select"]
    assert lint["mccabe"]["max-complexity"] == MAX_COMPLEXITY
    assert let_through == [], lines(let_through)

"""One word per idea, and no drawers: a name says what the thing is."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.source_tree import Source, lines

DRAWERS = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "base"} | {
    "processor",
    "processors",
    "data",
    "info",
    "job",
    "jobs",
    "task",
    "tasks",
}
# Named so by somebody else.
GIVEN = {
    "data_received": "a method of asyncio.Protocol",
    "_start_asgi_task": "a method of uvicorn's protocol",
    "base_url": "what the web and every client library call it",
    "base_url_of": "likewise",
    "data_dir": "the setting PINXIT_DATA_DIR",
    "info": "a member of the answers of A1111's web UI",
    "job": "likewise",
    "job_count": "likewise",
    "job_no": "likewise",
    "data": "the member of a list answer and of a Standard Webhooks body",
}


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z][A-Z0-9]*(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def defined_names(tree: ast.Module) -> Iterator[tuple[ast.stmt | ast.expr | ast.arg, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node, node.attr


def test_no_name_is_a_drawer(sources: list[Source]) -> None:
    drawers = [
        f"{source.name}:{node.lineno} {name}"
        for source in sources
        for node, name in defined_names(source.tree)
        if words(name) & DRAWERS and name not in GIVEN
    ]

    assert drawers == [], lines(drawers)


def test_no_file_or_folder_is_a_drawer(sources: list[Source]) -> None:
    drawers = [source.name for source in sources if words(source.name.removesuffix(".py").replace("/", "_")) & DRAWERS]

    assert drawers == [], lines(drawers)


def test_words_are_split_as_people_read_them() -> None:
    assert words("JobInfo") == {"job", "info"}
    assert words("BASE62") == {"base62"}
    assert words("_data_dir") == {"data", "dir"}
    assert words("HTTPManager") == {"http", "manager"}

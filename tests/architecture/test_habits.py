"""Habits that a linter does not know."""

import ast
import re
import subprocess
from pathlib import Path

from tests.architecture.source_tree import Source, lines

READS_ENVIRONMENT = {"gateway/settings.py"}
ASSERTING_CALL = re.compile(r"(^|\.)(raises|warns|expect|verify|(assert|check|verify)_\w+)$")
# Signatures that a framework prescribes.
PRESCRIBED = {
    "gateway/http/answering/answers.py described",
    "gateway/http/reading/refusing.py refusal_of",
    "gateway/http/reading/json_bodies.py in_json",
    "gateway/http/document/describing.py describe_members",
    "gateway/http/document/possible_errors.py can_happen",
    "gateway/http/document/schema.py document",
    "gateway/telemetry.py mask_secrets",
}


def test_only_the_settings_read_the_environment(sources: list[Source]) -> None:
    readers = {
        source.name
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute | ast.ImportFrom) and reads_environment(node)
    }

    assert readers <= READS_ENVIRONMENT


def reads_environment(node: ast.Attribute | ast.ImportFrom) -> bool:
    words = {"environ", "environb", "getenv", "putenv"}
    if isinstance(node, ast.Attribute):
        return node.attr in words and ast.unparse(node.value) == "os"
    return node.module == "os" and any(alias.name in words for alias in node.names)


def test_nothing_is_global(sources: list[Source]) -> None:
    assert [s.at(node, "global") for s in sources for node in ast.walk(s.tree) if isinstance(node, ast.Global)] == []


def test_no_public_signature_takes_or_gives_any(sources: list[Source]) -> None:
    vague = [
        source.at(function, function.name)
        for source in sources
        for function in source.functions()
        if not source.name.startswith("storage/migrations/")  # a column's type is Any to alembic
        and f"{source.name} {function.name}" not in PRESCRIBED
        and not function.name.startswith("_")
        and "Any" in annotation_words(function)
    ]

    assert vague == [], lines(vague)


def annotation_words(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    annotations = [argument.annotation for argument in arguments if argument.annotation] + [
        expression for expression in [function.returns] if expression
    ]
    return {node.id for expression in annotations for node in ast.walk(expression) if isinstance(node, ast.Name)}


def test_nothing_is_left_for_later(root: Path) -> None:
    marks = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "Not" + "ImplementedError")))
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.toml", "*.md", "*.js", "*.html", "*.css", "Makefile"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    left = [
        f"{name}:{number} {line.strip()}"
        for name in listed.stdout.split()
        if (root / name).exists()
        for number, line in enumerate((root / name).read_text().splitlines(), start=1)
        if marks.search(line)
    ]

    assert left == [], lines(left)


def test_every_test_can_fail(sources_of_tests: list[Source]) -> None:
    toothless = [
        source.at(function, function.name)
        for source in sources_of_tests
        for function in source.functions()
        if function.name.startswith("test_") and not asserts(function) and not is_fixture(function)
    ]

    assert toothless == [], lines(toothless)


def asserts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and ASSERTING_CALL.search(ast.unparse(node.func)))
        for node in ast.walk(function)
    )


def is_fixture(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_no_test_patches(sources_of_tests: list[Source]) -> None:
    """A fake keeps a port's promise; a patch keeps none."""
    patches = [
        source.at(node, "mock")
        for source in sources_of_tests
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node).replace(".", " ").split()
    ]

    assert patches == [], lines(patches)


def test_tests_are_found_by_path_and_never_shadow_the_source(root: Path) -> None:
    assert list((root / "tests").rglob("__init__.py")) == []

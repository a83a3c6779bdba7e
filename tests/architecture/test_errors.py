"""One error tree, one table to HTTP, and nothing swallowed on the way."""

import ast
import importlib
from collections.abc import Iterator
from typing import TypeVar

from tests.architecture.source_tree import Source, lines

T = TypeVar("T")

EDGES = {
    "gateway/worker.py": "whatever goes wrong in one generation stays in it and becomes a Failed",
    "models/diffusion/child.py": "likewise for one message to the engine",
    "models/diffusion/autoencoding/preview.py": "a preview that fails is left out; its picture goes on",
    "models/diffusion/engine_loop.py": "likewise for one painting",
    "models/diffusion/sharing/attempts.py": "likewise for one pass that several share",
    "gateway/http/edge/envelope.py": "a defect of ours answers in the contract's form, and is logged",
}
TORCH = ("models/diffusion/", "models/training/", "safety/learned/")


def subclasses(kind: type[T]) -> Iterator[type[T]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def import_everything(sources: list[Source]) -> None:
    for source in sources:
        if not source.name.startswith((*TORCH, "storage/migrations/")) and not source.name.endswith("__main__.py"):
            importlib.import_module(source.name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def test_every_error_has_a_row_in_the_table_to_http(sources: list[Source]) -> None:
    from gateway.http.edge.problems import PROBLEMS
    from models import DomainError

    import_everything(sources)
    raised = {kind for kind in subclasses(DomainError) if "code" in vars(kind)}

    assert {kind.__name__ for kind in raised} == {kind.__name__ for kind in PROBLEMS}


def test_every_code_has_a_page_with_an_example_and_no_page_is_left_over() -> None:
    from gateway.http.edge.problems import PROBLEMS
    from gateway.http.pages.explanations import EXPLANATIONS

    assert {kind.code for kind in PROBLEMS} == set(EXPLANATIONS)
    assert [code for code, page in EXPLANATIONS.items() if not (page.means and page.remedy and page.example)] == []


def test_every_leaf_of_the_tree_has_a_public_code(sources: list[Source]) -> None:
    from models import DomainError

    import_everything(sources)
    leaves = [kind for kind in subclasses(DomainError) if not kind.__subclasses__()]

    assert leaves
    assert [kind.__name__ for kind in leaves if not hasattr(kind, "code")] == []


def test_every_error_is_refused_or_failed_or_a_setting(sources: list[Source]) -> None:
    from models import DomainError, Failed, Refused, SettingInvalid

    import_everything(sources)

    assert set(DomainError.__subclasses__()) == {Refused, Failed, SettingInvalid}


def test_everything_is_caught_at_the_edges_only(sources: list[Source]) -> None:
    caught = [
        source.at(node, ast.unparse(node).splitlines()[0])
        for source in sources
        if source.name not in EDGES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler | ast.Call) and is_catch_all(node)
    ]

    assert caught == [], lines(caught)


def is_catch_all(node: ast.ExceptHandler | ast.Call) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or not {"Exception", "BaseException"}.isdisjoint(words_of(node.type))
    is_suppressing = ast.unparse(node.func).endswith("suppress")
    return is_suppressing and any(not {"Exception", "BaseException"}.isdisjoint(words_of(one)) for one in node.args)


def words_of(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def test_cancellation_is_never_swallowed(sources: list[Source]) -> None:
    """Whoever catches CancelledError raises it again."""
    swallowed = [
        source.at(node, "CancelledError")
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and node.type is not None and "CancelledError" in ast.unparse(node.type)
        if not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]

    assert swallowed == [], lines(swallowed)

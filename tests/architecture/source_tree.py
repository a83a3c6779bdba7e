"""The source as text and trees."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "models", "router", "safety", "storage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One Python file; `name` is its path from the repository's root."""

    name: str
    text: str
    tree: ast.Module

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    def at(self, node: ast.stmt | ast.expr | ast.excepthandler, what: str) -> str:
        """How a finding is reported: a line that an editor opens."""
        return f"{self.name}:{node.lineno} {what}"


def read_sources(*folders: str) -> list[Source]:
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return [
        Source(name=file.relative_to(ROOT).as_posix(), text=file.read_text(), tree=ast.parse(file.read_text()))
        for file in files
    ]


def lines(findings: list[str]) -> str:
    """For an assertion's message: every finding on its own line."""
    return "\n" + "\n".join(findings)

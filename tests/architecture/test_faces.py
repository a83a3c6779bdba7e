"""A package's face says what the package answers, and costs nothing to look at."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import Source, lines

HEAVY = ("torch", "diffusers", "transformers", "accelerate", "numpy")
HOLDS_TORCH = ("models.diffusion", "models.training", "safety.learned")  # opened by the engine's child process alone
# Modules loaded, the standard library's included: `--help` must be instant, and the server must answer within a second.
BUDGETS = {"gateway.cli": 250, "gateway.cli.serving": 1200}
LOADED_WHEN_NEEDED = ("alembic", "obstore", "arq", "asyncpg")


def module_name(source: Source) -> str:
    return source.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def loaded_after(root: Path, *modules: str) -> set[str]:
    """Names in `sys.modules` of a fresh interpreter that imported `modules`."""
    program = f"import sys, {', '.join(modules)}\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_no_face_loads_torch_or_numpy(root: Path, faces: list[Source]) -> None:
    light = [name for name in map(module_name, faces) if not name.startswith(HOLDS_TORCH)]

    loaded = loaded_after(root, *light)

    assert set(light) <= loaded
    assert loaded.isdisjoint(HEAVY), f"find it with: python -X importtime -c 'import {', '.join(light)}'"


@pytest.mark.parametrize(("module", "budget"), BUDGETS.items())
def test_a_start_loads_little(root: Path, module: str, budget: int) -> None:
    loaded = loaded_after(root, module)

    assert loaded.isdisjoint(HEAVY)
    assert loaded.isdisjoint(LOADED_WHEN_NEEDED)
    assert len(loaded) <= budget


def test_every_face_has_a_docstring(faces: list[Source]) -> None:
    assert [face.name for face in faces if not ast.get_docstring(face.tree)] == []


def test_a_face_holds_imports_and_all_and_nothing_else(faces: list[Source]) -> None:
    more = [
        face.at(node, type(node).__name__)
        for face in faces
        for node in face.tree.body[1:]
        if not isinstance(node, ast.Import | ast.ImportFrom) and not is_all(node)
    ]

    assert more == [], lines(more)


def test_a_face_that_imports_says_what_it_offers(faces: list[Source]) -> None:
    silent = [
        face.name
        for face in faces
        if any(isinstance(node, ast.ImportFrom) for node in face.tree.body) and not any(map(is_all, face.tree.body))
    ]

    assert silent == [], lines(silent)


def test_no_face_offers_a_name_equal_to_one_of_its_files(root: Path, faces: list[Source]) -> None:
    clashes = [f"{face.name} {name}" for face in faces for name in offered(face) & neighbours(root / face.name)]

    assert clashes == [], lines(clashes)


def is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]


def offered(face: Source) -> set[str]:
    return {name for node in filter(is_all, face.tree.body) if isinstance(node, ast.Assign) for name in names(node)}


def names(node: ast.Assign) -> list[str]:
    return list(ast.literal_eval(node.value))


def neighbours(face: Path) -> set[str]:
    files = {file.stem for file in face.parent.glob("*.py")}
    return files | {folder.name for folder in face.parent.iterdir() if (folder / "__init__.py").exists()}

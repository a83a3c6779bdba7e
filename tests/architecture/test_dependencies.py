"""What we install is what we tested."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURSELVES = "pinxit"


def pins(root: Path) -> dict[str, str]:
    lines = (line.split(";")[0].strip() for line in (root / "constraints.txt").read_text().splitlines())
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def declared(root: Path) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    listed = [project["project"]["dependencies"], *extras, project["dependency-groups"]["dev"]]
    return [Requirement(text) for group in listed for text in group if not text.startswith(OURSELVES)]


def reached(first: list[Requirement]) -> set[str]:
    """Every installed package that these need, directly or not."""
    waiting, seen = list(first), set[tuple[str, frozenset[str]]]()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        waiting += needs(wanted)
    return {name for name, _ in seen}


def needs(wanted: Requirement) -> list[Requirement]:
    try:
        listed = distribution(wanted.name).requires or []
    except PackageNotFoundError:
        return []
    extras = {"", *wanted.extras}
    requirements = map(Requirement, listed)
    return [
        one for one in requirements if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def installed(name: str) -> str | None:
    """The public version: `2.13.0+cpu` is 2.13.0 here."""
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return None


def test_every_package_we_use_is_pinned_as_installed(root: Path) -> None:
    pinned = pins(root)
    versions = {name: installed(name) for name in reached(declared(root))}
    cuda = re.compile(r"nvidia-|triton$|cuda-")  # torch's CUDA build pins these itself

    wrong = [
        f"{name}=={version}"
        for name, version in sorted(versions.items())
        if version is not None and not cuda.match(name) and pinned.get(name) != version
    ]

    assert wrong == [], "put these lines into constraints.txt, or install again"


def test_every_declared_dependency_is_pinned(root: Path) -> None:
    assert [one.name for one in declared(root) if canonicalize_name(one.name) not in pins(root)] == []


def test_no_pin_is_left_over(root: Path) -> None:
    """Each pin is reached from pyproject.toml, or installs the rest."""
    elsewhere = {"pip", "hatchling", "async-timeout"}  # the installer, the build, redis below Python 3.11.3

    assert sorted(set(pins(root)) - reached(declared(root)) - elsewhere) == []


def test_torch_is_the_release_that_was_tested(root: Path) -> None:
    assert pins(root)["torch"] == "2.13.0"

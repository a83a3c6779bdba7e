"""Every file is read once for all tests here."""

from pathlib import Path

import pytest

from tests.architecture.source_tree import PACKAGES, ROOT, Source, read_sources


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Everything that is shipped."""
    return read_sources(*PACKAGES)


@pytest.fixture(scope="session")
def sources_of_tests() -> list[Source]:
    return read_sources("tests")


@pytest.fixture(scope="session")
def faces(sources: list[Source]) -> list[Source]:
    return [source for source in sources if source.name.endswith("/__init__.py")]

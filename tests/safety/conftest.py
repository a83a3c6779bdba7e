from pathlib import Path

import pytest

from safety import PromptFilter
from safety.confusables import Confusables, load_confusables

FOLDER = Path(__file__).parents[2] / "configs" / "safety"


@pytest.fixture(scope="session")
def prompt_filter() -> PromptFilter:
    return PromptFilter.load(FOLDER)


@pytest.fixture(scope="session")
def confusables() -> Confusables:
    return load_confusables(FOLDER / "confusables.toml")

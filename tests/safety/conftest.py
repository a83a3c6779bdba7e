from pathlib import Path

import pytest
from plugins.text_judge import TextJudge

from safety import PromptFilter
from safety.confusables import Confusables, load_confusables

FOLDER = Path(__file__).parents[2] / "configs" / "safety"


@pytest.fixture(scope="session")
def prompt_filter() -> TextJudge:
    return TextJudge(PromptFilter.load(FOLDER))


@pytest.fixture(scope="session")
def confusables() -> Confusables:
    return load_confusables(FOLDER / "confusables.toml")

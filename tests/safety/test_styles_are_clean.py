"""What a style adds to a prompt reaches the text encoder unseen by callers: none of it may be a finding."""

import tomllib
from pathlib import Path

import pytest
from plugins.text_judge import PHOTO, TextJudge

STYLES = sorted((Path(__file__).parents[2] / "configs" / "styles").glob("*.toml"))


def texts(table: object) -> list[str]:
    if isinstance(table, dict):
        return [text for member in table.values() for text in texts(member)]
    if isinstance(table, list):
        return [text for member in table for text in texts(member)]
    return [table] if isinstance(table, str) else []


@pytest.mark.parametrize("file", STYLES, ids=lambda file: file.stem)
def test_no_text_of_a_style_is_a_finding(prompt_filter: TextJudge, file: Path) -> None:
    said = texts(tomllib.loads(file.read_text()))
    assert said
    for text in (*said, ", ".join(said)):
        for source in (None, PHOTO):
            prompt = text.replace("{prompt}", "a girl on a beach")
            assert prompt_filter.judge(prompt, policy="strict", source=source).findings == ()


@pytest.mark.parametrize("file", STYLES, ids=lambda file: file.stem)
def test_no_negative_prompt_of_a_style_asks_for_the_absence_of_clothes(prompt_filter: TextJudge, file: Path) -> None:
    table = tomllib.loads(file.read_text())
    wordings = [table["prompt"], *(family.get("prompt", {}) for family in table["families"].values())]
    for negative in (wording.get("negative", "") for wording in wordings):
        assert prompt_filter.judge("a girl on a beach", negative_prompt=negative, source=PHOTO).findings == ()

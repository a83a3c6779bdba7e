"""What a style adds to a prompt reaches the text encoder unseen by callers: none of it may be a finding."""

import tomllib
from pathlib import Path

import pytest
from plugins.text_judge import TextJudge

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
        assert prompt_filter.judge(text.replace("{prompt}", "a girl on a beach"), policy="strict").findings == ()

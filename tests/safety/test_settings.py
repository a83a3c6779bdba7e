import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from plugins.text_judge import TextJudge

from models import SettingInvalid
from safety import PromptFilter

FOLDER = Path(__file__).parents[2] / "configs" / "safety"


def changed(folder: Path, file: str, change: Callable[[str], str]) -> Path:
    copy = folder / "safety"
    shutil.copytree(FOLDER, copy)
    before = (copy / file).read_text()
    after = change(before)
    assert after != before
    (copy / file).write_text(after)
    return copy


@pytest.mark.parametrize(
    "action", ['{ action = "flag" }', '{ action = "allow" }', '{ action = "block", threshold = 0.9 }']
)
@pytest.mark.parametrize("category", ["csae", "ncii"])
def test_no_operator_can_weaken_csae_or_ncii(tmp_path: Path, category: str, action: str) -> None:
    folder = changed(
        tmp_path,
        "policies.toml",
        lambda text: text.replace(f'{category} = {{ action = "block" }}', f"{category} = {action}", 1),
    )
    with pytest.raises(SettingInvalid, match=category):
        PromptFilter.load(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("policies.toml", "threshold = 0.3", "threshold = 3", "threshold"),
        ("policies.toml", 'action = "flag"', 'action = "shrug"', "action"),
        ("policies.toml", "art_action =", "arty_action =", "arty_action"),
        ("policies.toml", "counterfeit = ", "conterfeit = ", "counterfeit"),
        ("rules.toml", 'all = ["minor_coded"]', 'all = ["nobody"]', "nobody"),
        ("rules.toml", "negatable = true", 'negatable = "perhaps"', "negatable"),
        ("rules.toml", 'all = ["minor_coded"]', "all = []", "csae.coded"),
        ("rules.toml", 'first = "removing"', 'first = "nothing_of_the_kind"', "nothing_of_the_kind"),
        ("lexicons/en.toml", "schema = 1", "schema = 7", "schema"),
        ("lexicons/en.toml", "[groups.minor]", "[groups.minor", "en.toml"),
        ("confusables.toml", 'b = "', "b = 7 #", "confusables.toml"),
    ],
)
def test_a_wrong_file_stops_the_start_and_is_named(tmp_path: Path, file: str, old: str, new: str, named: str) -> None:
    folder = changed(tmp_path, file, lambda text: text.replace(old, new, 1))
    with pytest.raises(SettingInvalid) as wrong:
        PromptFilter.load(folder)
    assert named in wrong.value.message


@pytest.mark.parametrize("file", ["policies.toml", "rules.toml", "confusables.toml"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    copy = tmp_path / "safety"
    shutil.copytree(FOLDER, copy)
    (copy / file).unlink()
    with pytest.raises(SettingInvalid, match=file):
        PromptFilter.load(copy)


def test_an_operators_lexicon_adds_words_to_a_group(tmp_path: Path) -> None:
    copy = tmp_path / "safety"
    shutil.copytree(FOLDER, copy)
    own = 'schema = 1\nlanguage = "en"\n[groups.real_person]\nphrases = ["jane placeholder"]\n'
    (copy / "lexicons" / "own.toml").write_text(own)
    assert not TextJudge(PromptFilter.load(FOLDER)).judge("jane placeholder, nude").is_blocked
    assert TextJudge(PromptFilter.load(copy)).judge("jane placeholder, nude").category == "ncii"

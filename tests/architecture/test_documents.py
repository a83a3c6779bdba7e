"""What the documents say is there, is there."""

import re
from pathlib import Path

import pytest

from gateway.settings import PREFIX, Settings
from tests.architecture.source_tree import ROOT, lines

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
MAX_DECISION_LINES = 60
TOP = ("gateway/", "models/", "router/", "safety/", "storage/", "tests/", "configs/", "docs/", ".ci/")


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_path_a_document_names_exists(document: Path) -> None:
    quoted = re.findall(r"`([\w./-]+)`", document.read_text())
    missing = [path for path in quoted if path.startswith(TOP) and not (ROOT / path).exists()]

    assert missing == [], lines(missing)


def test_the_page_on_architecture_names_files_by_their_whole_path() -> None:
    """So that the test above sees each of them; files every folder has go by their name."""
    quoted = re.findall(r"`([\w./-]+\.(?:py|toml|txt))`", (ROOT / "docs" / "architecture.md").read_text())
    short = [path for path in quoted if not (ROOT / path).exists() and path != "__init__.py"]

    assert short == [], lines(short)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    dead = [target for target in targets if "://" not in target and not (document.parent / target).exists()]

    assert dead == [], lines(dead)


@pytest.mark.parametrize("decision", DECISIONS, ids=name)
def test_a_decision_is_a_page_says_what_enforces_it_and_stands_in_the_index(decision: Path) -> None:
    text = decision.read_text()

    assert text.count("\n") <= MAX_DECISION_LINES
    assert "\n*Enforced by*: " in text
    assert f"(decisions/{decision.name})" in (ROOT / "docs" / "README.md").read_text()


def test_the_guide_names_every_setting_and_no_other() -> None:
    named = set(
        re.findall(rf"^\| `({PREFIX}\w+)`", (ROOT / "docs" / "guides" / "settings.md").read_text(), re.MULTILINE)
    )

    assert named == {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}


def test_the_readme_has_fewer_than_a_thousand_words() -> None:
    assert len((ROOT / "README.md").read_text().split()) < 1000


def test_the_readme_names_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))

    assert {"serve", "test"} <= named
    assert named <= targets

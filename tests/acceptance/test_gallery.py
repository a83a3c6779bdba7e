"""docs/gallery.md keeps its word, and a style of the model in the box really paints through its adapter."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text()
ENTRY = re.compile(r"!\[[^]]*\]\((?P<file>[^)]+)\)\n\n```sh\n(?P<command>.+)\n```\n\n`(?P<sha>[0-9a-f]{64})`")
ENTRIES = list(ENTRY.finditer(PAGE))
ADAPTED = "blueprint"
NEAR = 12.0
"""Mean difference of a channel from the page's lossy WebP; another seed's picture lies further off."""


def pixels(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB")).astype(float)


@pytest.fixture(scope="module")
def again(home):
    """An entry that paints through an adapter, painted by the command under its picture: entry, recipe, picture."""
    (entry,) = (entry for entry in ENTRIES if f"--style {ADAPTED} " in entry["command"])
    _, *arguments = shlex.split(entry["command"])
    arguments[-1] = "again.png"
    painted = home.command(*arguments, "--recipe", "recipe.json")
    assert painted.returncode == 0, painted.stderr
    return entry, json.loads((home.folder / "recipe.json").read_text()), pixels(home.folder / "again.png")


def test_every_picture_of_the_page_stands_over_its_command() -> None:
    files = {file.name for file in (ROOT / "docs" / "pictures" / "gallery").iterdir()}
    assert len(ENTRIES) >= 10
    assert {Path(entry["file"]).name for entry in ENTRIES} == files
    assert all(entry["command"].endswith(f"-o {Path(entry['file']).name}") for entry in ENTRIES)


def test_the_command_paints_the_picture_again(again) -> None:
    entry, recipe, picture = again
    printed = recipe["fingerprint"]
    engine = (
        f"{printed['device_name']}, {printed['dtype']}, {printed['threads']} threads, torch {printed['torch']},"
        f" diffusers {printed['diffusers']}, model `{printed['model_sha256'][:16]}`"
    )
    assert np.abs(picture - pixels(ROOT / "docs" / entry["file"])).mean() < NEAR
    if engine in PAGE:
        assert recipe["pixel_sha256"] == entry["sha"]


def test_the_adapter_of_a_style_changes_the_picture_and_replays_equal(again, home) -> None:
    entry, recipe, picture = again
    assert list(recipe["fingerprint"]["adapters"]) == [f"starter-{ADAPTED}"]
    _, *arguments = shlex.split(entry["command"])
    arguments[-1] = "without.png"

    without = home.command(*arguments, "--lora", f"starter-{ADAPTED}:0")
    replayed = home.command("replay", "recipe.json", "-o", "replayed.png")

    assert without.returncode == 0, without.stderr
    assert np.abs(picture - pixels(home.folder / "without.png")).mean() > NEAR
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert np.array_equal(picture, pixels(home.folder / "replayed.png"))

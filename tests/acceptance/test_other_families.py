"""`pinxit models add FOLDER` for families that no style knows: the card says how to paint, and the model paints."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from plugins.installation import Home


def build_sd3(folder: Path) -> None:
    from plugins.tiny_transformers import build_sd3

    build_sd3(folder)


def build_pixart(folder: Path) -> None:
    from plugins.tiny_wholes import build_pixart

    build_pixart(folder)


@pytest.mark.parametrize(
    ("build", "family", "execution", "sampler"),
    [(build_sd3, "sd3", "alone", "euler"), (build_pixart, "other", "pipeline", "dpmpp_2m")],
)
def test_a_folder_of_another_family_is_added_and_paints(
    home: Home, tmp_path: Path, build: Callable[[Path], None], family: str, execution: str, sampler: str
) -> None:
    build(tmp_path / f"tiny-{family}")

    added = home.command("models", "add", str(tmp_path / f"tiny-{family}"))
    painted = home.command(
        "generate", "a red boat", "--model", f"tiny-{family}", "--seed", "7", "-o", "boat.png", "--recipe", "boat.json"
    )

    assert added.returncode == 0, added.stderr
    assert f"({family}, " in added.stdout
    assert painted.returncode == 0, painted.stderr
    recipe = json.loads((home.folder / "boat.json").read_text())
    assert recipe["fingerprint"]["execution"] == execution
    assert (recipe["spec"]["sampler"], recipe["spec"]["num_inference_steps"]) == (
        sampler,
        28 if family == "sd3" else 30,
    )

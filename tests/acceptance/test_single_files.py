"""`pinxit models add FILE`: a checkpoint as Civitai has it becomes a model that every style paints with."""

import json
import re
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image
from plugins.installation import PATIENCE_S, PINXIT, Home

from gateway.settings import Settings
from gateway.wiring import Installation


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All blocks of an SD 1.5 at tiny widths."""
    from plugins.original_keys import original_sd1

    return original_sd1(tmp_path_factory.mktemp("checkpoints") / "Tiny Dream_v8.safetensors").file


def shelf_of(home: Home) -> Path:
    return home.folder / "data" / "models"


def on_shelf(home: Home) -> list[str]:
    """What is there to see: the lock is not."""
    return sorted(entry.name for entry in shelf_of(home).glob("*") if entry.name != ".lock")


def paint_small(card: Path) -> None:
    """Let the model paint 64 x 64 and enlarge that: a test has two slow cores."""
    card.write_text(re.sub(r"native_pixels = \d+", "native_pixels = 4096", card.read_text()))


def test_a_checkpoint_is_converted_after_a_kill_too_and_every_style_paints_with_it(
    home: Home, checkpoint: Path
) -> None:
    killed_while_converting(home, checkpoint)
    (rubbish,) = on_shelf(home)
    assert rubbish.startswith(".converting-")
    catalogue = Installation(settings=Settings(data_dir=home.folder / "data")).catalogue
    assert [card.id for card in catalogue.cards()] == ["starter"], "half a model is none"

    added = home.command("models", "add", str(checkpoint), "--default")

    assert added.returncode == 0, added.stderr
    found, converted, catalogued = added.stdout.splitlines()
    assert found.startswith("found  SD 1.x, epsilon")
    assert "512x512" in found
    assert re.search(r"in \d+ s, sha256 [0-9a-f]{64}$", converted)
    assert catalogued == "tiny-dream-v8 (sd1, 512x512) is in the catalogue."
    assert on_shelf(home) == ["default", "tiny-dream-v8", "tiny-dream-v8.toml"], "the next one clears up"
    made = [shelf_of(home) / "tiny-dream-v8", *(shelf_of(home) / "tiny-dream-v8").rglob("*")]
    assert {(entry.is_dir(), stat.S_IMODE(entry.stat().st_mode)) for entry in made} == {(True, 0o755), (False, 0o644)}
    installation = Installation(settings=Settings(data_dir=home.folder / "data"))
    assert {card.id: card.is_default for card in installation.catalogue.cards()} == {
        "starter": False,
        "tiny-dream-v8": True,
    }
    assert all(style.available for style in installation.styles.entries(installation.catalogue))

    paint_small(shelf_of(home) / "tiny-dream-v8.toml")
    painted = home.command("generate", "a boat", "--style", "anime", "--quality", "standard", "-o", "boat.png")
    assert painted.returncode == 0, painted.stderr
    with Image.open(home.folder / "boat.png") as picture:
        assert picture.size == (512, 512)
        assert json.loads(picture.text["pinxit"])["spec"]["model"] == "tiny-dream-v8"

    again = home.command("models", "add", str(checkpoint))
    assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
    assert "already" in again.stderr


def killed_while_converting(home: Home, checkpoint: Path) -> None:
    order = [str(PINXIT), "models", "add", str(checkpoint), "--id", "dream"]
    with subprocess.Popen(order, env=home._environment({}), stdout=subprocess.DEVNULL) as killed:
        deadline = time.monotonic() + PATIENCE_S
        while not on_shelf(home) and time.monotonic() < deadline:
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("model.ckpt",), "pickle"),
        (("lora.safetensors",), "a LoRA"),
        (("gone.safetensors",), "No such file"),
        (("lora.safetensors", "--prediction", "noise"), "--prediction"),
        ((".", "--prediction", "epsilon"), "--prediction"),
        (("lora.safetensors", "--id", "../up"), "cannot be a model's id"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path, arguments: tuple[str, ...], names: str) -> None:
    home = Home(folder=tmp_path)
    header = json.dumps({"lora_unet_x.lora_up.weight": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "lora.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(2))
    (tmp_path / "model.ckpt").write_bytes(b"PK\x03\x04")

    refused = home.command("models", "add", *arguments)

    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1), refused.stderr
    assert names in refused.stderr
    assert on_shelf(home) == []


def test_a_full_disk_leaves_no_half_model(tmp_path: Path, checkpoint: Path) -> None:
    home = Home(folder=tmp_path)
    limited = ["sh", "-c", 'ulimit -f 8192; exec "$0" "$@"', str(PINXIT), "models", "add", str(checkpoint)]

    refused = subprocess.run(
        limited, env=home._environment({}), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    assert refused.returncode == 2, refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "could not be converted" in refused.stderr
    assert on_shelf(home) == []

"""What a recipe says of the engine."""

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from plugins.at_once import at_once
from plugins.tiny_specs import card_of

from models import Placing
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.fingerprint import PAINTS_NOTHING, SOURCE, digest_of
from models.manifest import Fingerprint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers


def fingerprint_of(folder: Path, device: Device, placing: Placing | None = None) -> Fingerprint:
    cards = {"tiny": replace(card_of(folder), placement=placing)}
    return at_once(Residency(cards, device).pipeline("tiny")).fingerprint


def test_a_fingerprint_names_every_library_that_has_a_hand_in_the_pixels(sd1: Path, device: Device) -> None:
    found = fingerprint_of(sd1, device)

    assert (found.device, found.device_name, found.threads) == ("cpu", device.name, 1)
    for library in ("torch", "diffusers", "transformers", "peft", "pillow"):
        assert getattr(found, library) == version(library)
    assert found.pinxit.endswith(f"+{digest_of(SOURCE)}")
    cuda = (
        found.cudnn,
        found.compute_capability,
        found.multiprocessors,
        found.cublas,
        found.kernels,
        found.host_cpu,
    )
    assert set(cuda) == {""}


@pytest.mark.parametrize("placing", [Placing.OFFLOAD, Placing.GROUPS])
def test_models_that_are_held_in_other_ways_have_other_fingerprints(
    sd1: Path, device: Device, placing: Placing
) -> None:
    whole, held = fingerprint_of(sd1, device), fingerprint_of(sd1, device, placing)

    assert held != whole
    assert replace(held, placement="whole") == whole
    assert held.placement.startswith(placing)


def test_every_change_of_the_source_changes_its_digest(tmp_path: Path) -> None:
    def digest(name: str, **files: str) -> str:
        for file, content in files.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{file}.py").write_text(content)
        return digest_of(tmp_path / name)

    first = digest("first", noise="x = 1", flow="")

    assert digest("same", flow="", noise="x = 1") == first
    assert len({first, digest("other", noise="x = 2", flow=""), digest("renamed", grain="x = 1", flow="")}) == 3


def test_the_digest_covers_all_that_the_engines_child_loads() -> None:
    loaded = subprocess.check_output(
        [sys.executable, "-c", "import sys, models.diffusion.child, models.diffusion.engine_loop; print(*sys.modules)"],
        cwd=SOURCE.parent,
        text=True,
    ).split()
    modules = {
        file.relative_to(SOURCE).as_posix(): ".".join(file.relative_to(SOURCE.parent).with_suffix("").parts)
        for file in SOURCE.rglob("*.py")
    }
    covered = {
        module.removesuffix(".__init__") for file, module in modules.items() if not file.startswith(PAINTS_NOTHING)
    }

    assert SOURCE.name == "models"
    assert {module for module in loaded if module.split(".")[0] == SOURCE.name} <= covered


def test_an_edit_of_training_changes_no_digest(tmp_path: Path) -> None:
    digests = []
    for number, name in enumerate(("training/reward.py", "training/reward.py", "scoring.py")):
        source = tmp_path / f"models{number}"
        (source / "training").mkdir(parents=True)
        (source / "spec.py").write_text("x = 1")
        (source / name).write_text(f"x = {number}")
        digests.append(digest_of(source))

    assert digests[0] == digests[1] != digests[2]

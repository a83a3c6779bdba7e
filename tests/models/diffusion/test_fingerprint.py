"""What a recipe says of the engine."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from plugins.at_once import at_once
from plugins.tiny_specs import card_of

from models import Placing
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.fingerprint import SOURCE, digest_of
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
    assert (found.cudnn, found.compute_capability) == ("", "")  # CUDA's alone


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

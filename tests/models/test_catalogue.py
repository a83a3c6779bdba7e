"""What a model's card says of its files."""

import re
from pathlib import Path

import pytest

from models import AdapterUnknown, Family, ModelCard, SettingInvalid, load_catalogue
from models.catalogue import refiner_of
from models.sampling import Refiner

CARD = """
id = "one"
family = "sd1"
path = "weights/one"
licence = "none"
native_pixels = 262144
is_default = true
vae = "weights/vae"
refiner = { steps = 20, strength = 0.5, path = "weights/over.safetensors" }
embeddings = { "<cat>" = "weights/cat.safetensors", dog = "/abroad/dog.safetensors" }
"""


def test_every_path_of_a_card_counts_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(CARD)

    card = load_catalogue(tmp_path, root=Path("/installation")).get("one")

    assert card.path == Path("/installation/weights/one")
    assert card.vae == Path("/installation/weights/vae")
    assert card.refiner.path == Path("/installation/weights/over.safetensors")
    assert card.embeddings == {
        "<cat>": Path("/installation/weights/cat.safetensors"),
        "dog": Path("/abroad/dog.safetensors"),
    }


def test_a_card_without_additions_has_none(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("\n".join(CARD.splitlines()[:-3]))

    card = load_catalogue(tmp_path, root=Path("/installation")).get("one")

    assert card.vae is card.refiner is None
    assert card.embeddings == {}


def test_a_refiner_is_a_lora_that_no_list_shows(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(CARD)

    catalogue = load_catalogue(tmp_path, root=Path("/installation"))

    assert catalogue.adapters() == ()
    assert catalogue.acting("one/refiner").path == Path("/installation/weights/over.safetensors")
    with pytest.raises(AdapterUnknown):
        catalogue.adapter("one/refiner")
    with pytest.raises(AdapterUnknown):
        catalogue.acting("two/refiner")


def refined(family: Family) -> ModelCard:
    refiner = Refiner(steps=20, strength=0.5)
    return ModelCard(id="one", family=family, path=Path("x"), licence="none", native_pixels=64, refiner=refiner)


def test_a_refiner_without_a_lora_is_the_model_itself() -> None:
    assert refiner_of(refined(Family.SD1)) is None


def test_a_refiner_needs_a_family_that_is_gone_over() -> None:
    with pytest.raises(ValueError, match="refiner"):
        refined(Family.FLUX)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("default_qualities = 'hd'", "'default_quality'"),
        ("default_size = { width = 512, height = 512, depth = 1 }", "'depth'"),
        ("refiner = { steps = 8, strength = 0.75, scales = 2 }", "'scale'"),
        ("zzz = 1", "'zzz' is not a member here."),
    ],
)
def test_a_misspelt_member_of_a_card_stops_the_start(tmp_path: Path, line: str, named: str) -> None:
    card = 'id = "own"\nfamily = "sd1"\npath = "x"\nlicence = "x"\nnative_pixels = 4096\nis_default = true\n'
    (tmp_path / "own.toml").write_text(card + line + "\n")
    with pytest.raises(SettingInvalid, match=re.escape(named)):
        load_catalogue(tmp_path, root=tmp_path)

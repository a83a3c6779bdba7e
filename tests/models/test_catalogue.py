"""What a model's card says of its files."""

from pathlib import Path

from models import load_catalogue

CARD = """
id = "one"
family = "sd1"
path = "weights/one"
licence = "none"
native_pixels = 262144
is_default = true
vae = "weights/vae"
embeddings = { "<cat>" = "weights/cat.safetensors", dog = "/abroad/dog.safetensors" }
"""


def test_every_path_of_a_card_counts_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(CARD)

    card = load_catalogue(tmp_path, root=Path("/installation")).get("one")

    assert card.path == Path("/installation/weights/one")
    assert card.vae == Path("/installation/weights/vae")
    assert card.embeddings == {
        "<cat>": Path("/installation/weights/cat.safetensors"),
        "dog": Path("/abroad/dog.safetensors"),
    }


def test_a_card_without_additions_has_none(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("\n".join(CARD.splitlines()[:-2]))

    card = load_catalogue(tmp_path, root=Path("/installation")).get("one")

    assert card.vae is None
    assert card.embeddings == {}

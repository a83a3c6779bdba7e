"""The command line without a server."""

import json

import pytest
from PIL import Image


def test_generate_paints_a_file_and_prints_seed_and_name(home):
    painted = home.command(
        *("generate", "a blue boat on a lake at night", "--style", "watercolor", "--seed", "7", "-o", "out.png")
    )
    assert painted.returncode == 0, painted.stderr
    assert painted.stdout.split() == ["seed", "7", "file", "out.png"]
    with Image.open(home.folder / "out.png") as picture:
        picture.load()
        assert picture.size == (512, 512)
        recipe = json.loads(picture.text["pinxit"])
    assert recipe["spec"]["seed"] == 7


def test_paint_is_the_same_command_and_the_same_seed_the_same_picture(home):
    for name in ("first.png", "second.png"):
        assert home.command("paint", "a red house", "--seed", "3", "-o", name).returncode == 0
    with Image.open(home.folder / "first.png") as first, Image.open(home.folder / "second.png") as second:
        assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    ("arguments", "settings", "names"),
    [
        (("serve",), {"PORT": "many"}, "PINXIT_PORT"),
        (("serve",), {"PORT": 70000}, "PINXIT_PORT"),
        (("serve",), {"DEVICE": "abacus"}, "PINXIT_DEVICE"),
        (("serve",), {"DATABASE_URL": "mysql://root:secret@db"}, "PINXIT_DATABASE_URL"),
        (("serve",), {"BLOB_URL": "ftp://x"}, "PINXIT_BLOB_URL"),
        (("serve",), {"REDIS_URL": "http://x"}, "PINXIT_REDIS_URL"),
        (("serve",), {"PUBLIC_URL": "example.com"}, "PINXIT_PUBLIC_URL"),
        (("serve",), {"HOST": "nowhere.invalid"}, "PINXIT_HOST"),
        (("serve",), {"PROT": 80}, "PINXIT_PORT"),
        (("keys", "create", "--account", "x", "--plan", "gold"), {}, "gold"),
        (("keys", "create", "--account", "x", "--scopes", "everything"), {}, "everything"),
        (("keys", "revoke", "key_nothing"), {}, "key_nothing"),
        (("models", "add", "."), {}, "model_index.json"),
        (("generate", "x" * 1501), {}, "prompt"),
        (("generate", "a boat", "-o", "boat.gif"), {}, "boat.gif"),
        (("generate", "a boat", "--style", "nope"), {}, "nope"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_that_names_it(home, arguments, settings, names):
    refused = home.command(*arguments, **settings)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert names in refused.stderr
    assert "secret" not in refused.stderr


def test_models_and_styles_are_listed(home):
    models = json.loads(home.command("models", "list", "--json").stdout)
    assert [(model["id"], model["default"]) for model in models] == [
        ("starter", True),
        ("starter-x4", True),
    ]
    styles = json.loads(home.command("styles", "list", "--json").stdout)
    assert {"auto", "watercolor", "none"} <= {style["id"] for style in styles if style["available"]}
    assert "watercolor" in home.command("styles", "list").stdout

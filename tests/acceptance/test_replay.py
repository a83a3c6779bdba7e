"""The same pixels again, from the file alone: without a server, and for what a server painted."""

import json
from hashlib import sha256

import pytest
from PIL import Image

from gateway.cli.replaying import recipes_in


@pytest.fixture(scope="module")
def painted(home):
    """A picture and its recipe, painted by the command line in this module's folder."""
    made = home.command("generate", "a red boat on a lake", "--seed", "5", "-o", "a.png", "--recipe", "a.json")
    assert made.returncode == 0, made.stderr
    assert made.stdout.split() == ["seed", "5", "file", "a.png", "recipe", "a.json"]
    return home.folder


def pixels(file):
    with Image.open(file) as picture:
        return picture.convert("RGB").tobytes()


def test_a_picture_is_painted_again_from_its_own_file(home, painted):
    again = home.command("replay", "a.png", "-o", "b.png")
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines() == ["identical: true", "file b.png"]
    assert pixels(painted / "a.png") == pixels(painted / "b.png")


def test_what_differs_is_named_line_by_line(home, painted):
    recipe = json.loads((painted / "a.json").read_text())
    with Image.open(painted / "a.png") as picture:
        assert json.loads(picture.text["pinxit"]) == recipe
    true = recipe["pixel_sha256"]
    recipe["pixel_sha256"] = "0" * 64
    recipe["fingerprint"]["torch"] = "2.9.0"
    (painted / "other.json").write_text(json.dumps([recipe, recipe]))
    again = home.command("replay", "other.json", "--index", "1", "-o", "c.webp")
    assert again.returncode == 1, again.stderr
    assert again.stdout.splitlines() == [
        "identical: false",
        f"pixel_sha256: {'0' * 64} -> {true}",
        f"fingerprint.torch: 2.9.0 -> {json.loads((painted / 'a.json').read_text())['fingerprint']['torch']}",
        "file c.webp",
    ]
    with Image.open(painted / "c.webp") as picture:
        assert (picture.format, picture.size) == ("WEBP", (512, 512))


def test_what_a_server_painted_is_painted_again_there_and_without_it(home, server):
    body = server.paint(seed=8, format="webp", prompt="a castle on a hill at night").json()
    path = f"/v1/generations/{body['generation_id']}"
    there = server.http.post(f"{server.url}{path}/replay", headers=server.headers).json()
    assert there["identical"] is True
    assert there["images"][0]["expected_pixel_sha256"] == body["images"][0]["pixel_sha256"]
    file, answer = server.http.get(body["image_url"]).content, server.get(f"{path}/recipe").content
    assert recipes_in(file, name="file") == recipes_in(answer, name="answer")
    server.stop()
    (home.folder / "served.webp").write_bytes(file)
    again = home.command("replay", "served.webp")
    assert again.stdout.splitlines() == ["identical: true", "file again.png"], again.stderr
    assert again.returncode == 0


def test_a_picture_that_began_from_another_is_painted_again_from_that_one(home, painted):
    recipe = json.loads((painted / "a.json").read_text())
    recipe["spec"]["init_image"] = {"sha256": sha256((painted / "a.png").read_bytes()).hexdigest(), "strength": 0.5}
    recipe["spec"]["refining"] = recipe["spec"]["size"]["refined"] = None  # what starts from a picture is not refined
    (painted / "begun.json").write_text(json.dumps(recipe))
    begun = home.command("replay", "begun.json", "--init-image", "a.png", "-o", "begun.png")
    assert begun.returncode == 1, begun.stderr
    assert pixels(painted / "begun.png") != pixels(painted / "a.png")
    again = home.command("replay", "begun.png", "--init-image", "a.png", "-o", "d.png")
    assert again.stdout.splitlines() == ["identical: true", "file d.png"], again.stderr


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("replay", "nowhere.png"), "nowhere.png"),
        (("replay", "noise.png"), "neither JSON nor"),
        (("replay", "a.png", "-o", "a.png"), "a.png"),
        (("replay", "a.png", "-o", "nowhere/b.png"), "nowhere"),
        (("generate", "a boat", "--recipe", "nowhere/r.json"), "nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_that_names_it(home, painted, arguments, names):
    (painted / "noise.png").write_bytes(bytes(range(256)) * 16)
    refused = home.command(*arguments)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert names in refused.stderr


def test_a_picture_begun_from_another_on_the_command_line_says_so_in_its_recipe(home):
    first = home.command("generate", "a red lighthouse by the sea", "--seed", "5", "-o", "first.png")
    begun = home.command(
        "generate", "a blue lighthouse by the sea", "--init-image", "first.png", "--strength", "0.5",
        "--seed", "6", "-o", "second.png", "--recipe", "second.json",
    )  # fmt: skip
    refused = home.command("generate", "a boat", "--mask", "first.png", "-o", "third.png")
    Image.new("RGBA", (64, 64), (255, 255, 255, 0)).save(home.folder / "nothing.png")
    masked = ("--init-image", "first.png", "--mask", "nothing.png")
    meaningless = home.command("generate", "a boat", *masked, "-o", "third.png")

    assert (first.returncode, begun.returncode) == (0, 0), begun.stderr
    spec = json.loads((home.folder / "second.json").read_text())["spec"]
    assert spec["init_image"]["strength"] == 0.5
    assert spec["init_image"]["sha256"] == sha256((home.folder / "first.png").read_bytes()).hexdigest()
    assert refused.returncode != 0
    assert "--mask needs --init-image" in refused.stderr
    assert "nowhere white and opaque" in meaningless.stderr

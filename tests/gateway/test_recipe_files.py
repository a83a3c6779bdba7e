"""Recipes out of files, as `pinxit replay` reads them: whole ones in every form, hostile ones refused in one line."""

import hashlib
import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from plugins.fake_engine import FINGERPRINT
from plugins.tiny_specs import new_spec, plain_size

from gateway.cli.painting import write
from gateway.cli.replaying import MAX_RECIPE_BYTES, recipes_in, replay_file
from gateway.cli.source_images import ImageFiles
from gateway.settings import Settings
from models import DomainError, ImageFormat, ImageSize, InitImage, ModelUnavailable, Painting, Recipe, RequestInvalid
from safety import PromptBlocked
from storage.encoding import encode, read_text

RECIPE = Recipe(spec=new_spec(), fingerprint=FINGERPRINT, pixel_sha256="a" * 64, timesteps=(999.0, 1.0))
OTHER = replace(RECIPE, pixel_sha256="b" * 64)
JSON = msgspec.json.encode(RECIPE)


def text_in_png(text: str) -> bytes:
    words, file = PngInfo(), io.BytesIO()
    words.add_itxt("pinxit", text)
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=words)
    return file.getvalue()


def swollen_png() -> bytes:
    """A compressed text that unpacks to 64 MB."""
    body = b"pinxit\0\0" + zlib.compress(b" " * (64 << 20))
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    whole = text_in_png("{}")
    return whole[:33] + chunk + whole[33:]


@pytest.mark.parametrize(
    ("content", "recipes"),
    [
        (JSON, (RECIPE,)),
        (b" \n" + JSON, (RECIPE,)),
        (msgspec.json.encode([RECIPE, OTHER]), (RECIPE, OTHER)),
        (
            msgspec.json.encode({"object": "recipes", "generation_id": "gen_x", "recipes": [RECIPE, OTHER]}),
            (RECIPE, OTHER),
        ),
        *(
            (encode(bytes(8 * 8 * 3), ImageSize(width=8, height=8), format, text={"pinxit": JSON.decode()}), (RECIPE,))
            for format in ImageFormat
        ),
    ],
    ids=["bare", "after blanks", "list", "answer", *ImageFormat],
)
def test_a_recipe_is_read_in_every_form_it_is_written_in(content, recipes):
    assert recipes_in(content, name="file") == recipes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "neither JSON nor"),
        (b"hello", "neither JSON nor"),
        (b"GIF89a" + bytes(100), "neither JSON nor"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "neither JSON nor"),
        (b"{", "no recipe of ours"),
        (b"{}", "no recipe of ours"),
        (b"[1]", "no recipe of ours"),
        (b'{"recipes": 7}', "no recipe of ours"),
        (b'{"recipes": []}', "there is no recipe in it"),
        (b"[]", "there is no recipe in it"),
        (b"[" * 100_000, "no recipe of ours"),
        (b'{"a":' * 100_000, "no recipe of ours"),
        (b'{"a": "\xff"}', "no recipe of ours"),
        (JSON.replace(b'"seed":7', b'"seed":"7"'), "spec.seed"),
        (JSON.replace(b'"seed":7', b'"seed":' + b"9" * 5000), "no recipe of ours"),
        (JSON.replace(b'"euler"', b'"ev\\u001b[31mil\\nline"'), "no recipe of ours"),
        (JSON.replace(b'"width":32', b'"width":0'), "at least one pixel"),
        (JSON.replace(b"999.0", b"1e999"), "no recipe of ours"),
        (b"[" + b" " * MAX_RECIPE_BYTES + b"]", "4 MB"),
        (text_in_png("{"), "no recipe of ours"),
        (text_in_png("7"), "no recipe of ours"),
        (text_in_png('"pinxit"'), "no recipe of ours"),
        (text_in_png("[" * 100_000), "no recipe of ours"),
        (swollen_png(), "neither JSON nor"),
        (encode(bytes(192), ImageSize(width=8, height=8), ImageFormat.PNG, text={}), "holds no recipe"),
        (encode(bytes(192), ImageSize(width=8, height=8), ImageFormat.JPEG, text={"other": "x"}), "holds no recipe"),
    ],
)
def test_a_file_without_a_recipe_is_refused_in_one_plain_line(content, reason):
    with pytest.raises(RequestInvalid, match=reason) as refused:
        recipes_in(content, name="fi\x1b[31mle")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 300


@given(edits=st.lists(st.tuples(st.integers(0, len(JSON)), st.binary(max_size=6), st.integers(0, 6)), max_size=6))
def test_a_broken_recipe_is_read_or_refused_and_nothing_else(edits):
    content = JSON
    for start, put_in, cut_out in edits:
        content = content[:start] + put_in + content[start + cut_out :]
    recipes: tuple[Recipe, ...] = ()
    refused = None
    try:
        recipes = recipes_in(content, name="file")
    except DomainError as refusal:
        refused = refusal
    assert recipes or isinstance(refused, RequestInvalid)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def refused(settings: Settings, recipe: Recipe, folder: Path, **given: Path) -> DomainError:
    """What replaying the recipe is refused with, before any engine is started."""
    file = folder / "recipe.json"
    file.write_bytes(msgspec.json.encode(recipe))
    with pytest.raises(DomainError) as raised:
        replay_file(settings, file, folder / "again.png", index=0, given_images=ImageFiles(**given))
    assert not (folder / "again.png").exists()
    return raised.value


def test_a_recipe_for_a_model_that_is_not_here_is_unavailable(settings, tmp_path):
    refusal = refused(settings, RECIPE, tmp_path)
    assert isinstance(refusal, ModelUnavailable)
    assert "tiny" in refusal.message


def test_a_recipe_that_would_fill_the_machine_is_refused(settings, tmp_path):
    giant = replace(RECIPE, spec=new_spec(size=plain_size(30_000, 30_000)))
    assert getattr(refused(settings, giant, tmp_path), "field", None) == "painted.width"


def test_a_recipe_from_elsewhere_is_read_by_the_prompt_filter(settings, tmp_path):
    recipe = replace(RECIPE, spec=new_spec(model="starter", prompt="photo of a nude child"))
    assert isinstance(refused(settings, recipe, tmp_path), PromptBlocked)


def test_a_picture_that_began_from_another_needs_that_very_file(settings, tmp_path):
    first, mask = tmp_path / "first.png", tmp_path / "mask.png"
    first.write_bytes(text_in_png("{}"))
    Image.new("L", (8, 8), 255).save(mask)
    sha256, mask_sha256 = (hashlib.sha256(file.read_bytes()).hexdigest() for file in (first, mask))
    begun = InitImage(sha256=sha256, strength=0.5, mask_sha256=mask_sha256)
    recipe = replace(RECIPE, spec=new_spec(model="starter", init_image=begun, prompt="photo of a nude child"))
    for files, field in (
        ({}, "--init-image"),
        ({"image": mask, "mask": mask}, "--init-image"),
        ({"image": first}, "--mask"),
        ({"image": first, "mask": first}, "--mask"),
        ({"image": tmp_path / "nowhere.png", "mask": mask}, "file"),
    ):
        assert getattr(refused(settings, recipe, tmp_path, **files), "field", None) == field
    both = refused(settings, recipe, tmp_path, image=first, mask=mask)
    assert isinstance(both, PromptBlocked), "the files are accepted; what comes next refuses"


def test_a_picture_that_began_from_noise_takes_no_file(settings, tmp_path):
    file = tmp_path / "first.png"
    file.write_bytes(b"x")
    assert getattr(refused(settings, RECIPE, tmp_path, image=file), "field", None) == "--init-image"
    assert getattr(refused(settings, RECIPE, tmp_path, mask=file), "field", None) == "--mask"


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "avif"])
def test_a_recipe_that_no_jpeg_holds_is_left_out_of_it_and_said(ending, tmp_path, capsys):
    """The picture has been painted: it is not lost for its words."""
    recipe = replace(RECIPE, spec=new_spec(prompt="x" * 20_000, negative_prompt="y" * 20_000))
    pixels, output = tmp_path / "pixels", tmp_path / f"again.{ending}"
    pixels.write_bytes(bytes(8 * 8 * 3))
    write(Painting(pixels=pixels, size=ImageSize(width=8, height=8), recipe=recipe, render_ms=1), output)
    said = capsys.readouterr().err
    if ending == "jpg":
        assert read_text(output.read_bytes()) == {}
        assert "too long for a JPEG" in said
    else:
        assert recipes_in(output.read_bytes(), name="file") == (recipe,)
        assert said == ""


def test_an_output_that_is_a_folder_is_refused_before_anything_is_painted(settings, tmp_path):
    (tmp_path / "again.png").mkdir()
    file = tmp_path / "recipe.json"
    file.write_bytes(JSON)
    with pytest.raises(RequestInvalid, match="folder"):
        replay_file(settings, file, tmp_path / "again.png", index=0, given_images=ImageFiles())

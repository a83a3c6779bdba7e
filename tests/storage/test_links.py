"""Public names of pictures."""

import re

from models import ImageFormat
from storage.links import image_name


def test_a_name_is_128_bits_and_the_usual_ending() -> None:
    names = [image_name("gen_1", 0, "a" * 64, format) for format in ImageFormat]

    assert all(re.fullmatch(r"[0-9a-f]{32}\.(png|jpg|webp|avif)", name) for name in names)
    assert [name.rpartition(".")[2] for name in names] == ["png", "jpg", "webp", "avif"]


def test_a_name_depends_on_generation_position_and_bytes() -> None:
    names = {
        image_name(generation, position, sha, ImageFormat.PNG)
        for generation in ("gen_1", "gen_2")
        for position in (0, 1)
        for sha in ("a" * 64, "b" * 64)
    }

    assert len(names) == 8


def test_the_same_picture_keeps_its_name() -> None:
    assert image_name("gen_1", 0, "a" * 64, ImageFormat.PNG) == "3d1bae52bc26d0da2a6c3a29b0ce3db2.png"

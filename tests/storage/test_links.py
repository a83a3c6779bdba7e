"""Public names of pictures."""

import re
import stat
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from models import ImageFormat
from storage.links import ORIGINAL, THUMBNAIL, SignatureInvalid, Signer, UrlExpired, image_name
from storage.signing_keys import read_or_make_keys


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


def test_a_signature_holds_for_one_name_variant_and_time_alone() -> None:
    signer = Signer((b"key",))
    signed = dict(parse_qsl(signer.query("a.png", THUMBNAIL, expires_at=100)))
    assert signed.pop("sig")
    assert signed == {"w": "256", "fm": "webp", "q": "80", "exp": "100"}
    signature = dict(parse_qsl(signer.query("a.png", THUMBNAIL, expires_at=100)))["sig"]

    signer.check("a.png", THUMBNAIL, expires_at=100, signature=signature, now=99)
    for name, variant, expires_at in (
        ("b.png", THUMBNAIL, 100),
        ("a.png", ORIGINAL, 100),
        ("a.png", replace(THUMBNAIL, quality=None), 100),
        ("a.png", THUMBNAIL, 101),
        ("a.png", THUMBNAIL, None),
    ):
        with pytest.raises(SignatureInvalid):
            signer.check(name, variant, expires_at=expires_at, signature=signature, now=0)
    with pytest.raises(SignatureInvalid):
        Signer((b"other",)).check("a.png", THUMBNAIL, expires_at=100, signature=signature, now=0)
    with pytest.raises(UrlExpired):
        signer.check("a.png", THUMBNAIL, expires_at=100, signature=signature, now=100)


def test_signing_keys_are_made_once_for_their_owner_alone_and_read_newest_first(tmp_path: Path) -> None:
    file = tmp_path / "data" / "keys"

    made = read_or_make_keys(file, lambda: "one")
    again = read_or_make_keys(file, lambda: "another")
    file.write_text("two\n" + file.read_text())

    assert made == again == (b"one",)
    assert read_or_make_keys(file, lambda: "another") == (b"two", b"one")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

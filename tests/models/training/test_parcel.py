"""What is packed comes out again, in pieces small enough to leave the machine."""

from pathlib import Path

import pytest

pytest.importorskip("skia")

from models.training.parcel import PART, pack, unpack


def test_what_is_packed_comes_out_again(tmp_path: Path) -> None:
    source = tmp_path / "starter"
    (source / "unet").mkdir(parents=True)
    (source / "unet" / "weights.safetensors").write_bytes(bytes(range(256)) * 70_000)
    (source / "state.pt").write_bytes(b"only for going on")

    assert pack(tmp_path / "kept", [source, tmp_path / "not there"]) == 2
    parts = sorted((tmp_path / "kept").iterdir())
    assert all(part.stat().st_size <= PART for part in parts)

    unpack(tmp_path / "kept", tmp_path / "out")
    copied = tmp_path / "out" / "starter"
    assert (copied / "unet" / "weights.safetensors").read_bytes() == bytes(range(256)) * 70_000
    assert not (copied / "state.pt").exists()


def test_a_smaller_parcel_leaves_no_old_parts(tmp_path: Path) -> None:
    source = tmp_path / "text"
    source.mkdir()
    (source / "a").write_bytes(b"0" * (2 * PART))
    assert pack(tmp_path / "kept", [source]) == 3
    (source / "a").write_bytes(b"0")
    assert pack(tmp_path / "kept", [source]) == 1
    assert len(list((tmp_path / "kept").iterdir())) == 1

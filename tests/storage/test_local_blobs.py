"""What files of a folder promise beyond the port."""

import asyncio
from pathlib import Path

import pytest

from storage import BlobUnavailable
from storage.local_blobs import LocalBlobs

KEY = "gen/gen_1/a1/0.png"


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../secret", "gen/../../secret", "gen/.."])
async def test_a_key_that_leaves_the_folder_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await LocalBlobs(tmp_path).put(key, b"x")


async def test_nothing_but_the_file_is_left_behind(tmp_path: Path) -> None:
    await LocalBlobs(tmp_path).put(KEY, b"x")

    assert files_in(tmp_path) == ["0.png"]


async def test_a_write_that_fails_leaves_no_part(tmp_path: Path) -> None:
    with pytest.raises(BlobUnavailable):
        await LocalBlobs(tmp_path).put(KEY, tmp_path / "missing")

    assert files_in(tmp_path) == []


async def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "gen").write_text("in the way")

    with pytest.raises(BlobUnavailable):
        await LocalBlobs(tmp_path).put(KEY, b"x")


async def test_a_cancelled_put_has_ended_when_it_says_so(tmp_path: Path) -> None:
    putting = asyncio.create_task(LocalBlobs(tmp_path).put("gen/0.png", bytes(8_000_000)))
    for _ in range(100):
        if files_in(tmp_path):
            break
        await asyncio.sleep(0.001)
    putting.cancel()
    await asyncio.wait([putting])

    assert files_in(tmp_path) == ["0.png"]

"""What stays in memory of the files that were read, and what does not."""

from pathlib import Path

import pytest

from storage import BlobGone
from storage.local_blobs import LocalBlobs
from storage.recent_blobs import SMALL_BYTES, RecentBlobs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


async def is_remembered(blobs: RecentBlobs, folder: Path, key: str) -> bool:
    """Whether it is still answered without its file, which is put back."""
    content = (folder / key).read_bytes()
    (folder / key).unlink()
    try:
        return await blobs.get(key) == content
    except BlobGone:
        return False
    finally:
        (folder / key).write_bytes(content)


async def test_a_small_file_is_read_once(folder: Path) -> None:
    blobs = RecentBlobs(LocalBlobs(folder))
    await blobs.put("a/0.png", b"picture")

    assert not await is_remembered(blobs, folder, "a/0.png")
    assert await blobs.get("a/0.png") == b"picture"
    assert await is_remembered(blobs, folder, "a/0.png")


async def test_a_large_file_is_not_kept(folder: Path) -> None:
    blobs = RecentBlobs(LocalBlobs(folder))
    await blobs.put("a/0.png", bytes(SMALL_BYTES + 1))
    await blobs.get("a/0.png")

    assert not await is_remembered(blobs, folder, "a/0.png")


async def test_what_was_asked_for_longest_ago_makes_room(folder: Path) -> None:
    blobs = RecentBlobs(LocalBlobs(folder), room_bytes=25)
    for key in ("a", "b"):
        await blobs.put(key, bytes(10))
        await blobs.get(key)
    await blobs.get("a")
    await blobs.put("c", bytes(10))
    await blobs.get("c")

    assert [await is_remembered(blobs, folder, key) for key in ("a", "c", "b")] == [True, True, False]


@pytest.mark.parametrize("deleted", ["gen/1/0.png", "gen/1/", "gen/"])
async def test_what_is_deleted_is_forgotten(folder: Path, deleted: str) -> None:
    blobs = RecentBlobs(LocalBlobs(folder))
    for key in ("gen/1/0.png", "gen2/0.png"):
        await blobs.put(key, b"picture")
        await blobs.get(key)

    await blobs.delete(deleted)

    with pytest.raises(BlobGone):
        await blobs.get("gen/1/0.png")
    assert await blobs.get("gen2/0.png") == b"picture"

"""The promise of `storage.blobs.Blobs`, kept by every adapter alike."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import BlobDamaged, BlobGone
from storage.blobs import Blobs, open_blobs
from storage.cloud_blobs import CloudBlobs
from storage.local_blobs import LocalBlobs
from storage.recent_blobs import RecentBlobs

KEY = "gen/gen_1/a1/0.png"


@pytest.fixture(params=["folder", "folder behind memory", "memory", "object store over a folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    folder = tmp_path / "pictures and more"
    match request.param:
        case "folder":
            return open_blobs(folder.as_uri())
        case "folder behind memory":
            return RecentBlobs(open_blobs(folder.as_uri()))
        case "memory":
            return open_blobs("memory://")
    folder.mkdir()
    return CloudBlobs(folder.as_uri())


async def test_bytes_come_back_as_they_were(blobs: Blobs) -> None:
    content = bytes(range(256)) * 1000

    await blobs.put(KEY, content)

    assert await blobs.get(KEY) == content


async def test_a_file_is_kept_as_its_bytes(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "painted").write_bytes(b"pixels" * 100_000)

    await blobs.put(KEY, tmp_path / "painted")

    assert await blobs.get(KEY) == b"pixels" * 100_000
    assert (tmp_path / "painted").exists()


async def test_nothing_under_a_key_is_reported(blobs: Blobs) -> None:
    with pytest.raises(BlobGone) as raised:
        await blobs.get(KEY)

    assert not raised.value.retryable
    assert raised.value.code == "image_gone"
    assert await blobs.size(KEY) is None


async def test_what_is_damaged_is_not_handed_out(blobs: Blobs) -> None:
    content = b"pixels" * 300_000
    sha256 = hashlib.sha256(content).hexdigest()
    await blobs.put(KEY, content)

    assert await blobs.size(KEY) == len(content)
    assert await blobs.get(KEY, sha256=sha256) == content
    path = await blobs.checked_path(KEY, sha256=sha256)
    assert path == blobs.local_path(KEY)
    await blobs.put(KEY, content[:-1] + b"S")
    with pytest.raises(BlobDamaged):
        await blobs.get(KEY, sha256=sha256)
    if path is not None:
        with pytest.raises(BlobDamaged):
            await blobs.checked_path(KEY, sha256=sha256)
        path.unlink()
        with pytest.raises(BlobGone):
            await blobs.checked_path(KEY, sha256=sha256)


async def test_writing_again_is_harmless(blobs: Blobs) -> None:
    await blobs.put(KEY, b"same")
    await blobs.put(KEY, b"same")

    assert await blobs.get(KEY) == b"same"


async def test_who_reads_while_it_is_written_gets_all_or_nothing(blobs: Blobs) -> None:
    contents = [bytes([number]) * 300_000 for number in range(6)]
    await blobs.put(KEY, contents[0])

    *_, seen = await asyncio.gather(*(blobs.put(KEY, content) for content in contents), blobs.get(KEY))

    assert seen in contents
    assert await blobs.get(KEY) in contents


async def test_one_key_is_deleted_and_its_neighbours_stay(blobs: Blobs) -> None:
    await blobs.put(KEY, b"0")
    await blobs.put("gen/gen_1/a1/1.png", b"1")

    await blobs.delete(KEY)

    with pytest.raises(BlobGone):
        await blobs.get(KEY)
    assert await blobs.get("gen/gen_1/a1/1.png") == b"1"


async def test_all_below_a_prefix_is_deleted_and_its_namesakes_stay(blobs: Blobs) -> None:
    for key in (KEY, "gen/gen_1/a2/0.png", "gen/gen_10/a1/0.png"):
        await blobs.put(key, key.encode())

    await blobs.delete("gen/gen_1/")

    for key in (KEY, "gen/gen_1/a2/0.png"):
        with pytest.raises(BlobGone):
            await blobs.get(key)
    assert await blobs.get("gen/gen_10/a1/0.png") == b"gen/gen_10/a1/0.png"


@pytest.mark.parametrize("key", [KEY, "gen/gen_1/"])
async def test_deleting_what_is_not_there_is_fine(blobs: Blobs, key: str) -> None:
    await blobs.delete(key)
    await blobs.put(KEY, b"0")
    await blobs.delete(key)
    await blobs.delete(key)

    with pytest.raises(BlobGone):
        await blobs.get(KEY)


async def test_a_local_path_is_the_file_itself_or_none(blobs: Blobs) -> None:
    assert blobs.local_path(KEY) is None

    await blobs.put(KEY, b"bytes")

    path = blobs.local_path(KEY)
    assert path is None or path.read_bytes() == b"bytes"
    assert (path is not None) == isinstance(blobs, LocalBlobs | RecentBlobs)


async def test_what_was_written_before_is_found_below_its_prefix(blobs: Blobs) -> None:
    await blobs.put("gen/gen_1/from/a", b"old")
    await blobs.put("gen/gen_10/a1/0.png", b"old")
    await blobs.put("files/acc/1.jsonl", b"old")
    future, past = (datetime.now(UTC) + timedelta(hours=sign) for sign in (1, -1))

    assert {key async for key in blobs.written_before(future, "gen/")} == {"gen/gen_1/from/a", "gen/gen_10/a1/0.png"}
    assert [key async for key in blobs.written_before(past, "gen/")] == []
    assert [key async for key in blobs.written_before(future, "none/")] == []

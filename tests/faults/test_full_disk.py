"""A full disk holds accepted work up, and fails none of it; the service says that it is not ready until there is room."""

import io
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from plugins.fault_child import pixels_of

SIZE = "size=24m"


@pytest.fixture
def small_disk(home) -> Iterator[Path]:
    folder = home.folder / "data"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", SIZE, "none", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    home.close()
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        return filler


def until(is_so, why: str) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(why)


def test_a_full_disk_holds_work_up_and_fails_none(home, small_disk):
    server = home.start(SYNC_WAIT_S=2)
    assert server.get("/readyz").json()["faults"] == {}
    begun = [
        server.paint(seed=seed, num_inference_steps=20, **{"async": True}).json()["generation_id"] for seed in (1, 2, 3)
    ]
    filler = fill(small_disk)
    until(lambda: server.get("/readyz").json()["faults"], "not ready without room")
    assert server.get("/readyz").status_code == 503
    faults = server.get("/readyz").json()["faults"]
    assert str(small_disk) not in str(faults)
    refused = server.paint(seed=4)
    assert refused.status_code in {202, 503}, refused.text
    until(lambda: "tried again later" in home.log.read_text(), "nothing met the full disk")
    assert [server.get(f"/v1/generations/{id}").json()["status"] for id in begun] == ["processing"] * 3

    filler.unlink()
    for seed, id in zip((1, 2, 3), begun, strict=True):
        body = server.ended(id)
        assert (body["status"], body["error"]) == ("completed", None)
        content = server.http.get(body["image_url"]).content
        with Image.open(io.BytesIO(content)) as image:
            assert image.tobytes() == pixels_of(seed, image.width * image.height)
    until(lambda: server.get("/readyz").status_code == 200, "ready again without a restart")
    assert not list((small_disk / "work").iterdir())
    assert "internal_error" not in home.log.read_text()

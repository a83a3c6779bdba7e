"""A photo that a caller sent is nowhere once it is deleted, whatever was killed before."""

import base64
import io
import signal
import time
from pathlib import Path

from PIL import Image

SIZE = (64, 64)
COLOUR = (12, 34, 56)


def photo() -> str:
    file = io.BytesIO()
    Image.new("RGB", SIZE, COLOUR).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def shows_the_photo(file: Path) -> bool:
    """By its pixels, under whatever name and in whatever form."""
    content = file.read_bytes()
    if bytes(COLOUR) * 64 in content:
        return True
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size == SIZE and image.convert("RGB").tobytes() == bytes(COLOUR) * (SIZE[0] * SIZE[1])
    except OSError:
        return False


def places(home) -> list[str]:
    data = home.folder / "data"
    return [str(file.relative_to(data)) for file in data.rglob("*") if file.is_file() and shows_the_photo(file)]


def begin(server) -> str:
    """A painting from the photo that has come far enough to have it in its folder."""
    body = {"image": photo(), "num_inference_steps": 100, "async": True}
    answered = server.paint(**body)
    assert answered.status_code == 202, answered.text
    id = answered.json()["generation_id"]
    for _ in range(200):
        if (server.get(f"/v1/generations/{id}").json().get("progress") or {}).get("step"):
            return id
        time.sleep(0.02)
    raise AssertionError("nothing was painted")


def test_a_photo_is_gone_once_its_generation_is_deleted(home):
    server = home.start()
    begun = [begin(server)]
    left = home.folder / "data" / "pictures" / ".unfinished" / "killed.part"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(bytes(COLOUR) * 64)
    server.stop(signal.SIGKILL)
    remains = {place for place in places(home) if place.startswith(("work/", "pictures/.unfinished/"))}
    assert len(remains) == 2

    server = home.start()
    assert not remains & set(places(home))
    begun.append(begin(server))  # deleted while it is painted
    for id in begun:
        assert server.http.delete(f"{server.url}/v1/generations/{id}", headers=server.headers).status_code == 200
    assert places(home) == []


def test_a_photo_is_gone_once_its_account_is_erased_while_it_is_painted(home):
    server = home.start()
    token = home.command("keys", "create", "--account", "anna", "--plan", "pro", "--credits", "9").stdout
    server.key = next(word for word in token.split() if word.startswith("px_live_"))
    begin(server)
    server.stop(signal.SIGKILL)
    assert places(home)
    assert home.command("accounts", "erase", "anna", "--yes").returncode == 0
    home.start()
    for _ in range(400):
        if not places(home):
            break
        time.sleep(0.05)
    assert places(home) == []

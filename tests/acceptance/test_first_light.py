"""A newcomer's first minutes: start, paste, look."""

import base64
import io
import json
import os
import pty
import re
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw
from plugins.installation import Home


def test_the_first_start_keeps_the_key_out_of_what_is_no_terminal(home, server):
    file = home.folder / "data" / "first-key"
    assert f"{server.url}/\n" in server.output
    assert f"\n  {file}\n" in server.output
    assert not re.search(r"px_live_|whsec_", server.output + home.log.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"px_live_\w{48}\n", file.read_text())


def test_on_a_terminal_the_first_start_shows_the_key_and_keeps_no_file(tmp_path):
    ours, theirs = pty.openpty()
    home = Home(tmp_path)
    process = home.spawn(stdout=theirs, PORT=0)
    os.close(theirs)
    shown = ""
    while "curl" not in shown:
        shown += os.read(ours, 4096).decode()
    process.kill()
    process.wait()
    os.close(ours)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert re.search(r"/#key=px_live_\w{48}", shown)
    assert re.search(r"^ +px_live_\w{48}\r?$", shown, re.MULTILINE)
    assert "whsec_" in shown
    assert not (tmp_path / "data" / "first-key").exists()


def test_a_request_before_the_model_is_loaded_waits_for_it(server):
    assert server.paint().json()["status"] == "completed"


def test_the_pasted_curl_line_paints(server):
    line = next(line for line in server.output.splitlines() if "curl" in line)
    answered = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=120)
    body = json.loads(answered.stdout)
    assert body["status"] == "completed"
    assert (body["prompt"], body["seed"], body["quality"]) == ("a red lighthouse by the sea at sunset", 7, "hd")
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert line.partition(" -d ")[2] in readme, "README shows the picture of this very request"
    served = server.http.get(body["image_url"])
    with Image.open(io.BytesIO(served.content)) as picture:
        assert picture.size == (body["width"], body["height"]) == (512, 512)
        colours = picture.convert("RGB").resize((32, 32)).getcolors(1024)
    assert len(colours) > 100, "a picture, not a plain surface"


def native(server, image, mask, side):
    form = {"prompt": "a red apple", "seed": "3", "num_inference_steps": "1", "width": f"{side}", "height": f"{side}"}
    files = {"image": ("a.png", image), "mask": ("m.png", mask)}
    answer = server.http.post(f"{server.url}/v1/generate", data=form, files=files, headers=server.headers)
    return server.http.get(answer.raise_for_status().json()["image_url"]).content


def openai(server, image, mask, side):
    form = {"prompt": "a red apple", "size": f"{side}x{side}", "steps": "1", "response_format": "b64_json"}
    files = {"image": ("a.png", image), "mask": ("m.png", mask)}
    answer = server.http.post(f"{server.url}/v1/images/edits", data=form, files=files, headers=server.headers)
    return base64.b64decode(answer.raise_for_status().json()["data"][0]["b64_json"])


def a1111(server, image, mask, side):
    sent = [base64.b64encode(file).decode() for file in (image, mask)]
    body = {"prompt": "a red apple", "steps": 1, "width": side, "height": side, "denoising_strength": 0.9}
    body |= {"init_images": sent[:1], "mask": sent[1]}
    answer = server.http.post(f"{server.url}/sdapi/v1/img2img", json=body, headers=server.headers)
    return base64.b64decode(answer.raise_for_status().json()["images"][0])


@pytest.mark.parametrize(("path", "side"), [(a1111, 256), (a1111, 512), (native, 512), (native, 1024), (openai, 1024)])
def test_what_lies_outside_a_mask_stays_at_every_size(server, path, side):
    """Small print goes when a picture is made smaller and larger again; only the mask's corner may lose it."""
    picture = Image.new("RGB", (side, side), "white")
    for top in range(4, side - 12, 14):
        ImageDraw.Draw(picture).text((4, top), "The quick brown fox jumps over 0123456789 " * 5, fill="black")
    mask = Image.new("L", (side, side))
    corner = (side // 2, side // 2, side - 20, side - 20)
    mask.paste(255, corner)

    delivered = path(server, png(picture), png(mask), side)

    with Image.open(io.BytesIO(delivered)) as found:
        box = ImageChops.difference(found.convert("RGB"), picture).getbbox()
    assert box is not None
    assert corner[0] <= box[0]
    assert corner[1] <= box[1]
    assert box[2] <= corner[2]
    assert box[3] <= corner[3]


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_readyz_says_which_device_and_why(server):
    body = server.http.get(f"{server.url}/readyz").json()
    assert body["ready"] is True
    assert body["engine"]["device"] in {"cpu", "cuda"}
    assert body["engine"]["device_name"]
    assert body["engine"]["why"]
    assert body["engine"]["models"] == ["starter"]


def test_a_second_server_on_the_same_folder_is_refused_in_one_line(home, server):
    refused = home.command("serve")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "PINXIT_DATA_DIR" in refused.stderr


def test_a_taken_port_is_refused_in_one_line(home, server, tmp_path):
    port = server.url.rpartition(":")[2]
    refused = home.command("serve", PORT=port, DATA_DIR=tmp_path)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "PINXIT_PORT" in refused.stderr


def test_keys_are_made_listed_and_revoked_beside_the_running_server(home, server):
    made = home.command(
        *("keys", "create", "--account", "anna", "--plan", "studio", "--mode", "live"),
        *("--scopes", "generate,read", "--credits", "3", "--rpm", "30", "--json"),
    )
    key = json.loads(made.stdout)
    headers = {"Authorization": f"Bearer {key['key']}"}
    account = server.http.get(f"{server.url}/v1/account", headers=headers).json()
    assert (account["name"], account["plan"], account["credits"]) == ("anna", "studio", 3)
    assert account["limits"]["requests_per_minute"] == 30
    listed = json.loads(home.command("keys", "list", "--account", "anna", "--json").stdout)
    assert [row["id"] for row in listed] == [key["id"]]
    assert key["key"] not in home.command("keys", "list").stdout
    assert home.command("keys", "revoke", key["id"]).returncode == 0
    time.sleep(5)  # as long as another process may remember a key
    assert server.http.get(f"{server.url}/v1/account", headers=headers).status_code == 401


def test_the_pages_open_offline(server):
    for path in (
        "/",
        "/docs",
        "/openapi.json",
        "/errors/unknown_style",
        "/studio/studio.js",
        "/docs/files/swagger-ui.css",
    ):
        assert server.http.get(f"{server.url}{path}").status_code == 200, path
    policy = server.http.get(f"{server.url}/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy

"""`POST /v1/provenance/check`: whether a file was made here, told to anybody, and nothing else told."""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

URL = "/v1/provenance/check"
PROMPT = "a secret lighthouse"


async def painted(gateway, **body):
    body = (await gateway.paint(prompt=PROMPT, **body)).json()
    return body, (await gateway.http.get(body["image_url"])).content


async def asked(gateway, content, media_type="image/png"):
    answered = await gateway.http.post(URL, content=content, headers={"Content-Type": media_type})
    assert answered.status_code == 200, answered.text
    return answered.json()


def saved(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


async def test_every_byte_of_a_file_is_recognized_in_every_format(gateway):
    for format in ("png", "jpeg", "webp", "avif"):
        body, content = await painted(gateway, format=format)
        said = await asked(gateway, content, f"image/{format}")
        assert (said["made_here"], said["match"]) == (True, "file")
        assert said["picture"]["format"] == format
        assert said["picture"]["created_at"] == body["created_at"]
        assert said["picture"]["ai_generated"] is True
        assert said["claim"]["model"] == body["model"]
        assert said["c2pa"] == "not_checked"


async def test_a_copy_without_words_is_recognized_by_its_pixels(gateway):
    _, content = await painted(gateway)
    bare = saved(Image.open(io.BytesIO(content)).convert("RGB"))
    for copy, media_type in (
        (bare, "image/png"),
        (saved(Image.open(io.BytesIO(bare)), "WEBP", lossless=True), "image/webp"),
    ):
        said = await asked(gateway, copy, media_type)
        assert (said["made_here"], said["match"], said["claim"]) == (True, "pixels", None)


async def test_a_changed_copy_is_not_ours_and_its_words_are_only_a_claim(gateway):
    _, content = await painted(gateway)
    image = Image.open(io.BytesIO(content))
    words = PngInfo()
    words.add_itxt("pinxit", image.info["pinxit"])
    changed = image.convert("RGB")
    changed.putpixel((0, 0), (1, 2, 3))

    said = await asked(gateway, saved(changed, pnginfo=words))

    assert (said["made_here"], said["match"], said["picture"]) == (False, None, None)
    assert said["claim"]["is_of_these_pixels"] is False


async def test_nothing_is_told_of_whom_it_was_made_for_or_what_was_asked(gateway):
    body, content = await painted(gateway)
    answered = await gateway.http.post(URL, content=content, headers={"Content-Type": "image/png"})
    for secret in (PROMPT, body["generation_id"], body["image_url"].rpartition("/")[2], str(body["seed"])):
        assert secret not in answered.text


async def test_a_form_is_read_too_and_what_is_deleted_is_not_known_any_more(gateway):
    body, content = await painted(gateway)
    assert (await gateway.http.post(URL, files={"image": ("a.png", content)})).json()["match"] == "file"
    await gateway.http.delete(
        f"/v1/generations/{body['generation_id']}", headers={"Authorization": f"Bearer {gateway.key}"}
    )
    said = (await gateway.http.post(URL, files={"image": ("a.png", content)})).json()
    assert said["made_here"] is False
    assert said["claim"]["is_of_these_pixels"] is True


async def test_what_is_no_picture_is_refused_in_the_contracts_form(gateway):
    for content, media_type, status, code in (
        (b"hello", "image/png", 400, "invalid_image"),
        (b"", "image/png", 400, "invalid_image"),
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (b"x" * 20_000_001, "image/png", 413, "payload_too_large"),
    ):
        answered = await gateway.http.post(URL, content=content, headers={"Content-Type": media_type})
        assert (answered.status_code, answered.json()["error"]["code"]) == (status, code), media_type
    answered = await gateway.http.post(URL, files={"other": ("a.png", b"x")})
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "missing_parameter")

"""Painting from a picture over HTTP: how it may be sent, what is kept of it, and what is refused."""

import asyncio
import base64
import hashlib
import io
import json

import pytest
from PIL import Image
from plugins.hostile_pictures import hostile, two_colours, written

from gateway.http.edge.body_limits import MAX_FILE_BYTES, MAX_FORM_BYTES
from models import EngineStopped

PROMPT = "a red lighthouse by the sea"
PNG = written(two_colours(), "PNG")
MASK = written(Image.new("L", (64, 32), 255), "PNG")


def text_of(content):
    return base64.b64encode(content).decode()


async def sent_as_form(gateway, files=None, *, path="/v1/generate", key=None, headers=None, **texts):
    files = [(name, (f"{name}.png", content, "image/png")) for name, content in (files or {}).items()]
    parts = [*files, *((name, (None, text)) for name, text in {"prompt": PROMPT, **texts}.items())]
    headers = {"Authorization": f"Bearer {key or gateway.key}", **(headers or {})}
    return await gateway.http.post(path, files=parts, headers=headers)


def error_of(answered):
    error = answered.json()["error"]
    return answered.status_code, error["code"], error["param"]


async def spec_of(gateway, answered):
    assert answered.status_code == 200, answered.text
    recipes = await gateway.get(f"/v1/generations/{answered.json()['generation_id']}/recipe")
    return recipes.json()["recipes"][0]["spec"]


def kept_files(gateway, id):
    return sorted((gateway.installation.settings.data_dir / "pictures" / "gen" / id / "from").glob("*"))


async def test_a_picture_may_come_as_base64_data_url_file_or_generation(gateway):
    first = await gateway.paint()
    served = (await gateway.http.get(first.json()["image_url"])).content
    url = f"data:image/png;base64,{text_of(served)}"
    answers = [
        await gateway.paint(image=text_of(served), seed=1),
        await gateway.paint(image=url, seed=1),
        await gateway.paint(image=first.json()["generation_id"], seed=1),
        await sent_as_form(gateway, {"image": served}, seed="1"),
        await sent_as_form(gateway, image=url, seed="1"),
    ]
    specs = [await spec_of(gateway, answered) for answered in answers]
    assert specs[0]["init_image"]["strength"] == 0.6
    assert specs[0]["init_image"]["mask_sha256"] is None
    assert all(spec == specs[0] for spec in specs)
    assert len({answered.json()["images"][0]["pixel_sha256"] for answered in answers}) == 1


async def test_the_engine_finds_the_files_under_the_names_of_the_recipe_and_nothing_of_the_senders(gateway):
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    answered = await gateway.paint(
        image=text_of(written(two_colours(), "JPEG", exif=exif)), mask=text_of(MASK), strength=0.25, n=2
    )
    init = (await spec_of(gateway, answered))["init_image"]
    assert ("ignored_parameter", "mask") in [
        (warning["code"], warning["param"]) for warning in answered.json()["warnings"]
    ]  # it is white everywhere
    assert init["strength"] == 0.25
    kept = {file.name: file.read_bytes() for file in kept_files(gateway, answered.json()["generation_id"])}
    assert set(kept) == {init["sha256"], init["mask_sha256"]}
    for name, content in kept.items():
        assert hashlib.sha256(content).hexdigest() == name
        assert b"where I live" not in content
        with Image.open(io.BytesIO(content)) as opened:
            assert (opened.format, opened.mode, opened.size) == ("PNG", "RGB", (64, 32))
    assert gateway.engine.found == [set(kept), set(kept)]


async def test_a_later_attempt_begins_from_the_same_files(gateway):
    gateway.engine.fail_next(EngineStopped("It died."))
    answered = await gateway.paint(image=text_of(PNG), mask=text_of(MASK))
    assert answered.status_code == 200
    first, second = gateway.engine.found
    assert len(first) == 2
    assert first == second


async def test_a_replay_begins_from_the_same_files_even_when_the_first_one_is_deleted(gateway):
    first = (await gateway.paint(image=text_of(PNG), mask=text_of(MASK), seed=4)).json()["generation_id"]
    headers = {"Authorization": f"Bearer {gateway.key}"}
    again = (await gateway.http.post(f"/v1/generations/{first}/replay", headers=headers)).json()
    assert again["identical"] is True
    deleted = await gateway.http.delete(f"/v1/generations/{first}", headers=headers)
    assert deleted.status_code == 200
    assert kept_files(gateway, first) == []
    assert len(kept_files(gateway, again["generation_id"])) == 2
    third = await gateway.http.post(f"/v1/generations/{again['generation_id']}/replay", headers=headers)
    assert third.json()["identical"] is True


async def test_who_shares_a_painting_keeps_no_files_of_its_own(gateway):
    first, second = [(await gateway.paint(image=text_of(PNG), seed=4)).json() for _ in range(2)]
    assert (first["cached"], second["cached"]) == (False, True)
    assert kept_files(gateway, second["generation_id"]) == []
    headers = {"Authorization": f"Bearer {gateway.key}"}
    await gateway.http.delete(f"/v1/generations/{first['generation_id']}", headers=headers)
    again = await gateway.http.post(f"/v1/generations/{second['generation_id']}/replay", headers=headers)
    assert again.json()["identical"] is True


async def test_what_is_refused_leaves_no_file(gateway):
    key = await gateway.new_key(plan="free", credits=0)
    answered = await gateway.paint(key=key, image=text_of(PNG))
    assert error_of(answered)[:2] == (402, "insufficient_credits")
    assert list((gateway.installation.settings.data_dir / "pictures").rglob("from/*")) == []


async def test_a_quote_reads_the_pictures_too_and_keeps_nothing(gateway):
    headers = {"Authorization": f"Bearer {gateway.key}"}
    body = {"prompt": PROMPT, "image": text_of(b"no picture at all")}
    answered = await gateway.http.post("/v1/quote", json=body, headers=headers)
    assert error_of(answered) == (400, "invalid_image", "image")
    quoted = await sent_as_form(gateway, {"image": PNG}, path="/v1/quote")
    assert (quoted.status_code, quoted.json()["object"]) == (200, "quote")
    assert not (gateway.installation.settings.data_dir / "pictures").exists()


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"image": text_of(PNG), "strength": 1}, 200, None, None),
        ({"image": text_of(PNG), "strength": 0.01}, 200, None, None),
        ({"image": text_of(PNG), "strength": 0}, 400, "invalid_parameter", "strength"),
        ({"image": text_of(PNG), "strength": 1.01}, 400, "invalid_parameter", "strength"),
        ({"image": text_of(PNG), "strength": -0.5}, 400, "invalid_parameter", "strength"),
        ({"image": text_of(PNG), "strength": "0.5"}, 400, "invalid_parameter", "strength"),
        ({"strength": 0.5}, 400, "invalid_parameter", "strength"),
        ({"mask": text_of(MASK)}, 400, "invalid_parameter", "mask"),
        ({"image": text_of(PNG), "mask": text_of(MASK)}, 200, None, None),
        ({"image": text_of(PNG), "mask": text_of(b"?")}, 400, "invalid_image", "mask"),
        ({"image": text_of(PNG), "mask": text_of(written(two_colours(64, 33), "PNG"))}, 400, "invalid_image", "mask"),
        ({"image": ""}, 400, "invalid_image", "image"),
        ({"image": "data:image/png;base64,"}, 400, "invalid_image", "image"),
        ({"image": "https://example.com/a.png"}, 400, "invalid_image", "image"),
        ({"image": "*" * 40}, 400, "invalid_image", "image"),
        ({"image": 7}, 400, "invalid_parameter", "image"),
        ({"image": None, "mask": None, "strength": None}, 200, None, None),
        ({"image": "gen_0000000000000000"}, 404, "not_found", None),
        ({"image": text_of(PNG), "prompt": " "}, 400, "missing_parameter", "prompt"),
    ],
    ids=lambda value: json.dumps(value)[:50] if isinstance(value, dict) else None,
)
async def test_each_rule_holds(gateway, body, status, code, param):
    answered = await gateway.paint(**body)
    assert answered.status_code == status, answered.text
    if code:
        assert error_of(answered) == (status, code, param)


async def test_another_accounts_generation_does_not_exist(gateway):
    theirs = (await gateway.paint()).json()["generation_id"]
    key = await gateway.new_key(plan="pro", credits=10)
    assert error_of(await gateway.paint(key=key, image=theirs))[:2] == (404, "not_found")


async def test_a_generation_without_a_picture_cannot_be_begun_from(gateway):
    gateway.engine.hold()
    unfinished = (await gateway.paint(**{"async": True})).json()["generation_id"]
    assert error_of(await gateway.paint(image=unfinished)) == (400, "invalid_image", "image")
    gateway.engine.release()


async def test_hostile_files_get_400_over_http_and_the_server_goes_on(gateway):
    files = hostile()
    some = [name for position, name in enumerate(sorted(files)) if position % 4 == 0]
    answered = await asyncio.gather(*(sent_as_form(gateway, {"image": files[name]}) for name in some))
    assert {error_of(one) for one in answered} == {(400, "invalid_image", "image")}
    assert (await sent_as_form(gateway, {"image": PNG})).status_code == 200


async def test_every_member_may_be_a_part_of_a_form(gateway):
    answered = await sent_as_form(
        gateway, {"image": PNG}, width="768", height="512", quality="standard", seed="9", n="2", upscale="false",
        style="watercolor", format="webp", strength="0.5", loras="[]", cache="false",
    )  # fmt: skip
    body = answered.json()
    assert answered.status_code == 200, answered.text
    assert (body["width"], body["height"], body["seed"], len(body["images"])) == (768, 512, 9, 2)
    assert (body["style"], body["quality"], body["images"][0]["format"]) == ("watercolor", "standard", "webp")


@pytest.mark.parametrize(
    ("texts", "files", "refusal"),
    [
        ({"width": "511"}, {}, (400, "invalid_size", "width")),
        ({"width": "wide"}, {}, (400, "invalid_parameter", "width")),
        ({"seed": "-1"}, {}, (400, "invalid_parameter", "seed")),
        ({"loras": "[{"}, {}, (400, "invalid_parameter", "loras")),
        ({"colour": "red"}, {}, (400, "unknown_parameter", "colour")),
        ({}, {"photo": PNG}, (400, "unknown_parameter", "photo")),
        ({"image": "gen_0000000000000000"}, {"image": PNG}, (400, "invalid_parameter", "image")),
    ],
)
async def test_a_form_is_held_to_the_same_rules(gateway, texts, files, refusal):
    assert error_of(await sent_as_form(gateway, files, **texts)) == refusal


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"nonsense"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b; charset=undefined",
            b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n--b--\r\n',
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"X" * 10_000),
        (
            "multipart/form-data; boundary=b",
            b"".join(b'--b\r\nContent-Disposition: form-data; name="a%d"\r\n\r\nx\r\n' % n for n in range(65)),
        ),
        (
            "multipart/form-data; boundary=b",
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="a%d"; filename="f"\r\n\r\nx\r\n' % n for n in range(18)
            ),
        ),
    ],
)
async def test_a_broken_form_is_refused_as_one(gateway, content_type, content):
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": content_type}
    answered = await gateway.http.post("/v1/generate", content=content, headers=headers)
    assert error_of(answered)[:2] in {(400, "invalid_form"), (400, "missing_parameter")}


@pytest.mark.parametrize(
    ("size", "refusal"), [(MAX_FILE_BYTES, (400, "invalid_image")), (MAX_FILE_BYTES + 1, (413, "payload_too_large"))]
)
async def test_a_file_has_20_million_bytes_at_most(gateway, size, refusal):
    assert error_of(await sent_as_form(gateway, {"image": bytes(size)}))[:2] == refusal


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_form_has_60_million_bytes_at_most(gateway, is_announced):
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    content = head + bytes(MAX_FORM_BYTES + 1 - len(head))

    async def arriving():
        for at in range(0, len(content), 4 << 20):
            yield content[at : at + (4 << 20)]

    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "multipart/form-data; boundary=b"}
    answered = await gateway.http.post("/v1/generate", content=content if is_announced else arriving(), headers=headers)
    assert error_of(answered)[:2] == (413, "payload_too_large")


async def test_equal_forms_under_one_idempotency_key_are_one_generation(gateway):
    headers = {"Idempotency-Key": "once"}
    first = await sent_as_form(gateway, {"image": PNG}, headers=headers)
    again = await sent_as_form(gateway, {"image": PNG}, headers=headers)
    assert first.json()["generation_id"] == again.json()["generation_id"]
    assert again.headers["idempotent-replayed"] == "true"
    other = await sent_as_form(gateway, {"image": MASK}, headers=headers)
    assert error_of(other)[:2] == (422, "idempotency_key_reused")


async def test_a_source_image_that_is_damaged_or_gone_is_not_painted_from(gateway):
    for harm, code in (
        (lambda file: file.unlink(), "image_gone"),
        (lambda file: file.write_bytes(b"x"), "image_damaged"),
    ):
        gateway.engine.hold()
        ahead = asyncio.create_task(gateway.paint(n=8))
        await asyncio.sleep(0.05)
        id = (await gateway.paint(image=text_of(PNG), **{"async": True})).json()["generation_id"]
        (file,) = (gateway.installation.settings.data_dir / "pictures" / "gen" / id / "from").iterdir()
        harm(file)
        gateway.engine.release()
        await ahead
        for _ in range(400):
            body = (await gateway.get(f"/v1/generations/{id}")).json()
            if body["status"] == "failed":
                break
            await asyncio.sleep(0.01)
        assert body["error"]["code"] == code

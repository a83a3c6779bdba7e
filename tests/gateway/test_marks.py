"""Labels, and what a test key's pictures carry: over the delivered file, never in the painted pixels."""

import hashlib
import io

import pytest
from PIL import Image

from gateway.access import Mode
from models import ImageSize
from safety.provenance import Mark, marked


async def new_test_key(gateway, **order):
    return await gateway.new_key(account="tester", mode=Mode.TEST, **order)


async def opened(gateway, image):
    served = (await gateway.http.get(image["url"])).content
    with Image.open(io.BytesIO(served)) as picture:
        return picture.convert("RGB")


def sha256_of(pixels):
    return hashlib.sha256(pixels).hexdigest()


async def test_a_label_is_in_the_file_and_not_in_the_painting(gateway):
    (plain,) = (await gateway.paint(seed=3)).json()["images"]
    (labelled,) = (await gateway.paint(seed=3, label=True)).json()["images"]
    assert plain["pixel_sha256"] == plain["delivered_sha256"] == labelled["pixel_sha256"]
    unmarked, seen = await opened(gateway, plain), await opened(gateway, labelled)
    assert sha256_of(seen.tobytes()) == labelled["delivered_sha256"] != labelled["pixel_sha256"]
    size = ImageSize(width=512, height=512)
    assert seen.tobytes() == marked(unmarked.tobytes(), size, {Mark.LABEL})


async def test_a_test_key_pays_nothing_and_gets_marked_pictures(gateway):
    key = await new_test_key(gateway, plan="pro", credits=3)
    body = (await gateway.paint(key=key, seed=3)).json()
    (image,) = body["images"]
    assert (body["livemode"], body["credits_used"]) == (False, 0)
    assert (await gateway.get("/v1/account", key=key)).json()["credits"] == 3
    (plain,) = (await gateway.paint(seed=3)).json()["images"]
    assert image["pixel_sha256"] == plain["pixel_sha256"]
    unmarked = (await opened(gateway, plain)).tobytes()
    size = ImageSize(width=512, height=512)
    assert (await opened(gateway, image)).tobytes() == marked(unmarked, size, {Mark.TEST})


async def test_what_a_test_key_painted_is_never_what_a_live_key_gets(gateway):
    test, live = await new_test_key(gateway, plan="pro", credits=9), await gateway.new_key(account="tester")
    (marked_one,) = (await gateway.paint(key=test, seed=3)).json()["images"]
    (clean,) = (await gateway.paint(key=live, seed=3)).json()["images"]
    assert clean["delivered_sha256"] == clean["pixel_sha256"] == marked_one["pixel_sha256"]
    assert marked_one["file_sha256"] != clean["file_sha256"]
    (again,) = (await gateway.paint(key=test, seed=3)).json()["images"]
    assert again["file_sha256"] == marked_one["file_sha256"]


async def test_a_labelled_request_is_another_than_one_without(gateway):
    await gateway.paint(seed=3)
    (labelled,) = (await gateway.paint(seed=3, label=True)).json()["images"]
    assert labelled["delivered_sha256"] != labelled["pixel_sha256"]


async def test_a_replay_is_labelled_too_and_compared_before_the_label(gateway):
    first = (await gateway.paint(seed=3, label=True)).json()
    headers = {"Authorization": f"Bearer {gateway.key}"}
    path = f"/v1/generations/{first['generation_id']}/replay"
    again = (await gateway.http.post(path, headers=headers)).json()
    assert again["identical"] is True
    (image,) = (await gateway.get(f"/v1/generations/{again['generation_id']}")).json()["images"]
    assert image["delivered_sha256"] == first["images"][0]["delivered_sha256"]


@pytest.mark.parametrize("label", ["yes", 1])
async def test_a_label_is_wanted_or_not(gateway, label):
    answered = await gateway.paint(label=label)
    assert (answered.status_code, answered.json()["error"]["param"]) == (400, "label")

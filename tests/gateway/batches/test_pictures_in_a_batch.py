"""Items that begin from a picture: what a single call takes, each judged by itself."""

import base64
import json

from PIL import Image
from plugins.hostile_pictures import two_colours, written

PNG = base64.b64encode(written(two_colours(), "PNG")).decode()
MASK = base64.b64encode(written(Image.new("L", (64, 32), 255), "PNG")).decode()
NO_PICTURE = base64.b64encode(b"no picture").decode()


def kept_folders(gateway):
    return sorted((gateway.installation.settings.data_dir / "pictures" / "gen").glob("*/from"))


async def test_an_item_begins_from_what_a_single_call_begins_from(gateway, batches):
    first = (await gateway.paint()).json()["generation_id"]
    items = [
        {"prompt": "a boat", "seed": 1, "image": PNG, "mask": MASK, "strength": 0.5},
        {"prompt": "a boat", "seed": 1, "image": f"data:image/png;base64,{PNG}"},
        {"prompt": "a boat", "seed": 1, "image": first, "priority": "batch"},
    ]
    single = [(await gateway.paint(**item, cache=False)).json()["images"][0]["pixel_sha256"] for item in items]
    sent = await batches.send([{**item, "cache": False} for item in items])
    assert (await batches.ended(sent.json()["batch_id"]))["counts"]["completed"] == 3

    results = await batches.results(sent.json()["batch_id"])
    assert [one["generation"]["images"][0]["pixel_sha256"] for one in results] == single
    assert sorted(spec.init_image.strength for spec in gateway.engine.painted[-3:]) == [0.5, 0.6, 0.6]


async def test_a_picture_that_is_none_ends_its_own_item_alone(gateway, batches):
    items = [
        {"prompt": "a boat", "image": NO_PICTURE},
        {"prompt": "a boat", "image": "gen_unknown"},
        {"prompt": "a boat", "image": "%"},
        {"prompt": "a boat", "mask": MASK},
        {"prompt": "a boat", "image": PNG, "strength": 2},
        {"prompt": "a boat", "priority": "interactive"},
        {"prompt": "a boat", "image": PNG},
    ]
    sent = (await batches.send(items)).json()
    ended = await batches.ended(sent["batch_id"])
    assert (ended["counts"]["refused"], ended["counts"]["completed"]) == (6, 1)

    errors = [
        one["error"] and (one["error"]["code"], one["error"]["param"])
        for one in await batches.results(sent["batch_id"])
    ]
    assert errors == [
        ("invalid_image", "image"),
        ("not_found", None),
        ("invalid_image", "image"),
        ("invalid_parameter", "mask"),
        ("invalid_parameter", "strength"),
        ("invalid_parameter", "priority"),
        None,
    ]
    assert len(kept_folders(gateway)) == 1


async def test_json_lines_may_carry_pictures_and_csv_may_name_them(gateway, batches):
    first = (await gateway.paint()).json()["generation_id"]
    line = json.dumps({"prompt": "a boat", "image": PNG, "strength": 0.3})
    for content, media_type in (
        (line, "application/jsonl"),
        (f"prompt,image,strength,priority\na boat,{first},0.3,batch\n", "text/csv"),
    ):
        sent = (await batches.send_file(content, media_type)).json()
        assert (await batches.ended(sent["batch_id"]))["counts"]["completed"] == 1
        assert gateway.engine.painted[-1].init_image.strength == 0.3


async def test_what_is_refused_for_lack_of_credits_leaves_no_file(gateway, batches_of):
    batches = batches_of(gateway, await gateway.new_key(account="poor", plan="pro", credits=1))
    sent = (await batches.send([{"prompt": "a boat", "image": PNG}] * 3)).json()
    ended = await batches.ended(sent["batch_id"])
    assert (ended["counts"]["completed"], ended["counts"]["refused"]) == (1, 2)
    assert len(kept_folders(gateway)) == 1

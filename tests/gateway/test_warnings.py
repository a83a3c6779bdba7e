"""What a request named and its specs do not hold stands in `warnings`, wherever the request's answer is read."""

import asyncio
import base64
import json
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from plugins.event_streams import read_to_the_end
from plugins.hostile_pictures import two_colours, written
from plugins.webhook_receiver import Receiver, receiving

from gateway.http.reading.refusing import members_of
from gateway.orders import GenerateBody
from models import Catalogue, Family, GenerationRequest, ModelCard
from models.sampling import SD3
from router import NegativeMerge, Router, Styles
from router.notices import MEMBERS
from router.styles import Wording
from tests.gateway.conftest import shipped


def text_of(image):
    return base64.b64encode(written(image, "PNG")).decode()


SQUARE, WIDE = text_of(Image.new("RGB", (64, 64), "red")), text_of(two_colours())
HOLES = text_of(Image.new("RGBA", (64, 64), (0, 0, 0, 0)))
HALF = text_of(two_colours(64, 64).getchannel("R"))
CHANGED_QUALITY = ("value_changed", "quality", None)
SAMURAI = "a neon samurai in a cyberpunk city"
# Members of the body that say how the call is answered, not what is painted.
OF_THE_CALL = {"webhook_url", "async", "cache", "dry_run", "priority", "ttl", "metadata"}
# Names of the body for what the request has under another.
PARTS = {"size": "width", "image": "init_image", "mask": "init_image", "strength": "init_image"}


ROWS = [
    ({}, []),
    ({"prompt": SAMURAI}, [("unknown_words", "prompt", ["samurai"])]),
    ({"prompt": "a (samurai:1.3) on a hill"}, [("unknown_words", "prompt", ["samurai"])]),
    ({"guidance_scale": 1, "negative_prompt": "red"}, [("ignored_parameter", "negative_prompt", None)]),
    ({"guidance_scale": 2, "negative_prompt": "red"}, []),
    (
        {"quality": "hd", "num_inference_steps": 2, "guidance_scale": 2},
        [("ignored_parameter", "quality", None)],
    ),
    # Of eight initial noises the best is chosen: `quality` acts.
    ({"quality": "ultra", "num_inference_steps": 2, "guidance_scale": 2}, [CHANGED_QUALITY]),
    ({"quality": "hd", "num_inference_steps": 2}, [CHANGED_QUALITY]),
    ({"quality": "standard", "num_inference_steps": 2}, []),
    ({"num_inference_steps": 2, "clip_skip": 1}, []),
    ({"quality": "ultra", "clip_skip": 1}, [CHANGED_QUALITY]),
    ({"quality": "hd", "clip_skip": 1}, []),
    ({"quality": "ultra", "image": SQUARE}, [CHANGED_QUALITY, CHANGED_QUALITY]),
    ({"image": SQUARE}, []),
    ({"image": WIDE}, [("value_changed", "image", None)]),
    ({"image": WIDE, "width": 1024, "height": 512}, []),
    ({"image": HOLES}, [("value_changed", "image", None)]),
    ({"image": HOLES, "mask": HALF}, [("value_changed", "image", None)]),
    ({"image": SQUARE, "num_inference_steps": 4, "strength": 0.2}, [("value_changed", "strength", None)]),
    ({"image": SQUARE, "num_inference_steps": 4, "strength": 0.25}, []),
    ({"image": SQUARE, "num_inference_steps": 4, "strength": 0.005}, []),
    ({"loras": [{"id": "starter-blueprint", "weight": 0}]}, [("ignored_parameter", "loras[0]", None)]),
    ({"enhance_prompt": True, "style": "none"}, [("ignored_parameter", "enhance_prompt", None)]),
    (
        {"enhance_prompt": True, "prompt": "лодка"},
        [("unknown_words", "prompt", ["лодка"]), ("ignored_parameter", "enhance_prompt", None)],
    ),
    ({"prompt": "a (red:2.5) boat"}, [("value_changed", "prompt", None)]),
    ({"prompt": "a (red:1.5) boat"}, []),
    ({"negative_prompt": "a samurai"}, [("unknown_words", "negative_prompt", ["samurai"])]),
    ({"cache": True}, [("ignored_parameter", "cache", None)]),
    ({"cache": True, "seed": 1}, []),
]


def test_every_member_of_a_request_is_compared_with_its_spec():
    assert set(MEMBERS) == {member.name for member in fields(GenerationRequest)}
    assert {PARTS.get(name, name) for name in members_of(GenerateBody)} - OF_THE_CALL == set(MEMBERS)


async def test_what_did_not_act_is_named(gateway):
    """One gateway for all rows; what the answer says, the quote said before."""
    for body, warnings in ROWS:
        painted = (await gateway.paint(**body)).json()
        found = [(one["code"], one["param"], one["words"]) for one in painted["warnings"]]
        assert found == warnings, body
        quoted = (await gateway.paint(**body, dry_run=True)).json()
        assert quoted["warnings"] == painted["warnings"], body


@pytest.mark.parametrize(
    ("family", "request_", "warnings"),
    [
        (Family.FLUX, {"prompt": "a b " * 260}, [("value_changed", "prompt", "may not count")]),
        (Family.SD3, {"prompt": "a b " * 260}, [("value_changed", "prompt", "may not count")]),
        (Family.SDXL, {"prompt": "a b " * 260}, []),
        (Family.FLUX, {"prompt": "a (red:1.3) boat"}, [("value_changed", "prompt", "without its weight")]),
        (Family.SD3, {"prompt": "a (red:1.3) boat"}, []),
        (Family.FLUX, {"negative_prompt": "red"}, [("ignored_parameter", "negative_prompt", "of the family flux")]),
        (Family.SDXL, {"negative_prompt": "red"}, []),
        (
            Family.SDXL,
            {"negative_prompt": "red", "style": "own"},
            [("ignored_parameter", "negative_prompt", "its own")],
        ),
    ],
)
def test_what_other_families_and_styles_leave_out_is_named(family, request_, warnings):
    """What no model in the box does."""
    style = shipped().styles.get("none")
    wording = Wording(template="{prompt}", negative="text", negative_merge=NegativeMerge.IGNORE)
    own = msgspec.structs.replace(style, id="own", aliases=(), prompt=wording)
    card = ModelCard(
        id="one", family=family, path=Path("x"), licence="x", native_pixels=1 << 20, is_default=True, sampling=SD3
    )
    router = Router(Styles([style, own]), Catalogue({"one": card}))
    request = GenerationRequest(**{"prompt": "a boat", "style": "none", **request_})
    found = router.route(request, seed=1).notices
    assert [(notice.code, notice.param) for notice in found] == [(code, param) for code, param, _ in warnings]
    assert all(words in notice.message for notice, (*_, words) in zip(found, warnings, strict=True))


async def test_a_lora_without_weight_adds_no_words_and_a_style_s_own_can_be_switched_off(gateway):
    painted = (await gateway.paint(style="none", loras=[{"id": "starter-blueprint", "weight": 0}])).json()
    assert painted["revised_prompt"] == painted["prompt"]
    assert gateway.engine.painted[-1].adapters == ()
    without = (await gateway.paint(style="risograph", loras=[{"id": "starter-risograph", "weight": 0}])).json()
    assert without["warnings"] == []
    assert gateway.engine.painted[-1].adapters == ()


async def test_what_a_message_says_of_a_crop_and_of_a_quality(gateway):
    cropped = (await gateway.paint(image=WIDE, dry_run=True)).json()["warnings"][0]["message"]
    assert "64x32" in cropped
    assert "512x512" in cropped
    assert "50.0% of its width" in cropped
    ultra = {"quality": "ultra", "clip_skip": 1, "num_inference_steps": 5}
    (refined, chosen) = (await gateway.paint(**ultra, dry_run=True)).json()["warnings"]
    assert "not refined, because of `num_inference_steps`" in refined["message"]
    assert "because of `clip_skip`" in chosen["message"]


async def test_a_negative_prompt_that_was_not_read_stands_nowhere_as_used(gateway):
    painted = (await gateway.paint(guidance_scale=1, negative_prompt="red")).json()
    assert painted["negative_prompt_used"] == ""
    assert gateway.engine.painted[-1].negative_prompt == ""


async def test_warnings_go_wherever_the_answer_goes(gateway):
    with receiving(Receiver()) as hook:
        accepted = (await gateway.paint(prompt=SAMURAI, seed=1, webhook_url=hook.url)).json()
        _, told = await asyncio.to_thread(hook.arrived.get, timeout=60)
    (warning,) = accepted["warnings"]
    assert warning["words"] == ["samurai"]
    assert json.loads(told)["data"]["warnings"][0]["words"] == ["samurai"]
    read = (await gateway.get(f"/v1/generations/{accepted['generation_id']}")).json()
    listed = (await gateway.get("/v1/generations")).json()["data"][0]
    events = await read_to_the_end(
        gateway.http._transport.app,
        f"/v1/generations/{accepted['generation_id']}/events",
        authorization=f"Bearer {gateway.key}",
    )
    assert [(event.name, event.data["warnings"]) for event in events.heard] == [("completed", [warning])]
    cached = (await gateway.paint(prompt=SAMURAI, seed=1)).json()
    assert cached["cached"]
    replay = await gateway.http.post(
        f"/v1/generations/{accepted['generation_id']}/replay", headers={"Authorization": f"Bearer {gateway.key}"}
    )
    again = (await gateway.get(f"/v1/generations/{replay.json()['generation_id']}")).json()
    assert read["warnings"] == listed["warnings"] == cached["warnings"] == again["warnings"] == [warning]


async def test_a_repeated_202_carries_what_the_first_did(gateway):
    gateway.engine.hold()
    wish = {"prompt": SAMURAI, "async": True, "headers": {"Idempotency-Key": "once"}}
    first = (await gateway.paint(**wish)).json()
    gateway.engine.release()
    await gateway.server.painting.fetch.ended(
        await gateway.server.services.gatekeeper.caller(gateway.key, now=gateway.clock()),
        first["generation_id"],
        wait_s=60,
    )
    again = (await gateway.paint(**wish)).json()
    assert again["generation_id"] == first["generation_id"]
    assert again["warnings"] == first["warnings"] != []

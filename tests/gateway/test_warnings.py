"""What a request named and its specs do not hold stands in `warnings`, wherever the request's answer is read."""

import asyncio
import json
from dataclasses import fields

import pytest
from plugins.webhook_receiver import Receiver, receiving

from gateway.http.reading.refusing import members_of
from gateway.orders import GenerateBody
from models import GenerationRequest
from router.notices import MEMBERS

SAMURAI = "a neon samurai in a cyberpunk city"
# Members of the body that say how the call is answered, not what is painted.
OF_THE_CALL = {"webhook_url", "async", "cache", "dry_run", "priority", "ttl", "metadata"}
# Names of the body for what the request has under another.
PARTS = {"size": "width", "image": "init_image", "mask": "init_image", "strength": "init_image"}


def test_every_member_of_a_request_is_compared_with_its_spec():
    assert set(MEMBERS) == {member.name for member in fields(GenerationRequest)}
    assert {PARTS.get(name, name) for name in members_of(GenerateBody)} - OF_THE_CALL == set(MEMBERS)


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        ({}, []),
        ({"prompt": SAMURAI}, [("unknown_words", "prompt", ["samurai"])]),
        ({"prompt": "a (samurai:1.3) on a hill"}, [("unknown_words", "prompt", ["samurai"])]),
        ({"guidance_scale": 1, "negative_prompt": "red"}, [("ignored_parameter", "negative_prompt", None)]),
        ({"guidance_scale": 2, "negative_prompt": "red"}, []),
        (
            {"quality": "hd", "num_inference_steps": 2, "guidance_scale": 2},
            [("ignored_parameter", "quality", None)],
        ),
        ({"quality": "hd", "num_inference_steps": 2}, []),
        ({"loras": [{"id": "starter-blueprint", "weight": 0}]}, [("ignored_parameter", "loras[0]", None)]),
        ({"enhance_prompt": True, "style": "none"}, [("ignored_parameter", "enhance_prompt", None)]),
    ],
)
async def test_what_did_not_act_is_named(gateway, body, warnings):
    painted = (await gateway.paint(**body)).json()
    assert [(one["code"], one["param"], one["words"]) for one in painted["warnings"]] == warnings
    quoted = (await gateway.paint(**body, dry_run=True)).json()
    assert quoted["warnings"] == painted["warnings"]


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

"""`stream: true`: pictures in the making, then the pictures, and nothing that clients would take for a picture."""

import asyncio
import base64
import io
import json

from PIL import Image

from models import WeightsRejected

BODY = {"prompt": "a red lighthouse", "model": "gpt-image-2", "stream": True}


async def asked(gateway, **body):
    headers = {"Authorization": f"Bearer {gateway.key}"}
    return await gateway.http.post("/v1/images/generations", json={**BODY, **body}, headers=headers)


async def streamed(gateway, **body):
    """The answer, and its events by name and data; comments are dropped, as clients do."""
    answered = await asked(gateway, **body)
    blocks = [block for block in answered.text.split("\n\n") if block and not block.startswith(":")]
    lines = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return answered, [(line["event"], json.loads(line["data"])) for line in lines]


async def streamed_slowly(gateway, **body):
    """The painting goes on only when the stream has begun to look at it: so there are previews for sure."""
    gateway.engine.hold()
    streaming = asyncio.create_task(streamed(gateway, **body))
    for _ in range(4000):
        made = (await gateway.get("/v1/generations")).json()["data"]
        if made and gateway.engine.begun and gateway.server.painting.board.preview_every(made[0]["generation_id"]):
            gateway.engine.release()
            return await streaming
        await asyncio.sleep(0.002)
    raise AssertionError("nobody looked")


async def test_pictures_in_the_making_come_first_and_are_counted(gateway):
    for count in [0, 1, 3]:
        answered, events = await streamed(gateway, partial_images=count)
        assert answered.status_code == 200
        assert answered.headers["content-type"].startswith("text/event-stream")
        names = [name for name, _ in events]
        assert names[-1] == "image_generation.completed"
        assert set(names[:-1]) <= {"image_generation.partial_image"}
        assert len(names) - 1 <= count
        assert [data["partial_image_index"] for _, data in events[:-1]] == list(range(len(events) - 1))
        assert all(data["type"] == name for name, data in events)


async def test_each_event_holds_a_picture_and_the_last_one_the_usage(gateway):
    _, events = await streamed_slowly(gateway, partial_images=2, output_format="webp", size="512x768", quality="high")
    assert len(events) > 1
    pictures = [Image.open(io.BytesIO(base64.b64decode(data["b64_json"]))) for _, data in events]
    assert [picture.format for picture in pictures] == ["JPEG"] * (len(events) - 1) + ["WEBP"]
    assert pictures[-1].size == (512, 768)
    last = events[-1][1]
    assert (last["output_format"], last["size"], last["quality"]) == ("webp", "512x768", "high")
    assert last["usage"]["output_tokens_details"] == {"text_tokens": 0, "image_tokens": 1}
    assert isinstance(last["created_at"], int)


async def test_every_picture_of_several_is_told(gateway):
    _, events = await streamed(gateway, n=2)
    assert [name for name, _ in events] == ["image_generation.completed"] * 2
    assert events[0][1]["b64_json"] != events[1][1]["b64_json"]


async def test_what_is_refused_is_refused_before_the_stream(gateway):
    answered = await asked(gateway, prompt="a naked child")
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "moderation_blocked")
    answered = await asked(gateway, partial_images=4)
    assert (answered.status_code, answered.json()["error"]["param"]) == (400, "partial_images")


async def test_what_fails_later_is_an_error_inside_the_stream(gateway):
    gateway.engine.fail_next(WeightsRejected("The weights are broken."))
    answered, events = await streamed(gateway)
    assert answered.status_code == 200
    assert [name for name, _ in events] == ["error"]
    assert set(events[0][1]) == {"error"}
    assert events[0][1]["error"]["code"] == "model_unusable"

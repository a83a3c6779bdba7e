"""openai-python: pictures, edits, streams, models, and errors that it recognizes."""

import base64
import os

import openai

PROMPT = "a red boat on a lake"
SMALL = {"size": "256x256", "extra_body": {"seed": 7, "steps": 4}}
PNG = b"\x89PNG"

client = openai.OpenAI(base_url=f"{os.environ['PINXIT_URL']}/v1", api_key=os.environ["PINXIT_KEY"])


def content(item):
    return base64.b64decode(item.b64_json)


def refusal(**wrong):
    """The error of a call that must fail, and how many calls were made for it."""
    try:
        client.images.generate(**{"prompt": PROMPT, "model": "gpt-image-2", **wrong})
    except openai.APIStatusError as error:
        return error
    raise AssertionError("not refused")


made = client.images.generate(model="gpt-image-2", prompt=PROMPT, **SMALL)
again = client.images.generate(model="gpt-image-2", prompt=PROMPT, **SMALL)
assert content(made.data[0]).startswith(PNG)
assert made.data[0].b64_json == again.data[0].b64_json
assert made.data[0].url is None
assert made.usage.output_tokens_details.image_tokens == made.usage.output_tokens == 1
assert made.usage.total_tokens == made.usage.input_tokens + 1

linked = client.images.generate(model="dall-e-3", prompt=PROMPT, style="vivid", quality="standard", n=2, **SMALL)
assert [item.b64_json for item in linked.data] == [None, None]
assert all(item.url.startswith(os.environ["PINXIT_URL"]) for item in linked.data)

raw = client.images.with_raw_response.generate(
    model="gpt-image-2", prompt=PROMPT, user="u-1", size="256x256", extra_body={"steps": 4, "cfg_rescale": 1}
)
assert raw.headers["x-pinxit-ignored"] == "cfg_rescale"
assert "cfg_rescale" in [warning.get("param") for warning in raw.parse().warnings]

names = []
for event in client.images.generate(model="gpt-image-2", prompt=PROMPT, stream=True, partial_images=2, **SMALL):
    names.append(event.type)
    assert base64.b64decode(event.b64_json)
assert names[-1] == "image_generation.completed"
assert set(names[:-1]) <= {"image_generation.partial_image"}
assert event.usage.output_tokens == 1

picture = content(made.data[0])
edited = client.images.edit(model="gpt-image-2", image=picture, mask=picture, prompt="a blue boat", **SMALL)
assert content(edited.data[0]).startswith(PNG)
several = client.images.edit(model="gpt-image-2", image=[picture], prompt="a blue boat", **SMALL)
assert content(several.data[0]).startswith(PNG)
edits = [
    event.type
    for event in client.images.edit(model="gpt-image-2", image=picture, prompt="a blue boat", stream=True, **SMALL)
]
assert edits[-1] == "image_edit.completed"
varied = client.images.create_variation(
    model="dall-e-2", image=picture, response_format="b64_json", size="256x256", extra_body={"steps": 4}
)
assert content(varied.data[0]).startswith(PNG)

assert "starter" in [model.id for model in client.models.list()]
assert client.models.retrieve("gpt-image-2").id == "gpt-image-2"

blocked = refusal(prompt="a naked child")
assert isinstance(blocked, openai.BadRequestError)
assert (blocked.code, blocked.type) == ("moderation_blocked", "image_generation_user_error")
assert "content policy" in blocked.message
wrong = refusal(size="10x10")
assert (wrong.code, wrong.param) == ("invalid_size", "size")
assert isinstance(refusal(model="no-such-model"), openai.NotFoundError)
client.api_key = "px_live_nonsense"
assert isinstance(refusal(), openai.AuthenticationError)

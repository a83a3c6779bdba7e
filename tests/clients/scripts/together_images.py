"""together's client: its own members on OpenAI's path."""

import base64
import os

import together

client = together.Together(api_key=os.environ["PINXIT_KEY"], base_url=os.environ["PINXIT_URL"])  # it adds /v1
asked = {"model": "starter", "prompt": "a red boat on a lake", "width": 320, "height": 256, "steps": 4, "seed": 7}

made = client.images.generate(**asked, n=2, negative_prompt="clouds", response_format="base64")
assert [base64.b64decode(item.b64_json)[:4] for item in made.data] == [b"\x89PNG"] * 2

linked = client.images.generate(**asked, guidance_scale=4.0, output_format="jpeg")
assert linked.data[0].url.startswith(os.environ["PINXIT_URL"])

named = client.images.generate(**asked, disable_safety_checker=True).warnings
assert "disable_safety_checker" in [warning.get("param") for warning in named], named
try:
    client.images.generate(**asked, image_url="https://example.com/a.png")
except together.BadRequestError as error:
    assert "/v1/images/edits" in str(error), error
else:
    raise AssertionError("not refused")
try:
    client.images.generate(**{**asked, "width": 10})
except together.BadRequestError as error:
    assert "multiple of 8" in str(error), error
else:
    raise AssertionError("not refused")

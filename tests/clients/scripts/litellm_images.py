"""LiteLLM's OpenAI provider: pictures in both forms, an edit, and a refusal by the policy."""

import base64
import io
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import asks the internet for prices

import litellm

PROMPT = "a red boat on a lake"
ASKED = {"api_base": f"{os.environ['PINXIT_URL']}/v1", "api_key": os.environ["PINXIT_KEY"], "size": "256x256"}

made = litellm.image_generation(model="openai/gpt-image-2", prompt=PROMPT, extra_body={"seed": 7, "steps": 4}, **ASKED)
picture = base64.b64decode(made.data[0].b64_json)
assert picture.startswith(b"\x89PNG")
assert made.usage.output_tokens == 1

linked = litellm.image_generation(model="openai/dall-e-3", prompt=PROMPT, response_format="url", **ASKED)
assert linked.data[0].url.startswith(os.environ["PINXIT_URL"])

file = io.BytesIO(picture)
file.name = "boat.png"
edited = litellm.image_edit(model="openai/gpt-image-2", image=file, prompt="a blue boat", **ASKED)
assert base64.b64decode(edited.data[0].b64_json).startswith(b"\x89PNG")

try:
    litellm.image_generation(model="openai/gpt-image-2", prompt="a naked child", **ASKED)
except litellm.BadRequestError as error:
    assert "content policy" in str(error), error
else:
    raise AssertionError("not refused")

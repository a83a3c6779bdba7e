"""huggingface_hub's InferenceClient: a picture from an address of ours, named by model and by style."""

import io
import os

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

PROMPT = "a red boat on a lake"


def client(name):
    return InferenceClient(model=f"{os.environ['PINXIT_URL']}/hf/{name}", token=os.environ["PINXIT_KEY"])


asked = {"width": 320, "height": 256, "num_inference_steps": 4, "guidance_scale": 4.0, "seed": 7}
first = client("starter").text_to_image(PROMPT, negative_prompt="clouds", **asked)
again = client("starter").text_to_image(PROMPT, negative_prompt="clouds", **asked)
assert first.size == (320, 256)
assert first.tobytes() == again.tobytes()
assert client("watercolor").text_to_image(PROMPT, **asked).tobytes() != first.tobytes()

file = io.BytesIO()
first.save(file, "PNG")
begun = client("starter").image_to_image(
    file.getvalue(), prompt="a blue boat on a lake", num_inference_steps=4, strength=0.5, seed=7
)
assert begun.tobytes() != first.tobytes()

try:
    client("no-such-model").text_to_image(PROMPT)
except HfHubHTTPError as error:
    assert error.response.status_code == 404
    assert "no-such-model" in str(error), error
else:
    raise AssertionError("not refused")

"""replicate-python: run, predict in the background, list, cancel, and errors in words."""

import io
import os
import urllib.request

import replicate
from replicate.exceptions import ReplicateError

client = replicate.Client(api_token=os.environ["PINXIT_KEY"], base_url=os.environ["PINXIT_URL"])
asked = {"prompt": "a red boat on a lake", "width": 256, "height": 256, "num_inference_steps": 4, "seed": 7}

output = client.run("local/starter", input={**asked, "num_outputs": 2})
assert [urllib.request.urlopen(url).read(4) for url in output] == [b"\x89PNG"] * 2  # files only where they are https

first = io.BytesIO(urllib.request.urlopen(output[0]).read())
begun = client.run(
    "local/starter", input={**asked, "image": first, "prompt_strength": 0.5}, file_encoding_strategy="base64"
)
assert urllib.request.urlopen(begun[0]).read(4) == b"\x89PNG"

background = client.predictions.create(
    version="starter", input={**asked, "seed": 99}
)  # painted before, it would be there
assert background.status == "starting"
background.wait()
assert background.status == "succeeded"
assert background.output[0].startswith(os.environ["PINXIT_URL"])
assert background.metrics["predict_time"] >= 0
assert client.predictions.list().results[0].id == background.id

long = client.predictions.create(version="starter", input={**asked, "num_inference_steps": 150, "width": 1024})
long.cancel()
long.reload()
assert long.status == "canceled", long.status

try:
    client.run("stability-ai/sdxl", input=asked)
except ReplicateError as error:
    assert error.status == 404
    assert "local" in error.detail
else:
    raise AssertionError("not refused")

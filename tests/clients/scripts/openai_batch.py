"""openai-python: a file goes up, a batch is made of it, and what came of each request is fetched."""

import json
import os
import time

import openai

ENDPOINT = "/v1/images/generations"
PATIENCE_S = 60

client = openai.OpenAI(base_url=f"{os.environ['PINXIT_URL']}/v1", api_key=os.environ["PINXIT_KEY"])


def line(custom_id, **body):
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body})


small = {"model": "gpt-image-2", "prompt": "a red boat on a lake", "size": "256x256", "steps": 4, "seed": 7}
content = "\n".join([line("good", **small), line("bad", **{**small, "size": "10x10"})])
file = client.files.create(file=("requests.jsonl", content.encode()), purpose="batch")
assert client.files.retrieve(file.id).filename == "requests.jsonl"
assert client.files.content(file.id).text == content
assert file.id in [known.id for known in client.files.list()]

batch = client.batches.create(
    input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h", metadata={"order": "7"}
)
assert (batch.metadata, batch.input_file_id) == ({"order": "7"}, file.id)
until = time.monotonic() + PATIENCE_S
while batch.status != "completed" and time.monotonic() < until:
    time.sleep(0.2)
    batch = client.batches.retrieve(batch.id)
assert batch.status == "completed"
assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (2, 1, 1)
assert batch.id in [known.id for known in client.batches.list(limit=1)]

made = json.loads(client.files.content(batch.output_file_id).text)
assert (made["custom_id"], made["response"]["status_code"]) == ("good", 200)
assert made["response"]["body"]["data"][0]["url"].startswith(os.environ["PINXIT_URL"])
refused = json.loads(client.files.content(batch.error_file_id).text)
assert (refused["custom_id"], refused["error"]["code"]) == ("bad", "invalid_size")

assert client.files.delete(file.id).deleted
try:
    client.files.retrieve(file.id)
except openai.NotFoundError as error:
    assert error.code == "not_found"
else:
    raise AssertionError("still there")

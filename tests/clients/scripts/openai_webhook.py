"""openai-python unwraps our webhook, and not one that was touched."""

import json
import os

import openai

arrived = json.loads(os.environ["ARRIVED"])
client = openai.OpenAI(api_key="none", webhook_secret=os.environ["SECRET"])

event = client.webhooks.unwrap(arrived["body"], arrived["headers"])
assert event.type == "generation.completed"
assert event.data["generation_id"].startswith("gen_") if isinstance(event.data, dict) else event.data.generation_id
try:
    client.webhooks.unwrap(arrived["body"].replace("completed", "failed"), arrived["headers"])
except openai.InvalidWebhookSignatureError:
    pass
else:
    raise AssertionError("believed")

"""Standard Webhooks' own verifier believes our webhook, and not one that was touched."""

import json
import os

from standardwebhooks import Webhook, WebhookVerificationError

arrived = json.loads(os.environ["ARRIVED"])
webhook = Webhook(os.environ["SECRET"])

assert webhook.verify(arrived["body"], arrived["headers"])["type"] == "generation.completed"
try:
    webhook.verify(arrived["body"] + " ", arrived["headers"])
except WebhookVerificationError:
    pass
else:
    raise AssertionError("believed")

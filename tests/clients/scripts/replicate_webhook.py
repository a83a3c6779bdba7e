"""replicate-python validates our webhook, and not one that was touched."""

import json
import os

from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret

arrived = json.loads(os.environ["ARRIVED"])
secret = WebhookSigningSecret(key=os.environ["SECRET"])

Webhooks.validate(headers=arrived["headers"], body=arrived["body"], secret=secret)
try:
    Webhooks.validate(headers=arrived["headers"], body=arrived["body"] + " ", secret=secret)
except InvalidSignatureError:
    pass
else:
    raise AssertionError("believed")

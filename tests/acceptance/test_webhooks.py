"""One signed webhook when a generation ends, judged by the standard's own verifier."""

import hashlib
import hmac
import json
import queue

import pytest
from plugins.webhook_receiver import Receiver, receiving
from standardwebhooks import Webhook

PATIENCE_S = 60


@pytest.fixture
def receiver(request):
    with receiving(Receiver(failures=getattr(request, "param", 0))) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def server(home):
    return home.start(WEBHOOK_RETRY_S="0.2,0.2")


def secret_of(home):
    shown = json.loads(home.command("accounts", "show", "owner", "--json").stdout)
    return shown[0]["webhook_secret"]


def test_a_finished_generation_is_told_once_signed_both_ways(home, server, receiver):
    accepted = server.paint(webhook_url=receiver.url)
    assert accepted.status_code == 202
    headers, body = receiver.arrived.get(timeout=PATIENCE_S)
    secret = secret_of(home)
    told = Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    plain = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Pinxit-Signature"] == plain
    assert told["event"] == told["type"] == "generation.completed"
    assert told["generation_id"] == accepted.json()["generation_id"]
    assert server.http.get(told["image_url"]).status_code == 200
    with pytest.raises(queue.Empty):
        receiver.arrived.get(timeout=1)


@pytest.mark.parametrize("receiver", [2], indirect=True)
def test_a_failing_receiver_is_tried_again_with_the_same_id_and_bytes(server, receiver):
    server.paint(webhook_url=receiver.url)
    calls = [receiver.arrived.get(timeout=PATIENCE_S) for _ in range(3)]
    assert len({headers["webhook-id"] for headers, _ in calls}) == 1
    assert len({body for _, body in calls}) == 1


def test_a_webhook_outlives_a_restart_of_the_server(home, server, receiver):
    accepted = server.paint(webhook_url=receiver.url, num_inference_steps=20)
    server.stop()
    again = home.start(WEBHOOK_RETRY_S="0.2,0.2")
    _, body = receiver.arrived.get(timeout=PATIENCE_S)
    assert json.loads(body)["generation_id"] == accepted.json()["generation_id"]
    again.stop()

"""Real clients, unmodified, each in a process of its own, against one started server and the model in the box.

A script asserts what its client must get; `clients.toml` says which versions.
"""

import json
from pathlib import Path

import pytest
from plugins.client_folders import Client
from plugins.installation import Home, RunningServer
from plugins.webhook_receiver import Receiver, receiving

SCRIPTS = Path(__file__).with_name("scripts")
PATIENCE_S = 60


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("openai", "openai_python.py"),
        ("openai", "openai_batch.py"),
        ("huggingface_hub", "huggingface.py"),
        ("replicate", "replicate_predictions.py"),
        ("replicate", "replicate_told.py"),
        ("together", "together_images.py"),
        ("node", "openai_node.mjs"),
        ("node", "ai_sdk.mjs"),
        ("langchain", "langchain_tool.py"),
        ("litellm", "litellm_images.py"),
    ],
)
def test_a_client_paints_with_us_as_with_its_own_service(server: RunningServer, client: Client, script: str):
    done = client.run(SCRIPTS / script, {"PINXIT_URL": server.url, "PINXIT_KEY": server.key})
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def arrived(server: RunningServer) -> str:
    """One webhook as it arrived, as JSON."""
    with receiving(Receiver()) as receiver:
        assert server.paint(width=512, height=512, webhook_url=receiver.url).status_code == 202
        headers, body = receiver.arrived.get(timeout=PATIENCE_S)
    return json.dumps({"headers": {name.lower(): value for name, value in headers.items()}, "body": body.decode()})


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("openai", "openai_webhook.py"),
        ("replicate", "replicate_webhook.py"),
        ("standardwebhooks", "standard_webhook.py"),
    ],
)
def test_a_clients_verifier_believes_our_webhooks(home: Home, client: Client, arrived: str, script: str):
    shown = json.loads(home.command("accounts", "show", "owner", "--json").stdout)
    done = client.run(SCRIPTS / script, {"ARRIVED": arrived, "SECRET": shown[0]["webhook_secret"]})
    assert done.returncode == 0, done.stderr

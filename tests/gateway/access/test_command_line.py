"""The operator's commands as programs of their own, on the data folder of a running gateway."""

import asyncio
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

PINXIT = Path(sys.executable).with_name("pinxit")


@pytest.fixture
def pinxit(gateway):
    """One command to its end: exit code, and what it printed or complained of."""

    async def pinxit(*arguments, stdin="", config_dir=None):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PINXIT_")}
        folders = {"PINXIT_DATA_DIR": str(gateway.installation.settings.data_dir)}
        process = await asyncio.create_subprocess_exec(
            PINXIT,
            *arguments,
            env=environment | folders | ({"PINXIT_CONFIG_DIR": str(config_dir)} if config_dir else {}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        return process.returncode, (out or err).decode()

    return pinxit


async def test_an_operator_keeps_accounts_beside_a_running_server(gateway, pinxit):
    code, made = await pinxit(
        *("keys", "create", "--account", "anna", "--plan", "studio", "--credits", "3", "--styles", "watercolor"),
        *("--spend-cap", "2", "--json"),
    )
    key = json.loads(made)
    assert (code, key["bounds"]) == (0, ["spent=0/2", "styles=watercolor"])
    assert (await gateway.paint(key=key["key"], style="watercolor")).status_code == 200

    code, granted = await pinxit("credits", "grant", "anna", "5", "--note", "thanks", "--json")
    assert (code, json.loads(granted)[0]["available"]) == (0, 7)
    code, rotated = await pinxit("keys", "rotate", key["id"], "--overlap", "0", "--json")
    secret = json.loads(rotated)["key"]
    assert await pinxit("accounts", "suspend", "anna") == (0, "anna is suspended.\n")

    code, states = await pinxit("keys", "verify-token", "-", "--json", stdin=secret)
    assert (code, json.loads(states)[0]["state"]) == (1, "suspended")
    code, log = await pinxit("audit", "list", "--account", "anna", "--json")
    told = [entry["action"] for entry in json.loads(log)]
    assert told[:3] == ["account.suspended", "key.rotated", "credits.granted"]
    assert sorted(told[3:]) == ["account.created", "credits.granted", "key.created"]
    assert key["key"][20:] not in log + states


async def test_an_account_is_exported_into_a_new_file_or_into_none(gateway, pinxit, tmp_path):
    await gateway.paint(key=await gateway.new_key(account="anna", plan="pro", credits=1))
    file = tmp_path / "anna.zip"
    code, told = await pinxit("accounts", "export", "anna", "-o", str(file))
    assert code == 0
    assert "1 generations" in told
    assert zipfile.is_zipfile(file)
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_bytes()
    assert (await pinxit("accounts", "export", "anna", "-o", str(file)))[0] == 2
    assert file.read_bytes() == before
    other = tmp_path / "nobody.zip"
    assert (await pinxit("accounts", "export", "nobody", "-o", str(other)))[0] == 2
    assert not other.exists()


async def test_a_key_is_changed_and_shown_by_commands(gateway, pinxit):
    key = await gateway.new_key(account="anna", rpm=3, styles=frozenset({"anime"}))
    change = ("--name", "shop", "--max-open", "2", "--lift", "rpm,styles", "--json")
    code, changed = await pinxit("keys", "change", key, *change)
    assert (code, json.loads(changed)[0]["bounds"], json.loads(changed)[0]["name"]) == (0, ["max_open=2"], "shop")
    assert (await pinxit("keys", "show", key, "--json")) == (0, changed)
    code, complaint = await pinxit("keys", "change", key, "--rpm", "1", "--lift", "rpm")
    assert (code, "--lift" in complaint) == (2, True)


async def test_queue_and_webhooks_are_shown_by_commands(gateway, pinxit):
    gateway.engine.hold()
    await gateway.paint(**{"async": True})
    code, queue = await pinxit("queue", "show", "--json")
    assert (code, sum(line["count"] for line in json.loads(queue))) == (0, 1)
    code, webhooks = await pinxit("webhooks", "show", "--json")
    assert (code, json.loads(webhooks)[0]["pending"]) == (0, 0)
    code, _ = await pinxit("accounts", "rotate-webhook-secret", "owner", "--json")
    assert code == 0
    gateway.engine.release()


async def test_decisions_of_the_content_policy_are_read_and_judged_again(gateway, pinxit, tmp_path):
    await gateway.paint(prompt="a nude woman on a sofa", style="none")
    await gateway.paint(prompt="nudify her")
    code, listed = await pinxit("safety", "decisions", "--json")
    rows = json.loads(listed)
    assert (code, [row["verdict"] for row in rows]) == (0, ["block", "flag"])
    assert (rows[1]["prompt"], rows[1]["has_picture"]) == ("a nude woman on a sofa", False)
    code, listed = await pinxit("safety", "decisions", "--verdict", "flag", "--account", "owner", "--json")
    assert [row["category"] for row in json.loads(listed)] == ["sexual.nudity"]
    assert (await pinxit("safety", "decisions", "--verdict", "allow"))[0] == 2
    assert (await pinxit("safety", "decisions", "--account", "nobody"))[0] == 2

    code, again = await pinxit("safety", "replay", "--json")
    assert (code, [row["is_same"] for row in json.loads(again)]) == (0, [True, True])
    configs = tmp_path / "configs"
    shutil.copytree(gateway.installation.settings.config_dir, configs)
    policies = configs / "safety" / "policies.toml"
    before = '"sexual.nudity" = { action = "flag", threshold = 0.6, art_action = "allow" }'
    policies.write_text(policies.read_text().replace(before, '"sexual.nudity" = { action = "block" }'))
    code, again = await pinxit("safety", "replay", "--verdict", "flag", "--json", config_dir=configs)
    (row,) = json.loads(again)
    assert (code, row["before"], row["now"]) == (1, "flag sexual.nudity", "block sexual.nudity")

"""What the files below `configs` say of themselves: examples that load, members that act."""

import re
import shutil
import tomllib
from dataclasses import fields

import pytest

from gateway.access.plans import Plan
from gateway.settings import ROOT, Settings
from models import SettingInvalid, load_catalogue

CONFIGS = ROOT / "configs"


def example(folder: str) -> str:
    (block,) = re.findall(r"```toml\n(.*?)```", (CONFIGS / folder / "README.md").read_text(), re.DOTALL)
    return block


def test_the_examples_beside_loras_vaes_and_upscalers_load_as_they_stand(tmp_path):
    for folder in ("loras", "vaes", "upscalers"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.toml").write_text(example(folder))
    catalogue = load_catalogue(
        CONFIGS / "models",
        root=ROOT,
        adapters=[CONFIGS / "loras", tmp_path / "loras"],
        vaes=[tmp_path / "vaes"],
        upscalers=[CONFIGS / "upscalers", tmp_path / "upscalers"],
    )
    (own,) = (card for card in catalogue.adapters() if card.id == "ink-wash")
    assert own.trigger == "inkwash style"
    assert [card.id for card in catalogue.vaes()] == ["ema-560000"]
    assert catalogue.upscaler.id == "realesr-general"  # the last default that is read


def test_every_line_of_the_settings_file_is_a_setting_with_a_value_it_may_have(tmp_path):
    lines = [line.removeprefix("# ") for line in (CONFIGS / "gateway.toml").read_text().splitlines()]
    named = tomllib.loads("\n".join(line for line in lines if re.match(r"[a-z_]+ = ", line)))
    assert len(named) >= 8
    assert Settings(config_dir=tmp_path, **named).public_url == named["public_url"]


def test_the_words_above_the_plans_name_members_and_name_them_all():
    text = (CONFIGS / "plans.toml").read_text()
    members = {member.name for member in fields(Plan)} - {"id"}
    in_comments = set(re.findall(r"`([a-z_]+)`", text)) - {"ttl"}
    assert in_comments <= members
    assert members <= in_comments | set(re.findall(r"^([a-z_]+) =", text, re.MULTILINE))


async def test_a_plan_bounds_the_steps_that_a_request_names_and_says_who_pays(gateway):
    free, owner = await gateway.new_key(account="free", credits=5), gateway.key
    refused = await gateway.paint(key=free, num_inference_steps=51)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "plan_upgrade_required")
    assert refused.json()["error"]["param"] == "num_inference_steps"
    assert (await gateway.paint(key=free, num_inference_steps=50)).json()["credits_used"] > 0
    assert (await gateway.paint(key=owner, num_inference_steps=51)).json()["credits_used"] == 0


async def test_a_plan_may_have_a_content_policy_of_its_own(open_gateway, tmp_path):
    configs = tmp_path / "configs"
    shutil.copytree(CONFIGS, configs)
    plans = configs / "plans.toml"
    plans.write_text(plans.read_text().replace("[pro]\n", '[pro]\nsafety_policy = "strict"\n'))
    gateway = await open_gateway(config_dir=configs)
    await gateway.installation.check_plans()
    pro = await gateway.new_key(account="anna", plan="pro", credits=5)
    asked = {"prompt": "a nude woman on a sofa", "style": "none"}
    assert (await gateway.paint(key=pro, **asked)).json()["error"]["category"] == "sexual.nudity"
    assert (await gateway.paint(**asked)).status_code == 200
    operator = await gateway.new_key(account="operator", scopes=frozenset({"admin"}))
    shown = (await gateway.get("/v1/admin/plans", key=operator)).json()["data"]
    assert {plan["id"]: plan["safety_policy"] for plan in shown}["pro"] == "strict"
    decisions = (await gateway.get("/v1/admin/decisions", key=operator)).json()["data"]
    assert [(one["verdict"], one["policy"]) for one in decisions] == [("flag", "standard"), ("block", "strict")]

    vars(gateway.installation).pop("plans")
    plans.write_text(plans.read_text().replace('"strict"', '"lenient"'))
    with pytest.raises(
        SettingInvalid, match=r"plans\.toml: \[pro\] safety_policy: there is no safety policy 'lenient'"
    ):
        await gateway.installation.check_plans()

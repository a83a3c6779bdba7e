"""`plans.toml`: what is wrong in it stops the start with one line that says where."""

import re
import shutil

import pytest

from gateway.access import load_plans
from gateway.settings import ROOT
from gateway.wiring import Installation
from models import SettingInvalid

PLAN = """
[free]
rank = 0
max_side = 1024
max_images = 1
upscale = false

[owner]
rank = 1
max_side = 2048
max_images = 10
upscale = true
"""


def test_the_plans_in_the_box_are_the_contracts():
    plans = load_plans(ROOT / "configs" / "plans.toml")
    table = {
        id: (plan.requests_per_minute, plan.requests_per_day, plan.requests_per_month, plan.max_side, plan.upscale)
        for id, plan in ((id, plans.get(id)) for id in plans.ids())
    }
    assert table == {
        "free": (5, 100, 1000, 1024, False),
        "starter": (10, 500, None, 1024, False),
        "pro": (30, 5000, None, 2048, False),
        "studio": (60, 20000, None, 2048, True),
        "enterprise": (600, None, None, 2048, True),
        "owner": (None, None, None, 2048, True),
    }


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("rank = 0", "rank = -1", "[free] rank: Expected `int` >= 0"),
        ("max_images = 1\n", "max_images = 0\n", "[free] max_images: Expected `int` >= 1"),
        ("max_side = 1024", 'max_side = "wide"', "[free] max_side: Expected `int`, got `str`"),
        ("max_side = 1024", "", "[free] Object missing required field `max_side`"),
        ("rank = 0", "rank = 0\nrequests_per_minutes = 5", "did you mean requests_per_minute?"),
        ("rank = 0", "rank = 0\nid = 'other'", "id is no member of a plan."),
        ("rank = 1", "rank = 0", "two plans have the same rank"),
        ("[owner]", "[boss]", "the plan [owner] is needed"),
        ("rank = 0", "rank = 0\nmax_ttl_s = 60", "[free] default_ttl_s is needed, and at most max_ttl_s (60)"),
        ("rank = 0", "rank = 0\nmax_ttl_s = 60\ndefault_ttl_s = 61", "at most max_ttl_s (60)"),
        ("[free]", "limit = 3\n[free]", "'limit' stands outside of a plan"),
        ("[free]", "[free", "plans.toml: "),
    ],
)
def test_a_wrong_value_is_named_in_one_line(tmp_path, before, after, says):
    file = tmp_path / "plans.toml"
    assert before in PLAN
    file.write_text(PLAN.replace(before, after, 1))
    with pytest.raises(SettingInvalid) as refused:
        load_plans(file)
    assert says in refused.value.message
    assert "\n" not in refused.value.message


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingInvalid, match=r"plans\.toml"):
        load_plans(tmp_path / "plans.toml")


async def test_a_plan_that_an_account_is_on_must_be_there_at_the_start(open_gateway, tmp_path):
    configs = tmp_path / "configs"
    shutil.copytree(ROOT / "configs", configs)
    gateway = await open_gateway(config_dir=configs)
    await gateway.new_key(account="anna", plan="pro")
    await gateway.installation.check_plans()

    plans = configs / "plans.toml"
    plans.write_text(plans.read_text().replace("[pro]", "[professional]"))
    restarted = Installation(settings=gateway.installation.settings)
    with pytest.raises(SettingInvalid, match="no plan 'pro', which the account 'anna' is on"):
        await restarted.check_plans()
    await restarted.database.close()


async def test_a_plan_that_a_style_needs_must_be_there_at_the_start(open_gateway, tmp_path):
    configs = tmp_path / "configs"
    shutil.copytree(ROOT / "configs", configs)
    style = configs / "styles" / "anime.toml"
    text, count = re.subn(r'min_plan = "\w+"', 'min_plan = "gold"', style.read_text())
    assert count == 1
    style.write_text(text)
    gateway = await open_gateway(config_dir=configs)
    with pytest.raises(SettingInvalid, match="no plan 'gold', which the style 'anime' needs"):
        await gateway.installation.check_plans()

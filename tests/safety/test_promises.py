"""What `configs/safety` promises, held to: every rule can hold, every category is reached, what says "any signal" means it."""

import tomllib
from itertools import product
from pathlib import Path

import pytest
from plugins.text_judge import PHOTO, TextJudge

from safety.lexicon import Group, Lexicon, Rule, Sequence, load_lexicon
from safety.policy import ALWAYS_BLOCKED

FOLDER = Path(__file__).parents[2] / "configs" / "safety"
LEXICON: Lexicon = load_lexicon([FOLDER / "rules.toml", *(FOLDER / "lexicons").glob("*.toml")])
POLICIES = tomllib.loads((FOLDER / "policies.toml").read_text())


def plainest(group: str) -> str:
    """Its first phrase that is said without a sign, the first of its choices."""
    phrases: Group = LEXICON.groups[group]
    written = next(phrase for phrase in phrases.phrases if not set("*#") & set(phrase))
    return " ".join(piece.split("|")[0].replace("_", " ") for piece in written.split())


@pytest.mark.parametrize("rule", LEXICON.rules, ids=lambda rule: rule.id)
def test_every_rule_can_hold(prompt_filter: TextJudge, rule: Rule) -> None:
    prompt = " ".join(plainest(group) for group in rule.all) or "a garden"
    negative = " ".join(plainest(group) for group in rule.negative)
    source = PHOTO if rule.needs_source else None
    found = prompt_filter.judge(prompt, negative_prompt=negative, source=source).findings
    assert rule.id in {finding.rule for finding in found}
    if rule.needs_source:
        without = prompt_filter.judge(prompt, negative_prompt=negative).findings
        assert rule.id not in {finding.rule for finding in without}


@pytest.mark.parametrize("sequence", LEXICON.sequences, ids=lambda one: f"{one.group}: {one.first}, {one.then}")
def test_every_sequence_can_hold(prompt_filter: TextJudge, sequence: Sequence) -> None:
    prompt = f"{plainest(sequence.first)} {plainest(sequence.then)}"
    rules = {rule.id for rule in LEXICON.rules if sequence.group in rule.all}
    found = {finding.rule for finding in prompt_filter.judge(prompt, source=PHOTO).findings}
    assert rules & found


def test_what_blocks_at_any_signal_knows_no_excuse() -> None:
    absolute = [rule for rule in LEXICON.rules if rule.category in ALWAYS_BLOCKED]
    assert len(absolute) > 20
    assert [rule.id for rule in absolute if rule.negatable or rule.unless or rule.score < 1] == []


def test_every_category_of_every_policy_has_a_rule_and_the_other_way_round() -> None:
    categories = {rule.category for rule in LEXICON.rules}
    assert {name: set(table) for name, table in POLICIES.items()} == dict.fromkeys(POLICIES, categories)
    assert set(POLICIES) == {"strict", "standard", "permissive"}


def test_each_ruling_does_what_its_line_says(prompt_filter: TextJudge) -> None:
    """For the plainest words of each category's first rule: its action, unless the threshold is above the score."""
    for (policy, table), category in product(POLICIES.items(), POLICIES["standard"]):
        rule = next(one for one in LEXICON.rules if one.category == category and not one.negative)
        verdict = prompt_filter.judge(" ".join(plainest(group) for group in rule.all), policy=policy)
        ruling = table[category]
        expected = ruling["action"] if rule.score >= ruling.get("threshold", 0) else "allow"
        (finding,) = (finding for finding in verdict.findings if finding.rule == rule.id)
        assert finding.action == expected, (policy, category)


def test_art_is_an_excuse_only_where_the_policy_says_so(prompt_filter: TextJudge) -> None:
    excused = [
        (policy, category)
        for policy, table in POLICIES.items()
        for category, ruling in table.items()
        if "art_action" in ruling
    ]
    assert excused == [("standard", "sexual.nudity")]
    assert prompt_filter.judge("marble sculpture, hardcore porn").is_blocked

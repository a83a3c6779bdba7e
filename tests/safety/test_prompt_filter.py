import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.text_judge import PHOTO, TextJudge, input_of

from models import SettingInvalid
from safety import Action, ModerationInput, PromptBlocked, PromptFilter, Stage

FOLDER = Path(__file__).parents[2] / "configs" / "safety"
FILTER = TextJudge(PromptFilter.load(FOLDER))


def test_a_text_without_findings_is_allowed_and_still_has_a_record(prompt_filter: TextJudge) -> None:
    verdict = prompt_filter.check("a red lighthouse by the sea at sunset").verdict
    assert (verdict.action, verdict.category, verdict.findings) == (Action.ALLOW, None, ())
    assert len(verdict.policy_hash) == len(verdict.lexicon_hash) == len(verdict.input_sha256) == 64


def test_equal_texts_give_equal_verdicts_in_two_filters(prompt_filter: TextJudge) -> None:
    first, second = (
        judge("a nude statue", negative_prompt="clothes", final_prompt="photo of a nude statue")
        for judge in (prompt_filter.judge, TextJudge(PromptFilter.load(FOLDER)).judge)
    )
    assert first == second
    assert first.findings


def test_the_record_tells_rule_view_and_place(prompt_filter: TextJudge) -> None:
    (finding, *_) = prompt_filter.judge("two people, p\u043ern").findings
    assert (finding.rule, finding.category, finding.stage) == ("sexual.explicit", "sexual.explicit", Stage.PROMPT)
    assert (finding.view, finding.start, finding.end) == ("folded", 2, 3)


def test_the_gravest_category_is_told(prompt_filter: TextJudge) -> None:
    verdict = prompt_filter.judge("gore, porn, a nude child")
    assert verdict.category == "csae"
    assert {"csae", "sexual.explicit", "violence.graphic"} <= {finding.category for finding in verdict.findings}


@pytest.mark.parametrize(
    ("policy", "prompt", "action"),
    [
        ("strict", "a nude woman on a sofa", Action.BLOCK),
        ("standard", "a nude woman on a sofa", Action.FLAG),
        ("permissive", "a nude woman on a sofa", Action.ALLOW),
        ("strict", "marble statue of a nude goddess", Action.BLOCK),
        ("standard", "marble statue of a nude goddess", Action.ALLOW),
        ("standard", "hardcore porn", Action.BLOCK),
        ("permissive", "hardcore porn", Action.FLAG),
        ("permissive", "kill yourself poster", Action.BLOCK),
        ("strict", "pikachu on a beach", Action.FLAG),
        ("standard", "pikachu on a beach", Action.ALLOW),
        ("strict", "the president being arrested, press photo of the scene", Action.BLOCK),
        ("standard", "the president being arrested, press photo of the scene", Action.FLAG),
    ],
)
def test_the_policy_decides_what_follows(prompt_filter: TextJudge, policy: str, prompt: str, action: Action) -> None:
    assert prompt_filter.judge(prompt, policy=policy).action is action


@pytest.mark.parametrize(
    ("prompt", "negative", "category"),
    [
        ("portrait of a child at home", "clothes, blurry", "csae"),
        ("a schoolgirl in a garden", "clothing", "csae"),
        ("a boy by the pool", "any clothes", "csae"),
        ("a nude figure on a bed", "adult, mature", "csae"),
        ("my neighbour in her garden", "clothes", "ncii"),
        ("a woman in a garden", "c l o t h e s", "sexual.nudity"),
        ("une femme dans un jardin", "vêtements", "sexual.nudity"),
    ],
)
def test_asking_for_the_absence_of_clothing_or_adults_counts(
    prompt_filter: TextJudge, prompt: str, negative: str, category: str
) -> None:
    verdict = prompt_filter.judge(prompt, negative_prompt=negative, policy="strict")
    assert (verdict.is_blocked, verdict.category) == (True, category)


@pytest.mark.parametrize(
    "negative", ["porn, nude, gore, swastika", "child, loli, underage", "sex, naked people, blood"]
)
def test_a_negative_prompt_may_name_what_it_wants_to_avoid(prompt_filter: TextJudge, negative: str) -> None:
    assert prompt_filter.judge("a woman in a garden", negative_prompt=negative, policy="strict").action is Action.ALLOW


@pytest.mark.parametrize(
    "prompt",
    ["a family picnic, no nudity", "a battle without gore", "warriors, no blood, no gore", "kein porno, eine Blume"],
)
def test_a_negation_just_before_excuses_in_its_clause(prompt_filter: TextJudge, prompt: str) -> None:
    assert prompt_filter.judge(prompt).action is Action.ALLOW


def test_a_negation_in_another_clause_excuses_nothing(prompt_filter: TextJudge) -> None:
    assert prompt_filter.judge("no text, hardcore porn").is_blocked


def test_nothing_excuses_sexual_content_with_minors(prompt_filter: TextJudge) -> None:
    for prompt in ("no nude child", "awareness poster, naked child", "a museum statue of a nude child"):
        assert prompt_filter.judge(prompt).category == "csae"


def test_words_in_two_languages_meet(prompt_filter: TextJudge) -> None:
    assert prompt_filter.judge("nackte children").category == "csae"


def test_a_word_inside_another_does_not_count(prompt_filter: TextJudge) -> None:
    for prompt in ("Essex", "cocktails", "therapist", "analysis", "skyscraper", "grapefruit", "document", "sextant"):
        assert prompt_filter.judge(prompt).findings == ()


def test_another_policy_has_another_hash(prompt_filter: TextJudge) -> None:
    hashes = {
        prompt_filter.judge("a boat", policy=policy).policy_hash for policy in ("strict", "standard", "permissive")
    }
    assert len(hashes) == 3


def test_an_unknown_policy_is_a_wrong_setting(prompt_filter: TextJudge) -> None:
    with pytest.raises(SettingInvalid, match="lenient"):
        prompt_filter.judge("a boat", policy="lenient")


@given(st.text(max_size=600), st.text(max_size=100))
def test_no_text_makes_it_raise_and_the_answer_is_stable(prompt: str, negative: str) -> None:
    assert FILTER.judge(prompt, negative_prompt=negative) == FILTER.judge(prompt, negative_prompt=negative)


@given(st.text(max_size=80).filter(lambda text: "\x00" not in text))
@settings(max_examples=60)
def test_surroundings_never_hide_a_plain_word(surroundings: str) -> None:
    with pytest.raises(PromptBlocked):
        FILTER.check(f"{surroundings} . lolicon . {surroundings}")


@pytest.mark.parametrize(
    "unit",
    [
        "a quiet harbour at dawn with fishing boats, ",
        "(((((", "a b c d e f ", "_", "a_", "-a", "%41", "\u200b", "é", "\u0436a ", "ﷺ", "1girl ", "aa", "0x41 ", "QUJD", "year old ",
        "a" * 61 + " ", "nude child ", "remove dress logo ", "r e m o v e, d r e s s, ", "remove the stain on her dress, ", "a dress off to ", "sex education ", "aaab", "\U0001f1f5", "a\u0301\u0301\u0301", "[a|b:1.2] ",
    ],
)  # fmt: skip
def test_twice_the_text_takes_about_twice_the_time(prompt_filter: TextJudge, unit: str) -> None:
    def best_of_five(length: int) -> float:
        text = (unit * length)[:length]
        spent = []
        for _ in range(5):
            begin = time.thread_time()
            prompt_filter.judge(text, source=PHOTO)
            spent.append(time.thread_time() - begin)
        return min(spent)

    assert best_of_five(8192) < 8 * best_of_five(2048) + 0.005


def test_4096_characters_take_a_few_milliseconds(prompt_filter: TextJudge) -> None:
    text = ("a quiet harbour at dawn with fishing boats and gulls, soft light on the water, 35mm photo " * 60)[:4096]
    spent = []
    for _ in range(25):
        begin = time.thread_time()
        prompt_filter.judge(text)
        spent.append(time.thread_time() - begin)
    assert sorted(spent)[12] < 0.005


def test_verdicts_are_values() -> None:
    verdict = FILTER.judge("hardcore porn")
    assert replace(verdict) == verdict
    assert hash(verdict.findings[0]) == hash(replace(verdict.findings[0]))


def test_an_input_is_read_again_as_it_was_judged_and_one_of_another_release_is_not() -> None:
    given = input_of("a boat", negative_prompt="fog", source=PHOTO)
    assert ModerationInput.from_json(given.to_json()) == given
    assert ModerationInput.from_json(given.to_json().replace(b'"style":"none",', b"")) is None

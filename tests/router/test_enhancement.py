import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import enhance
from router.enhancement import estimated_tokens
from router.styles import Enhancement

WORDS = ("soft light", "fine detail", "rich colour", "long shadows", "calm mood", "crisp edges")
PROMPTS = st.text(min_size=1, max_size=300).filter(str.strip)


def enhanced(prompt: str, *, seed_text: str = "s@1#7", is_asked: bool | None = True, most: int = 6) -> str:
    return enhance(
        prompt,
        prompt=prompt,
        enhancement=Enhancement(default=True, words=WORDS, max_added_words=most),
        seed_text=seed_text,
        is_asked=is_asked,
    )


@given(PROMPTS, st.integers(0, 2**32 - 1), st.sampled_from([True, False, None]))
def test_it_only_appends_words_of_the_list(prompt: str, seed: int, is_asked: bool | None) -> None:
    text = enhanced(prompt, seed_text=f"s@1#{seed}", is_asked=is_asked)
    assert text.startswith(prompt)
    added = [part for part in text[len(prompt) :].split(", ") if part]
    assert set(added) <= set(WORDS)
    assert len(added) == len(set(added))
    assert sum(len(part.split()) for part in added) <= 6


@given(PROMPTS, st.integers(0, 2**32 - 1))
def test_the_same_prompt_style_and_seed_give_the_same_text(prompt: str, seed: int) -> None:
    assert enhanced(prompt, seed_text=f"s@1#{seed}") == enhanced(prompt, seed_text=f"s@1#{seed}")


@given(st.text("abc ", min_size=1, max_size=400).filter(str.strip))
def test_it_never_opens_another_block_of_75_tokens(prompt: str) -> None:
    before, after = estimated_tokens(prompt), estimated_tokens(enhanced(prompt, most=60))
    assert -(-after // 75) == -(-before // 75)


def test_another_seed_chooses_other_words() -> None:
    assert len({enhanced("a boat", seed_text=f"s@1#{seed}", most=2) for seed in range(40)}) == len(WORDS)


def test_words_that_are_there_already_are_not_said_again() -> None:
    assert enhanced("a boat in SOFT-light", most=60).casefold().count("soft") == 1


def test_it_is_off_when_the_request_says_so() -> None:
    assert enhanced("a boat", is_asked=False) == "a boat"


def test_a_long_prompt_is_left_alone_unless_asked() -> None:
    prompt = ", ".join(["a harbour at dawn"] * 11)
    assert enhanced(prompt, is_asked=None) == prompt
    assert enhanced(prompt, is_asked=True) != prompt


@pytest.mark.parametrize("prompt", ["港の夜明け", "рыбацкая деревня", '"SALE 50 %"', "«ПРИВЕТ»", "!!!"])
def test_other_scripts_and_pure_lettering_are_left_alone(prompt: str) -> None:
    assert enhanced(prompt) == prompt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.confusables import Confusables
from safety.decoding import decoded_texts
from safety.views import views_of, without_format, without_marks


def named(text: str, confusables: Confusables) -> dict[str, str]:
    return dict(views_of(text, confusables))


@given(text=st.text(max_size=500))
def test_no_text_makes_a_view_raise_and_the_raw_text_comes_first(text: str, confusables: Confusables) -> None:
    views = list(views_of(text, confusables))
    assert views[0] == ("raw", text)
    assert len({view for _, view in views}) == len(views)


@given(text=st.text(max_size=300))
def test_the_work_is_bounded_by_the_length(text: str, confusables: Confusables) -> None:
    views = list(views_of(text, confusables))
    assert len(views) <= 16
    assert all(len(view) <= 60 * len(text) + 60 for _, view in views)


@pytest.mark.parametrize("text", ["a red boat", "A quiet harbour, at dawn.", "Mädchen"])
def test_an_ordinary_text_has_few_views(text: str, confusables: Confusables) -> None:
    assert len(named(text, confusables)) <= 2


@pytest.mark.parametrize(
    ("text", "view", "reads"),
    [
        ("b\u043eat", "folded", "boat"),
        ("\u0455\u0435\u0445", "folded", "sex"),
        ("\uff42\uff4f\uff41\uff54", "nfkc", "boat"),
        ("b\u200boat", "nfkc", "boat"),
        ("b0at", "leet", "boat"),
        ("b(oa:1.3)t", "flat", "boat"),
        ("booooat", "unstretched", "boat booat"),
    ],
)
def test_a_disguise_is_taken_off(confusables: Confusables, text: str, view: str, reads: str) -> None:
    assert named(text, confusables)[view] == reads


@pytest.mark.parametrize("text", ["рыбацкая деревня", "Ελληνικό νησί", "港の夜明け", "ձուկ"])
def test_words_of_another_script_are_left_alone(confusables: Confusables, text: str) -> None:
    assert confusables.folded(text) == text


def test_numbers_are_not_leet(confusables: Confusables) -> None:
    assert list(named("in 1984 there were 101", confusables)) == ["raw"]


@pytest.mark.parametrize(
    "text", ["mountain", "facade decade", "a quiet harbour", "the reverend", "50%", "wonderland/landscape"]
)
def test_ordinary_words_are_not_decoded(text: str) -> None:
    assert list(decoded_texts(text)) == []


def test_nothing_visible_is_removed() -> None:
    assert without_format("a b-c_d é 港 👩") == "a b-c_d é 港 👩"
    assert without_marks("\u0301\u0336") == ""

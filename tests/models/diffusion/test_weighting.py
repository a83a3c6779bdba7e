"""`(word:1.3)`, and nothing else, is syntax."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from plugins.tiny_specs import new_spec

from models.diffusion.texts.weighting import weighted
from models.prompts import read_weights
from models.vocabulary import Vocabulary

Load = Callable[[Path], Any]


def weights_of(prompt: str) -> list[tuple[str, float]]:
    """Each letter read, with its weight."""
    read = read_weights(prompt)
    return [(letter, read.weight_at(place)) for place, letter in enumerate(read.text)]


@pytest.mark.parametrize(
    ("prompt", "text", "heavy"),
    [
        ("a (red:1.3) boat", "a red boat", {"red": 1.3}),
        ("(a red boat:0.5)", "a red boat", {"a red boat": 0.5}),
        ("(sea:2)(sky:0)", "seasky", {"sea": 2.0, "sky": 0.0}),
        ("at (12:30:1.5)", "at 12:30", {"12:30": 1.5}),
        ("b(oa:1.3)t", "boat", {"oa": 1.3}),
        ("((sea:1.2):1.5)", "(sea:1.5)", {"sea": 1.2}),
        ("(a (red:1.4) boat:1.2)", "(a red boat:1.2)", {"red": 1.4}),
        ("(sea:01.50)", "sea", {"sea": 1.5}),
    ],
)
def test_words_of_the_form_weigh_and_the_rest_does_not(prompt: str, text: str, heavy: dict[str, float]) -> None:
    read = read_weights(prompt)
    expected = [1.0] * len(text)
    for words, weight in heavy.items():
        start = text.index(words)
        expected[start : start + len(words)] = [weight] * len(words)

    assert read.text == text
    assert [read.weight_at(place) for place in range(len(text))] == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "a (red) boat",
        "a ((red)) boat",
        "a [red:1.3] boat",
        "a {red:1.3} boat",
        "(a:)",
        "(:1.2)",
        "( :1.2)",
        "(a:9999)",
        "(a:2.01)",
        "(a:-1)",
        "(a:+1)",
        "(a:.5)",
        "(a:1.)",
        "(a:1e1)",
        "(a: 1.2)",
        "(a:1.2 )",
        "(a:1,2)",
        "(a:\u0661)",
        "(a:nan)",
        r"\(a:1.2)",
        r"\(a:1.2\)",
        "(a:1.2",
        "a:1.2)",
        "()",
        "",
    ],
)
def test_everything_else_is_plain_text(prompt: str) -> None:
    read = read_weights(prompt)

    assert read.text == prompt
    assert all(read.weight_at(place) == 1 for place in range(len(prompt)))


@given(text=st.text(alphabet="ab (:)1.25\\", max_size=60))
def test_no_text_is_too_odd_to_read_and_nothing_but_syntax_is_taken_out(text: str) -> None:
    read = read_weights(text)

    assert all(0 <= weight <= 2 for _, weight in weights_of(text))
    assert [sign for sign in read.text if sign in "ab \\"] == [sign for sign in text if sign in "ab \\"]


def test_weight_one_has_the_bits_of_no_weight(sd1: Path, sdxl: Path, load: Load) -> None:
    for folder in (sd1, sdxl):
        prepare = load(folder).texts.prepare
        plain, weighed = (
            prepare(new_spec(prompt=prompt)).embeddings for prompt in ("a red boat", "a (red:1.0) (boat:1)")
        )
        assert torch.equal(plain, weighed)


@pytest.mark.parametrize("model", ["sd1", "sdxl"])
@pytest.mark.parametrize("side", ["prompt", "negative_prompt"])
def test_more_weight_moves_only_the_weighed_tokens_and_further(
    request: pytest.FixtureRequest, load: Load, model: str, side: str
) -> None:
    prepare = load(request.getfixturevalue(model)).texts.prepare
    row = {"negative_prompt": 0, "prompt": 1}[side]

    def read(text: str) -> torch.Tensor:
        conditioning = prepare(new_spec(**{side: text}))
        return conditioning.embeddings[row]

    plain, empty = read("a red boat"), read("")
    moved = [read(f"a (red:{weight}) boat") for weight in ("1.2", "1.5", "2")]

    red = slice(2, 5)  # begin, a, r e d: a letter is a token here
    for near, far in zip([plain, *moved], moved, strict=False):
        assert ((far - empty)[red].norm(dim=-1) > (near - empty)[red].norm(dim=-1)).all()
    for one in moved:
        changed = (one != plain).any(dim=-1).nonzero().flatten().tolist()
        assert changed == [2, 3, 4]


def test_both_encoders_of_sdxl_weigh(sdxl: Path, load: Load) -> None:
    prepare = load(sdxl).texts.prepare

    plain, heavy = (prepare(new_spec(prompt=text)).embeddings[1, 3] for text in ("a red boat", "a (red:1.5) boat"))

    first, second = (plain != heavy).chunk(2)
    assert first.any()
    assert second.any()


def test_weight_nought_says_what_the_empty_prompt_says_there(sd1: Path, load: Load) -> None:
    prepare = load(sd1).texts.prepare

    silent, empty = (prepare(new_spec(prompt=text)).embeddings[1] for text in ("a (red:0) boat", ""))

    assert torch.equal(silent[2:5], empty[2:5])


def test_weights_reach_words_of_later_chunks(sd1: Path, load: Load) -> None:
    prepare = load(sd1).texts.prepare
    long = "boat " * 40

    plain, heavy = (prepare(new_spec(prompt=long + end)).embeddings[1] for end in ("red", "(red:1.5)"))

    changed = (plain != heavy).any(dim=-1).nonzero().flatten().tolist()
    assert changed == [2 * 77 + 17, 2 * 77 + 18, 2 * 77 + 19]  # four boats are in the third chunk before it


def test_the_text_without_the_syntax_is_read_as_the_same_tokens(sd1: Path, load: Load) -> None:
    text = load(sd1).texts._text
    ids = [
        [token.id for chunk in text.chunks(prompt) for token in chunk] for prompt in ("b(oa:1.3)t, sea", "boat, sea")
    ]

    assert ids[0] == ids[1]


def test_tokens_of_weight_one_keep_their_bits() -> None:
    generator = torch.Generator().manual_seed(1)
    embeddings, empty = torch.randn(2, 1, 4, 8, generator=generator)

    moved = weighted(embeddings, empty, torch.tensor([1.0, 1.5, 0.0, 1.0]))

    assert torch.equal(moved[:, [0, 3]], embeddings[:, [0, 3]])
    assert torch.equal(moved[:, 2], empty[:, 2])
    assert torch.allclose(moved[:, 1] - empty[:, 1], 1.5 * (embeddings - empty)[:, 1])


def test_the_syntax_counts_as_no_unknown_word() -> None:
    vocabulary = Vocabulary(words=frozenset(["red", "boat"]))

    assert vocabulary.unknown("(red:1.3) b(oa:1.2)t") == ()
    assert vocabulary.unknown("(quantum:1.3) boat") == ("quantum",)

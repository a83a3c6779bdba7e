"""Every word counts, to the last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from plugins.tiny_specs import new_spec

from models.diffusion.vocabulary import Vocabulary

Load = Callable[[Path], Any]

LONG = " ".join(["boat"] * 60)  # four tokens a word here: 240 tokens


def test_a_word_past_the_77th_token_changes_what_the_network_is_told(sd1: Path, load: Load) -> None:
    prepare = load(sd1).texts.prepare

    one, other = (prepare(new_spec(prompt=f"{LONG} {end}")).embeddings for end in ("cat", "dog"))

    assert one.shape == other.shape
    assert not torch.equal(one, other)
    assert torch.equal(one[:, :77], other[:, :77])


def test_both_texts_get_as_many_chunks_as_the_longer_one(sdxl: Path, load: Load) -> None:
    conditioning = load(sdxl).texts.prepare(new_spec(negative_prompt=LONG))

    assert conditioning.embeddings.shape[:2] == (2, 4 * 77)
    assert conditioning.pooled is not None
    assert conditioning.pooled.shape[0] == 2


def test_a_long_negative_prompt_leaves_the_positive_row_alone_but_longer(sd1: Path, load: Load) -> None:
    prepare = load(sd1).texts.prepare

    short, long = (prepare(new_spec(negative_prompt=text)).embeddings for text in ("fog", LONG))

    assert torch.equal(short[1], long[1, :77])


def test_tokens_are_diffusers_tokens(sd1: Path, load: Load) -> None:
    from transformers import CLIPTextModel, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(sd1 / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(sd1 / "text_encoder")
    ids = tokenizer("a red boat", padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids

    theirs = encoder(ids)[0].detach()
    ours = load(sd1).texts.prepare(new_spec(prompt="a red boat", guidance_scale=1.0)).embeddings

    assert torch.equal(ours, theirs)


def test_words_never_taught_are_named_once_in_order(tmp_path: Path) -> None:
    listed = tmp_path / "vocabulary.json"
    listed.write_text('{"words": ["red", "boat", "hot-air"]}')

    unknown = Vocabulary.read(listed).unknown("A Red quantum boat, quantum flux, hot-air")

    assert unknown == ("a", "quantum", "flux")


def test_a_model_that_lists_no_words_reports_none(tmp_path: Path) -> None:
    assert Vocabulary.read(tmp_path / "absent.json").unknown("quantum") == ()
    assert Vocabulary.read(None).unknown("quantum") == ()

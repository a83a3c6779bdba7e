"""Every word counts, to the last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from plugins.tiny_specs import new_spec
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from models import Adapter, PaintingBroken
from models.diffusion.texts.clip import REMEMBERED, Token, packed
from models.vocabulary import Vocabulary

Load = Callable[[Path], Any]

STARTER = Path(__file__).parents[3] / "models" / "starter"
PROMPT = "a red boat"

LONG = " ".join(["boat"] * 60)  # four tokens a word here: 240 tokens


def ids_of(folder: Path, tokenizer: str) -> torch.Tensor:
    """The prompt's tokens as diffusers would have them."""
    read = CLIPTokenizer.from_pretrained(folder / tokenizer)
    return read(PROMPT, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids


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
    theirs = CLIPTextModel.from_pretrained(sd1 / "text_encoder")(ids_of(sd1, "tokenizer"))[0].detach()
    ours = load(sd1).texts.prepare(new_spec(prompt=PROMPT, guidance_scale=1.0)).embeddings

    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("model", ["sd1", "sdxl", "starter"])
@pytest.mark.parametrize("side", ["prompt", "negative_prompt"])
def test_of_1500_characters_the_last_word_counts(
    request: pytest.FixtureRequest, load: Load, model: str, side: str
) -> None:
    folder = STARTER if model == "starter" else request.getfixturevalue(model)
    prepare = load(folder).texts.prepare
    long = ("a red boat on the sea, " * 70)[:1496]
    row = {"negative_prompt": 0, "prompt": 1}[side]

    one, other = (prepare(new_spec(**{side: f"{long} {end}"})).embeddings[row] for end in ("cat", "dog"))

    assert one.shape == other.shape
    assert not torch.equal(one, other)
    assert torch.equal(one[:-77], other[:-77])


def test_no_word_is_torn_that_fits_into_a_chunk(sd1: Path, load: Load) -> None:
    text = load(sd1).texts._text

    chunks = text.chunks("boat " * 40 + "don't, sea.")

    assert [len(chunk) for chunk in chunks] == [72, 72, 16 + 6 + 4]


def test_a_word_longer_than_a_chunk_is_torn_and_read_to_its_end(sd1: Path, load: Load) -> None:
    text = load(sd1).texts._text

    chunks = text.chunks("sea " + "a" * 160 + " sea")

    assert [len(chunk) for chunk in chunks] == [75, 75, 3 + 160 - 150 + 3]


def test_words_keep_their_order_and_their_tokens() -> None:
    words = [[Token(number)] * length for number, length in enumerate((3, 5, 1, 9, 2))]

    chunks = packed(words, 6)

    assert [len(chunk) for chunk in chunks] == [3, 6, 6, 5]
    assert [token for chunk in chunks for token in chunk] == [token for word in words for token in word]


def test_prompts_of_equally_many_chunks_can_share_a_pass(sd1: Path, sdxl: Path, load: Load) -> None:
    for folder in (sd1, sdxl):
        prepare = load(folder).texts.prepare
        short, weighed, long = (
            prepare(new_spec(prompt=text, negative_prompt="fog", clip_skip=skip))
            for text, skip in (("a boat", 0), ("two (red:1.4) boats on a lake", 1), (LONG, 0))
        )
        assert short.shapes == weighed.shapes != long.shapes


@pytest.mark.parametrize("skip", [1, 2])
def test_skipped_layers_are_left_out_of_sd1_and_the_last_norm_is_kept(sd1: Path, load: Load, skip: int) -> None:
    encoder = CLIPTextModel.from_pretrained(sd1 / "text_encoder")
    whole = encoder(ids_of(sd1, "tokenizer"), output_hidden_states=True)
    kept = encoder.encoder.layers[: 3 - skip]
    shorter = CLIPTextModel.from_pretrained(sd1 / "text_encoder")
    shorter.encoder.layers = kept

    ours = load(sd1).texts.prepare(new_spec(prompt=PROMPT, guidance_scale=1.0, clip_skip=skip)).embeddings

    assert torch.equal(ours, encoder.final_layer_norm(whole.hidden_states[-1 - skip]))
    assert torch.equal(ours, shorter(ids_of(sd1, "tokenizer")).last_hidden_state)


def test_skipped_layers_of_sdxl_come_on_top_of_the_one_it_always_skips(sdxl: Path, load: Load) -> None:
    encoders = [
        CLIPTextModel.from_pretrained(sdxl / "text_encoder"),
        CLIPTextModelWithProjection.from_pretrained(sdxl / "text_encoder_2"),
    ]
    ids = [ids_of(sdxl, tokenizer) for tokenizer in ("tokenizer", "tokenizer_2")]
    read = [encoder(one, output_hidden_states=True) for encoder, one in zip(encoders, ids, strict=True)]

    ours = load(sdxl).texts.prepare(new_spec(prompt=PROMPT, guidance_scale=1.0, clip_skip=1))

    assert torch.equal(ours.embeddings, torch.cat([one.hidden_states[-3] for one in read], dim=-1))
    assert torch.equal(ours.pooled, read[1].text_embeds)


@pytest.mark.parametrize(("model", "most"), [("sd1", 2), ("sdxl", 1)])
def test_more_layers_than_there_are_cannot_be_skipped(
    request: pytest.FixtureRequest, load: Load, model: str, most: int
) -> None:
    prepare = load(request.getfixturevalue(model)).texts.prepare
    prepare(new_spec(clip_skip=most))

    with pytest.raises(PaintingBroken, match=f"`clip_skip` {most + 1} leaves no layer.*at most {most} may go"):
        prepare(new_spec(clip_skip=most + 1))


def test_what_was_read_lately_is_not_read_again_and_has_the_same_bits(sd1: Path, load: Load) -> None:
    texts = load(sd1).texts
    spec = new_spec(prompt="a (red:1.3) boat " + LONG)
    texts._text.read.cache_clear()

    fresh = texts.prepare(spec).embeddings
    read = texts._text.read.cache_info().misses
    remembered = texts.prepare(spec).embeddings

    assert torch.equal(fresh, remembered)
    assert texts._text.read.cache_info().misses == read
    assert texts._text.read.cache_info().maxsize == REMEMBERED


def test_other_layers_and_adapters_are_not_taken_for_what_was_read(sd1: Path, load: Load) -> None:
    texts = load(sd1).texts
    texts._text.read.cache_clear()

    for spec in (new_spec(), new_spec(clip_skip=1), new_spec(adapters=(Adapter(id="ink", weight=0.5),))):
        texts.prepare(spec)

    assert texts._text.read.cache_info().hits == 0


def test_words_never_taught_are_named_once_in_order(tmp_path: Path) -> None:
    listed = tmp_path / "vocabulary.json"
    listed.write_text('{"words": ["red", "boat", "hot-air"]}')

    unknown = Vocabulary.read(listed).unknown("A Red quantum boat, quantum flux, hot-air")

    assert unknown == ("a", "quantum", "flux")


def test_a_model_that_lists_no_words_reports_none(tmp_path: Path) -> None:
    assert Vocabulary.read(tmp_path / "absent.json").unknown("quantum") == ()
    assert Vocabulary.read(None).unknown("quantum") == ()


@pytest.mark.parametrize(("model", "characters"), [("sd3", 1496), ("flux", 480)])
def test_the_newer_families_read_far_beyond_77_tokens(
    request: pytest.FixtureRequest, load: Load, model: str, characters: int
) -> None:
    """Flux reads with T5 alone, which sees 512 tokens: here letters, in a real model 1,500 characters and more."""
    prepare = load(request.getfixturevalue(model)).texts.prepare
    long = ("boat " * 300)[:characters]

    one, other = (prepare(new_spec(prompt=f"{long} {end}")).embeddings[-1] for end in ("cat", "dog"))

    assert not torch.equal(one, other)


def test_a_weighted_word_moves_sd3s_clip_part(sd3: Path, load: Load) -> None:
    prepare = load(sd3).texts.prepare

    plain, heavy = (prepare(new_spec(prompt=text)).embeddings[1] for text in ("a red boat", "a (red:1.5) boat"))

    assert (plain != heavy).any(dim=-1).nonzero().flatten().tolist() == [2, 3, 4]


def test_another_weight_of_a_text_that_was_read_needs_no_reading(sd1: Path, load: Load) -> None:
    texts = load(sd1).texts
    texts._text.read.cache_clear()

    for prompt in ("a red boat", "a (red:1.3) boat", "(a red boat:0.7)"):
        texts.prepare(new_spec(prompt=prompt, negative_prompt=""))

    assert texts._text.read.cache_info().misses == 2

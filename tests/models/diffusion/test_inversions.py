"""Words that stand for vectors."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from plugins.at_once import at_once
from plugins.tiny_specs import card_of, new_spec
from safetensors.torch import save_file

from models import WeightsRejected
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.texts.inversions import Inversions
from models.diffusion.weights.folders import inspect
from models.diffusion.weights.hashing import Hashes

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

LoadWith = Callable[[Path, Mapping[str, Path]], Pipeline]

PROMPT = "a photo of <Cat-Toy> on a lake"


@pytest.fixture
def load_with(device: Device) -> LoadWith:
    """A model with embeddings by their words."""

    def pipeline(folder: Path, embeddings: Mapping[str, Path]) -> Pipeline:
        card = replace(card_of(folder), embeddings=embeddings)
        return at_once(Residency({"tiny": card}, device).pipeline("tiny"))

    return pipeline


def vectors(count: int, *, seed: int = 3, width: int = 32) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def written(file: Path, **tensors: torch.Tensor) -> Path:
    save_file(tensors, file)
    return file


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    """Three vectors, in the web UI's form."""
    return written(tmp_path / "cat.safetensors", emb_params=vectors(3))


def read(pipeline: Any, prompt: str, **more: object) -> torch.Tensor:
    return pipeline.texts.prepare(new_spec(prompt=prompt, guidance_scale=1.0, **more)).embeddings


@pytest.mark.parametrize("count", [1, 3])
def test_a_prompt_reads_as_with_diffusers_loader(sd1: Path, tmp_path: Path, load_with: LoadWith, count: int) -> None:
    file = written(tmp_path / "cat.safetensors", **{"<cat-toy>": vectors(count)})
    theirs = StableDiffusionPipeline.from_pretrained(sd1, safety_checker=None, requires_safety_checker=False)
    theirs.load_textual_inversion(str(tmp_path), weight_name=file.name, token="<cat-toy>", local_files_only=True)
    prompt = PROMPT.lower()

    expected = theirs.encode_prompt(prompt, torch.device("cpu"), 1, do_classifier_free_guidance=False)[0]

    assert torch.equal(read(load_with(sd1, {"<cat-toy>": file}), prompt), expected)


def test_a_prompt_of_sdxl_reads_as_with_diffusers_loader(sdxl: Path, tmp_path: Path, load_with: LoadWith) -> None:
    ours, of_g = vectors(2), vectors(2, seed=4)
    file = written(tmp_path / "cat.safetensors", clip_g=of_g, clip_l=ours)
    theirs = StableDiffusionXLPipeline.from_pretrained(sdxl, add_watermarker=False)
    for tensor, number in ((ours, ""), (of_g, "_2")):
        theirs.load_textual_inversion(
            tensor,
            token="<cat-toy>",
            text_encoder=getattr(theirs, f"text_encoder{number}"),
            tokenizer=getattr(theirs, f"tokenizer{number}"),
        )
    prompt = PROMPT.lower()
    expected, _, pooled, _ = theirs.encode_prompt(prompt, do_classifier_free_guidance=False)

    conditioning = load_with(sdxl, {"<cat-toy>": file}).texts.prepare(new_spec(prompt=prompt, guidance_scale=1.0))

    assert torch.equal(conditioning.embeddings, expected)
    assert torch.equal(conditioning.pooled, pooled)


def test_a_single_vector_without_a_second_axis_will_do(sd1: Path, tmp_path: Path, load_with: LoadWith) -> None:
    flat = written(tmp_path / "flat.safetensors", toy=vectors(1)[0])
    square = written(tmp_path / "square.safetensors", emb_params=vectors(1))

    flat_read, square_read = (read(load_with(sd1, {"toy": file}), "a toy boat") for file in (flat, square))

    assert torch.equal(flat_read, square_read)


def test_prompts_without_the_word_read_as_before(sd1: Path, cat: Path, load_with: LoadWith) -> None:
    plain, taught = load_with(sd1, {}), load_with(sd1, {"toy": cat})

    for prompt in ("a red boat", "toys and toyland", "a to y", "atoy toy_ toy2"):
        assert torch.equal(read(plain, prompt), read(taught, prompt))
    assert not torch.equal(read(plain, "a toy"), read(taught, "a toy"))


def test_case_does_not_count_and_every_mention_does(sd1: Path, cat: Path, load_with: LoadWith) -> None:
    pipeline = load_with(sd1, {"<cat-toy>": cat})

    assert torch.equal(read(pipeline, PROMPT), read(pipeline, PROMPT.upper()))
    ids = [token.id for token in pipeline.texts._text.chunks("<cat-toy>, <CAT-TOY> a")[0]]
    assert [id < 0 for id in ids] == [True] * 3 + [False] + [True] * 3 + [False]
    assert ids[:3] == ids[4:7]


def test_several_words_have_their_own_vectors(sd1: Path, cat: Path, tmp_path: Path, load_with: LoadWith) -> None:
    dog = written(tmp_path / "dog.safetensors", emb_params=vectors(2, seed=5))
    both, alone = load_with(sd1, {"cat": cat, "cat dog": cat, "dog": dog}), load_with(sd1, {"dog": dog})

    assert torch.equal(read(both, "a dog on a lake"), read(alone, "a dog on a lake"))
    assert not torch.equal(read(both, "a cat"), read(both, "a dog"))
    assert torch.equal(read(both, "a cat dog"), read(both, "a cat"))


def test_its_vectors_weigh_and_stay_in_one_chunk(sd1: Path, cat: Path, load_with: LoadWith) -> None:
    pipeline = load_with(sd1, {"toy": cat})

    heavy, plain = read(pipeline, "a (toy:1.5) boat"), read(pipeline, "a toy boat")
    assert (heavy != plain).any(dim=-1)[0].nonzero().flatten().tolist() == [2, 3, 4]
    chunks = pipeline.texts._text.chunks("boat " * 18 + "a toy")
    assert [len(chunk) for chunk in chunks] == [73, 3]


def test_negative_prompts_call_them_too(sd1: Path, cat: Path, load_with: LoadWith) -> None:
    prepare = load_with(sd1, {"toy": cat}).texts.prepare

    embeddings = prepare(new_spec(prompt="toy", negative_prompt="toy")).embeddings

    assert torch.equal(embeddings[0], embeddings[1])


def test_they_are_no_unknown_words_and_count_in_the_models_hash(
    sd1: Path, cat: Path, tmp_path: Path, device: Device
) -> None:
    listed = tmp_path / "vocabulary.json"
    listed.write_text('["red", "boat"]')
    plain = replace(card_of(sd1), vocabulary=listed)
    card = replace(plain, embeddings={"Cat-Toy": cat})

    pipeline = at_once(Residency({"tiny": card}, device).pipeline("tiny"))

    assert pipeline.vocabulary.unknown("a red cat-toy boat") == ("a",)
    hashes, weights = Hashes(), inspect(sd1)
    before = hashes.of_model(weights, card)
    written(cat, emb_params=vectors(3, seed=9))
    assert len({before, hashes.of_model(weights, plain), hashes.of_model(weights, card)}) == 3


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"emb_params": vectors(2, width=48)}, "vectors are 32 wide"),
        ({"emb_params": vectors(76)}, "vectors are 32 wide"),
        ({"emb_params": vectors(2)[None]}, "vectors are 32 wide"),
        ({"emb_params": vectors(2).long()}, "no number"),
        ({"emb_params": vectors(2) / 0}, "no number"),
        ({"clip_l": vectors(2), "clip_g": vectors(2)}, "made for 2 text"),
        ({"one": vectors(2), "two": vectors(2)}, "holds one, two; that form is not known"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    sd1: Path, tmp_path: Path, load_with: LoadWith, tensors: dict[str, torch.Tensor], reason: str
) -> None:
    file = written(tmp_path / "cat.safetensors", **tensors)

    with pytest.raises(WeightsRejected, match=reason):
        load_with(sd1, {"toy": file})


def test_a_file_for_one_encoder_does_not_fit_two(sdxl: Path, cat: Path, load_with: LoadWith) -> None:
    with pytest.raises(WeightsRejected, match=r"made for 1 text encoder\(s\); the model has 2"):
        load_with(sdxl, {"toy": cat})


def test_what_is_no_safetensors_file_is_refused(sd1: Path, tmp_path: Path, load_with: LoadWith) -> None:
    (tmp_path / "cat.pt").write_bytes(b"\x80\x02}q\x00.")

    for file in (tmp_path / "cat.pt", tmp_path / "absent.safetensors"):
        with pytest.raises(WeightsRejected, match="cannot be read"):
            load_with(sd1, {"toy": file})


def test_a_word_of_spaces_calls_nothing(sd1: Path, cat: Path, load_with: LoadWith) -> None:
    with pytest.raises(WeightsRejected, match="needs a word"):
        load_with(sd1, {" ": cat})


def test_ids_follow_each_other_from_minus_one() -> None:
    inversions = Inversions(vectors={"a": vectors(2), "b": vectors(3)})

    assert [*inversions.ids_of("a"), *inversions.ids_of("b")] == [-1, -2, -3, -4, -5]

"""The committed model: it opens as a plain diffusers folder and paints what the words say."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

STARTER = Path(__file__).parents[3] / "models" / "starter"
MEGABYTE = 2**20
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
"""Said by diffusers' own samplers under NumPy 2."""


@pytest.fixture(scope="module")
def pipeline() -> "Iterator[diffusers.StableDiffusionPipeline]":
    opened = diffusers.StableDiffusionPipeline.from_pretrained(
        STARTER, use_safetensors=True, local_files_only=True, dtype=torch.float32
    )
    opened.set_progress_bar_config(disable=True)
    opened.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
        opened.scheduler.config, final_sigmas_type="zero"
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield opened
    torch.set_num_threads(threads)


def painted(pipeline: "diffusers.StableDiffusionPipeline", prompt: str, **settings: int) -> np.ndarray:
    """(height, width, 3) float."""
    asked = {"height": 256, "width": 256, "num_inference_steps": 6, **settings}
    generator = torch.Generator().manual_seed(asked.pop("seed", 4))
    return np.asarray(pipeline(prompt, guidance_scale=5.0, generator=generator, **asked).images[0]).astype(float)


def test_the_weights_are_small_and_hold_no_pickle() -> None:
    files = [path for path in STARTER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 40 * MEGABYTE
    assert max(path.stat().st_size for path in files) < 16 * MEGABYTE
    assert not [path for path in files if path.suffix in {".bin", ".pt", ".ckpt", ".pkl"}]


def test_it_is_a_pipeline_of_at_most_25_million_weights(pipeline: "diffusers.StableDiffusionPipeline") -> None:
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert sum(weight.numel() for part in parts for weight in part.parameters()) <= 25_000_000
    assert pipeline.vae_scale_factor == 8
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert pipeline.scheduler.config.rescale_betas_zero_snr
    assert pipeline.safety_checker is None


def test_the_tokenizer_spells_words_it_does_not_know(pipeline: "diffusers.StableDiffusionPipeline") -> None:
    known = pipeline.tokenizer.tokenize("a red lighthouse")
    assert known == ["a</w>", "red</w>", "lighthouse</w>"]
    assert len(pipeline.tokenizer.tokenize("zygote 日本 naïve!")) > 4


def test_the_vocabulary_lists_the_words_of_the_world() -> None:
    words = set(json.loads((STARTER / "vocabulary.json").read_text())["words"])
    assert {"lighthouse", "boat", "red", "blue", "lake", "sunset", "night", "watercolor"} <= words
    assert "zygote" not in words


def test_the_same_seed_paints_the_same_picture_and_another_does_not(
    pipeline: "diffusers.StableDiffusionPipeline",
) -> None:
    first, again, other = (painted(pipeline, "a red house in a meadow", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 2.0


def test_a_red_castle_is_redder_than_a_blue_one(pipeline: "diffusers.StableDiffusionPipeline") -> None:
    red, blue = (painted(pipeline, f"a {colour} castle in a meadow") for colour in ("red", "blue"))
    warmth = [(middle[..., 0] - middle[..., 2]).mean() for middle in (red[96:208, 64:192], blue[96:208, 64:192])]
    assert warmth[0] > warmth[1] + 20.0


def test_night_is_darker_than_day(pipeline: "diffusers.StableDiffusionPipeline") -> None:
    day, night = (painted(pipeline, f"a boat on a lake {time}") for time in ("on a sunny day", "at night"))
    assert night.mean() < 0.75 * day.mean()


@pytest.mark.parametrize(("width", "height"), [(320, 192), (192, 320)])
def test_other_ratios_are_painted(pipeline: "diffusers.StableDiffusionPipeline", width: int, height: int) -> None:
    picture = painted(pipeline, "mountains at sunset", width=width, height=height, num_inference_steps=4)
    assert picture.shape == (height, width, 3)
    assert picture.std() > 10.0


def test_a_prompt_of_unknown_words_still_paints(pipeline: "diffusers.StableDiffusionPipeline") -> None:
    assert painted(pipeline, "zygote of a quux 日本", num_inference_steps=3).std() > 1.0

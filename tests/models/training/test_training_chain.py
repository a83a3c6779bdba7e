"""The commands fit together: from rendered shards to a model that diffusers opens, a step or two each."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("skia")
pytest.importorskip("peft")

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTokenizer

from models.diffusion.weights.lora import read_lora
from models.training import (
    autoencoder,
    critic,
    denoiser,
    export,
    faults,
    few_steps,
    latents,
    refiner,
    rendering,
    reward,
    scorer,
    style_adapter,
    text_encoder,
)
from models.training.adapters import TARGETS
from models.training.bench import Row, as_markdown, asked
from models.training.samples import Painter, Sampling
from models.training.served import Served, Serving
from models.training.tokens import extended, new_tokenizer
from models.training.world.captions import words_of
from models.training.world.scene import Scene
from models.training.world.settings import STYLE_FRAMES

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
BLUEPRINT = {word for frame in STYLE_FRAMES["blueprint"] for word in words_of(frame)}
BRIEF = ["--minutes", "0.0003", "--device", "cpu", "--batch", "2"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every part was trained for a step."""
    root = tmp_path_factory.mktemp("trained")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rendering.main(["--out", f"{root}/world", "--count", "4", "--shard", "2", "--processes", "1"])
    few = ["--sayings", "20", "--captions", "200", "--processes", "1"]
    text_encoder.main(["--out", f"{root}/text", *BRIEF, *few])
    autoencoder.main(["--world", f"{root}/world", "--out", f"{root}/vae", *BRIEF])
    parts = ["--vae", f"{root}/vae", "--text", f"{root}/text"]
    latents.main(["--world", f"{root}/world", "--out", f"{root}/latents", *parts, "--processes", "1"])
    learnt = ["--latents", f"{root}/latents"]
    denoiser.main([*learnt, "--text", f"{root}/text", "--out", f"{root}/unet", *BRIEF])
    export.main([*parts, *learnt, "--unet", f"{root}/unet/unet", "--out", f"{root}/starter"])
    few_steps.main([*learnt, "--model", f"{root}/starter", "--out", f"{root}/few", *BRIEF])
    style = ["--style", "blueprint", "--renders", "2", "--processes", "1"]
    style_adapter.main([*style, "--model", f"{root}/starter", "--out", f"{root}/loras", *BRIEF])
    torch.set_num_threads(threads)
    return root


@pytest.fixture(scope="module")
def carried_on(trained: Path) -> Path:
    """The trained model carried on for a step, as `--init` does it."""
    root, model = trained / "again", ["--init", f"{trained}/starter"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    text_encoder.main([*model, "--out", f"{root}/text", *BRIEF, "--sayings", "20", "--processes", "1"])
    text, learnt = ["--text", f"{root}/text"], f"{root}/latents"
    latents.main([*model, *text, "--world", f"{trained}/world", "--out", learnt, "--processes", "1", "--no-mirror"])
    denoiser.main([*model, *text, "--latents", learnt, "--out", f"{root}/unet", *BRIEF, "--rate", "1e-5"])
    parts = ["--vae", f"{trained}/starter/vae", *text, "--latents", learnt]
    export.main([*parts, "--unet", f"{root}/unet/unet", "--out", f"{root}/starter"])
    torch.set_num_threads(threads)
    return root


@pytest.fixture(scope="module")
def taught_critic(trained: Path) -> Path:
    """A critic of the trained model's latents."""
    out = trained / "critic"
    critic.main(["--world", f"{trained}/world", "--latents", f"{trained}/latents", "--out", str(out), *BRIEF])
    return out / "critic.safetensors"


def test_a_critic_becomes_the_scorer_by_which_the_engine_chooses(
    trained: Path, taught_critic: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(trained / "starter", tmp_path / "starter"))
    named = ["--model", str(model), "--critic", str(taught_critic), "--out", f"{model}/scorer"]
    scorer.main([*named, "--side", "16", "--texts", "20", "--steps", "2"])
    parts = ["--vae", f"{trained}/vae", "--text", f"{trained}/text", "--latents", f"{trained}/latents"]
    export.main([*parts, "--unet", f"{trained}/unet/unet", "--out", str(model)])  # and leaves the scorer alone
    with Served(model, "cpu") as served:
        chosen, plain = (
            served.painter(Serving(steps=1, candidates=count)).paint(["a red boat", "a cat"]) for count in (3, 1)
        )
    assert [picture.size for picture in (*chosen, *plain)] == [(512, 512)] * 4


def test_a_model_learns_from_its_own_faults_to_go_over_what_it_paints(
    trained: Path, taught_critic: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(trained / "starter", tmp_path / "starter"))
    learnt = Path(shutil.copytree(trained / "latents", tmp_path / "latents"))
    faults.main(["--model", str(model), "--latents", str(learnt), "--device", "cpu"])
    drawn, painted = (np.load(learnt / f"0000{kind}.npy") for kind in ("", ".faults"))
    assert drawn.shape == painted.shape == (2, 16, 16, 16)
    assert not np.array_equal(drawn, painted)
    named = ["--model", str(model), "--world", f"{trained}/world", "--critic", str(taught_critic)]
    assert refiner.main([*named, "--latents", str(learnt), "--out", str(model), *BRIEF])
    network = Painter(model, Sampling(), torch.device("cpu")).pipeline.unet
    read = read_lora(model / "refiner.safetensors", {"unet": network})["unet"]
    assert {"conv_in", "conv_out", "down_blocks.0.resnets.0.conv1"} <= set(read.ranks)
    with Served(model, "cpu") as served:
        over, plain = (served.painter(Serving(steps=1, refine=rounds)).paint(["a red boat"])[0] for rounds in (1, 0))
    assert over.size == plain.size == (512, 512)
    assert over.tobytes() != plain.tobytes()


def test_critics_teach_a_model_what_was_asked(trained: Path, taught_critic: Path, tmp_path: Path) -> None:
    learnt, few = ["--latents", f"{trained}/latents"], ["--captions", "20"]
    judged = ["--init", f"{trained}/starter", "--critics", str(taught_critic)]
    assert reward.main([*judged, *learnt, *few, "--out", f"{tmp_path}/taught", *BRIEF])
    before, after = (
        UNet2DConditionModel.from_pretrained(folder).state_dict()
        for folder in (trained / "starter" / "unet", tmp_path / "taught" / "unet")
    )
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_a_model_that_is_carried_on_keeps_its_latent_space(trained: Path, carried_on: Path) -> None:
    before, after = (
        json.loads((root / "starter" / "vae" / "config.json").read_text()) for root in (trained, carried_on)
    )
    assert after == before
    assert not list((carried_on / "latents").glob("*m.npy"))
    again, plain = (np.load(root / "latents" / "0000.npy") for root in (carried_on, trained))
    assert np.abs(again.astype(float) - plain).mean() < 0.05 * np.abs(plain.astype(float)).mean()


def test_a_model_that_is_carried_on_starts_from_its_weights(trained: Path, carried_on: Path) -> None:
    before, after = (
        Painter(root / "starter", Sampling(), torch.device("cpu")).pipeline.unet.state_dict()
        for root in (trained, carried_on)
    )
    assert max(float((before[name].float() - after[name].float()).abs().max()) for name in before) < 0.01


def test_new_words_become_tokens_and_old_ones_keep_theirs() -> None:
    before = new_tokenizer(np.random.default_rng(1), captions=200)
    texts = ["a red lighthouse by the sea", "zygote"]
    after = extended(before, ["zygote", "zygotes", "quux", "lighthouse"])
    assert after(texts[0]).input_ids == before(texts[0]).input_ids
    assert [len(after.tokenize(word)) for word in ("zygote", "zygotes", "quux")] == [1, 1, 1]
    assert len(before.tokenize("zygote")) > 1
    assert (after.eos_token_id, after.pad_token_id) == (before.eos_token_id, before.pad_token_id)
    assert all(after.get_vocab()[piece] == token for piece, token in before.get_vocab().items())


def test_the_states_of_captions_without_new_words_are_remembered(trained: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(trained / "starter" / "tokenizer")
    longer = extended(tokenizer, ["zygote"])
    encoder = text_encoder.first_encoder(trained / "starter", longer, 0)
    memory = text_encoder.Memory(trained / "starter", torch.device("cpu"))
    known, strange = (torch.tensor(longer([text]).input_ids) for text in ("a red boat", "a red zygote"))
    assert float(memory.distance(encoder, known)) == 0.0
    torch.nn.init.normal_(encoder.get_input_embeddings().weight)
    assert float(memory.distance(encoder, known)) > 0.0
    assert float(memory.distance(encoder, strange)) == 0.0


def test_an_adapter_learns_from_captions_of_known_words_and_its_style() -> None:
    known = words_of("a the an red blue green cat boat house tree on in lake snow sea by at night with and of sunset")
    scenes, texts = style_adapter.scenes_in("blueprint", 3, known, np.random.default_rng(1))
    assert {scene.style for scene in scenes} == {"blueprint"}
    assert all(words_of(text.lower()) <= known | BLUEPRINT for text in texts)


def test_mirrored_latents_and_wordings_lie_beside_plain_ones(trained: Path) -> None:
    plain, ids = np.load(trained / "latents" / "0000.npy"), np.load(trained / "latents" / "0000m.ids.npy")
    assert plain.shape == (2, 16, 16, 16)
    assert ids.shape == (2, latents.WORDINGS, 77)


def test_the_model_is_small_enough_for_the_repository(trained: Path) -> None:
    files = [path for path in (trained / "starter").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 40 * 2**20
    assert max(path.stat().st_size for path in files) < 16_000_000
    assert "lighthouse" in json.loads((trained / "starter" / "vocabulary.json").read_text())["words"]


def test_every_word_of_the_grammar_is_one_token(trained: Path) -> None:
    tokenizer = Painter(trained / "starter", Sampling(), torch.device("cpu")).pipeline.tokenizer
    words = json.loads((trained / "starter" / "vocabulary.json").read_text())["words"]
    spelled = {word for word in words if word.isalpha() and len(tokenizer.tokenize(word)) != 1}
    assert spelled == set()


@pytest.mark.parametrize("name", ["plain", "few"])
def test_the_model_paints_with_and_without_the_adapter_for_few_steps(trained: Path, name: str) -> None:
    adapter = trained / "few" / "few-steps.safetensors" if name == "few" else None
    sampling = Sampling(sampler="lcm" if adapter else "dpmpp_2m", steps=2, guidance=1.0, adapter=adapter)
    painter = Painter(trained / "starter", sampling, torch.device("cpu"))
    picture = painter.paint(["a red boat on a lake"], side=64)[0]
    assert picture.size == (64, 64)
    assert np.asarray(picture).std() > 0.0


@pytest.mark.parametrize("file", ["few/few-steps.safetensors", "loras/blueprint.safetensors"])
def test_the_engine_reads_every_layer_of_an_adapter(trained: Path, file: str) -> None:
    network = Painter(trained / "starter", Sampling(), torch.device("cpu")).pipeline.unet
    targeted = [name for name, _ in network.named_modules() if name.endswith(TARGETS)]
    read = read_lora(trained / file, {"unet": network})["unet"]
    found = {name for name in targeted if any(name in key for key in read.tensors)}
    assert found == set(targeted)


def test_the_bench_asks_only_in_words_the_model_knows() -> None:
    known = words_of("a red blue green cat boat house on in lake snow sea the by at night with")
    captions = asked(known, 2, seed=1, wants=_is_alone)
    assert captions
    assert all(words_of(caption.text) <= known for caption in captions)


def _is_alone(scene: Scene) -> bool:
    return len(scene.things) == 1


def test_the_table_says_which_bars_are_met() -> None:
    rows = [Row(name="land", value=0.95, shown="19 of 20 = 95.0%", bar=">= 90%", is_met=True)]
    assert "| land | 19 of 20 = 95.0% | >= 90% | yes |  |" in as_markdown(rows)

"""A LoRA paints what diffusers paints with it, next to others, and leaves no trace in pictures without it."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from plugins.at_once import at_once
from plugins.tiny_loras import adapter_card, write_lora
from plugins.tiny_specs import card_of, new_spec
from safetensors.torch import load_file, save_file

from models import Adapter, AdapterCard, Family, GenerationSpec, ModelUnavailable, Phase, WeightsRejected
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.run import begin, pass_wanted
from models.diffusion.resident import adapters as residents
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.schedule.samplers import new_schedule
from models.diffusion.steps.passes import run_pass
from models.process.protocol import Beat, Paint

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers
    pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning"),  # diffusers, with the second LoRA
]

Denoised = Callable[[Pipeline, GenerationSpec], torch.Tensor]
Loaded = Callable[..., Pipeline]

INK, PEN = Adapter(id="ink", weight=0.7), Adapter(id="pen", weight=-0.4)
KINDS = {"sd1": StableDiffusionPipeline, "sdxl": StableDiffusionXLPipeline}


@pytest.fixture
def loaded(device: Device) -> Loaded:
    """The model of a folder, anew, with these LoRAs in its catalogue."""

    def pipeline(model: Path, *cards: AdapterCard) -> Pipeline:
        return at_once(Residency({"tiny": card_of(model)}, device, {card.id: card for card in cards}).pipeline("tiny"))

    return pipeline


@pytest.fixture
def paint(device: Device, tmp_path: Path) -> Denoised:
    """The finished latents of a spec, its LoRAs loaded."""

    def latents(pipeline: Pipeline, spec: GenerationSpec) -> torch.Tensor:
        with pipeline.adapters.using(spec.adapters):
            denoising = begin(Paint(number=1, spec=spec, workspace=tmp_path), pipeline, device)
            while not denoising.is_finished:
                beat = Beat(number=1, phase=Phase.DENOISING)
                denoising.advance(run_pass([pass_wanted(spec, pipeline, denoising, beat)], 1)[0])
            return denoising.latents()

    return latents


def theirs(model: Path, kind: Any, spec: GenerationSpec, files: dict[str, Path]) -> torch.Tensor:
    pipeline = kind.from_pretrained(model, **({} if kind is KINDS["sdxl"] else {"safety_checker": None}))
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = new_schedule(spec.sampler, pipeline.scheduler.config)
    for id, file in files.items():
        pipeline.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=id)
    pipeline.set_adapters([adapter.id for adapter in spec.adapters], [adapter.weight for adapter in spec.adapters])
    return pipeline(
        spec.prompt,
        negative_prompt=spec.negative_prompt,
        width=spec.size.painted.width,
        height=spec.size.painted.height,
        num_inference_steps=spec.num_inference_steps,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="latent",
    ).images


@pytest.mark.parametrize("model", KINDS)
@pytest.mark.parametrize("form", [{"ranks": (2, 4)}, {"alpha": 1.0}, {"alpha": 3.0, "ranks": (2, 4)}], ids=str)
def test_two_loras_at_once_paint_what_diffusers_paints(
    request: pytest.FixtureRequest, loaded: Loaded, paint: Denoised, tmp_path: Path, model: str, form: dict[str, Any]
) -> None:
    folder = request.getfixturevalue(model)
    files = {
        id: write_lora(tmp_path / f"{id}.safetensors", folder, seed=seed, **form)
        for seed, id in enumerate(("ink", "pen"))
    }
    spec = new_spec(adapters=(INK, PEN))

    ours = paint(loaded(folder, *(adapter_card(file, id=id) for id, file in files.items())), spec)

    assert torch.equal(ours, theirs(folder, KINDS[model], spec, files))


@pytest.mark.parametrize(
    ("part", "wrapped"),
    [
        ("unet", "base_model.model.{layer}"),
        ("unet", "unet.base_model.model.{layer}"),
        ("unet", "base_model.model.unet.{layer}"),
        ("unet", "{layer}"),
        ("text_encoder", "base_model.model.{layer}"),
        ("text_encoder", "text_encoder.base_model.model.{layer}"),
    ],
)
def test_names_as_peft_writes_them_paint_the_same(
    sd1: Path, loaded: Loaded, paint: Denoised, tmp_path: Path, part: str, wrapped: str
) -> None:
    """`default` is how peft calls the LoRA itself."""
    plain = write_lora(tmp_path / "ink.safetensors", sd1, parts=(part,))
    layers = {name.removeprefix(f"{part}."): tensor for name, tensor in load_file(plain).items()}
    named = {
        wrapped.format(layer=layer.replace(".weight", ".default.weight") if place % 2 else layer): tensor
        for place, (layer, tensor) in enumerate(layers.items())
    }
    save_file(named, tmp_path / "pen.safetensors")
    pipeline = loaded(sd1, adapter_card(plain), adapter_card(tmp_path / "pen.safetensors", id="pen"))

    ours = paint(pipeline, new_spec(adapters=(Adapter(id="pen", weight=0.7),)))

    assert torch.equal(ours, paint(pipeline, new_spec(adapters=(INK,))))
    assert not torch.equal(ours, paint(pipeline, new_spec()))


def test_with_none_active_the_model_paints_as_if_it_had_never_seen_one(
    sd1: Path, loaded: Loaded, paint: Denoised, tmp_path: Path
) -> None:
    untouched = paint(loaded(sd1), new_spec())
    pipeline = loaded(sd1, adapter_card(write_lora(tmp_path / "ink.safetensors", sd1)))

    changed = paint(pipeline, new_spec(adapters=(INK,)))

    assert not torch.equal(changed, untouched)
    assert torch.equal(paint(pipeline, new_spec()), untouched)
    assert torch.equal(paint(pipeline, new_spec(adapters=(INK,))), changed)


def test_each_weight_paints_its_own_picture(sd1: Path, loaded: Loaded, paint: Denoised, tmp_path: Path) -> None:
    pipeline = loaded(sd1, adapter_card(write_lora(tmp_path / "ink.safetensors", sd1)))

    painted = [paint(pipeline, new_spec(adapters=(Adapter(id="ink", weight=weight),))) for weight in (0.5, 1.0, -1.0)]

    assert not any(torch.equal(one, other) for one, other in pairwise(painted))


def test_what_a_lora_does_to_the_text_acts_on_its_own_pictures_alone(
    sd1: Path, loaded: Loaded, paint: Denoised, tmp_path: Path
) -> None:
    file = write_lora(tmp_path / "ink.safetensors", sd1, parts=("text_encoder",))
    pipeline = loaded(sd1, adapter_card(file))
    before = paint(pipeline, new_spec())

    assert not torch.equal(paint(pipeline, new_spec(adapters=(INK,))), before)
    assert torch.equal(paint(pipeline, new_spec()), before)


def test_every_layer_keeps_its_own_alpha(sd1: Path, loaded: Loaded, paint: Denoised, tmp_path: Path) -> None:
    """Alphas and ranks are powers of two, so that multiplying first changes no bit."""
    tensors = load_file(write_lora(tmp_path / "mixed.safetensors", sd1, alpha=1.0, ranks=(2, 4)))
    plain = dict(tensors)
    for place, name in enumerate(name for name in tensors if name.endswith(".alpha")):
        tensors[name] = torch.tensor((1.0, 2.0, 8.0)[place % 3])
        up, rank = (
            name.replace(".alpha", ".lora_up.weight"),
            tensors[name.replace(".alpha", ".lora_down.weight")].shape[0],
        )
        plain[up] = tensors[up] * tensors[name] / rank
        plain[name] = torch.tensor(float(rank))
    save_file(tensors, tmp_path / "mixed.safetensors")
    save_file(plain, tmp_path / "plain.safetensors")

    mixed, expected = (
        paint(loaded(sd1, adapter_card(tmp_path / file)), new_spec(adapters=(INK,)))
        for file in ("mixed.safetensors", "plain.safetensors")
    )

    assert torch.equal(mixed, expected)


def test_sdxl_loras_with_the_original_block_names_find_their_layers(
    sdxl: Path, loaded: Loaded, paint: Denoised, tmp_path: Path
) -> None:
    blocks = {
        "down_blocks_1_attentions_0": "input_blocks_3_1",
        "mid_block_attentions_0": "middle_block_1",
        "up_blocks_0_attentions_0": "output_blocks_0_1",
    }
    tensors = load_file(write_lora(tmp_path / "ours.safetensors", sdxl, alpha=1.0, parts=("unet",)))
    tensors = {name: tensor for name, tensor in tensors.items() if any(block in name for block in blocks)}
    save_file(tensors, tmp_path / "ours.safetensors")
    for ours, original in blocks.items():
        tensors = {name.replace(ours, original): tensor for name, tensor in tensors.items()}
    save_file(tensors, tmp_path / "original.safetensors")

    ours, original = (
        paint(loaded(sdxl, adapter_card(tmp_path / file)), new_spec(adapters=(INK,)))
        for file in ("ours.safetensors", "original.safetensors")
    )

    assert torch.equal(ours, original)


def test_what_diffusers_notes_about_training_counts(sd1: Path, loaded: Loaded, paint: Denoised, tmp_path: Path) -> None:
    file = write_lora(tmp_path / "ink.safetensors", sd1, parts=("unet",))
    told = {"lora_adapter_metadata": '{"unet.r": 2, "unet.lora_alpha": 4, "unet.alpha_pattern": {}}'}
    save_file(load_file(file), tmp_path / "told.safetensors", metadata=told)

    doubled = paint(loaded(sd1, adapter_card(file)), new_spec(adapters=(Adapter(id="ink", weight=2.0),)))
    as_told = paint(
        loaded(sd1, adapter_card(tmp_path / "told.safetensors")), new_spec(adapters=(Adapter(id="ink", weight=1.0),))
    )

    assert torch.equal(as_told, doubled)


def test_the_least_recently_used_goes_but_none_that_is_in_use(
    sd1: Path, loaded: Loaded, paint: Denoised, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residents, "MOST_RESIDENT", 2)
    cards = [
        adapter_card(write_lora(tmp_path / f"{id}.safetensors", sd1, seed=seed), id=id)
        for seed, id in enumerate(("a", "b", "c"))
    ]
    pipeline = loaded(sd1, *cards)
    first = paint(pipeline, new_spec(adapters=(Adapter(id="a", weight=1.0),)))
    own_bytes = pipeline.adapters.size_bytes

    with pipeline.adapters.using([Adapter(id="a", weight=1.0)]):
        for id in ("b", "c"):
            paint(pipeline, new_spec(adapters=(Adapter(id=id, weight=1.0),)))
        assert set(pipeline.adapters.hashes) == {"a", "c"}
        assert pipeline.adapters.size_bytes == 2 * own_bytes
    for id in ("b", "c"):
        paint(pipeline, new_spec(adapters=(Adapter(id=id, weight=1.0),)))

    assert set(pipeline.adapters.hashes) == {"b", "c"}
    assert torch.equal(paint(pipeline, new_spec(adapters=(Adapter(id="a", weight=1.0),))), first)


def test_a_lora_of_another_family_or_name_is_not_there(sd1: Path, loaded: Loaded, tmp_path: Path) -> None:
    file = write_lora(tmp_path / "ink.safetensors", sd1)
    pipeline = loaded(sd1, adapter_card(file, family=Family.SDXL))

    for id in ("ink", "chalk"):
        with pytest.raises(ModelUnavailable, match=id), pipeline.adapters.using([Adapter(id=id, weight=1.0)]):
            pass


def with_nan(tensors: dict[str, torch.Tensor]) -> None:
    next(iter(tensors.values()))[0] = torch.nan


def with_other_shape(tensors: dict[str, torch.Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("to_k.lora_A.weight"))
    tensors[name] = torch.zeros(2, 40)


def with_foreign_layer(tensors: dict[str, torch.Tensor]) -> None:
    tensors |= {f"unet.down_blocks.9.to_q.lora_{half}.weight": torch.zeros(2, 2) for half in "AB"}


def with_one_half(tensors: dict[str, torch.Tensor]) -> None:
    del tensors[next(name for name in tensors if name.endswith("lora_B.weight"))]


def with_one_half_of_kohyas(tensors: dict[str, torch.Tensor]) -> None:
    tensors.clear()
    tensors["lora_unet_mid_block_attentions_0_proj_in.lora_down.weight"] = torch.zeros(2, 32)


def with_foreign_part(tensors: dict[str, torch.Tensor]) -> None:
    layer = "text_encoder_2.text_model.encoder.layers.0.mlp.fc1"
    tensors |= {f"{layer}.lora_{half}.weight": torch.zeros(2, 32) for half in "AB"}


def with_another_formula(tensors: dict[str, torch.Tensor]) -> None:
    tensors["lora_unet_mid_block_attentions_0_proj_in.hada_w1_a"] = torch.zeros(2, 2)


def without_any(tensors: dict[str, torch.Tensor]) -> None:
    tensors.clear()
    tensors["unet.conv_in.weight"] = torch.zeros(2, 2)


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (with_nan, r"lora_A\.weight holds values that are not numbers"),
        (with_other_shape, r"unet\..*to_k\.lora_A\.weight has the shape \(2, 40\), not \(2, 32\)"),
        (with_foreign_layer, r"no such layer for unet\.down_blocks\.9\.to_q\.lora_A"),
        (with_one_half, r"half of a pair is missing: the lora_B of text_encoder\."),
        (with_one_half_of_kohyas, r"half of a pair is missing: the lora_up of lora_unet_mid"),
        (with_foreign_part, r"text_encoder_2\..*belongs to none.*seems to be made for sdxl"),
        (with_another_formula, r"is a LoHa \(lora_unet_mid_block"),
        (without_any, r"is no LoRA: it holds unet\.conv_in\.weight"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_leaves_no_trace(
    sd1: Path,
    loaded: Loaded,
    paint: Denoised,
    tmp_path: Path,
    break_it: Callable[[dict[str, torch.Tensor]], None],
    reason: str,
) -> None:
    file = write_lora(tmp_path / "ink.safetensors", sd1)
    tensors = load_file(file)
    break_it(tensors)
    save_file(tensors, file)
    pipeline = loaded(sd1, adapter_card(file))
    before = paint(pipeline, new_spec())

    with pytest.raises(WeightsRejected, match=rf"ink\.safetensors.*{reason}"):
        paint(pipeline, new_spec(adapters=(INK,)))

    assert not pipeline.adapters.hashes
    assert torch.equal(paint(pipeline, new_spec()), before)


def test_pickles_lost_and_changed_files_are_refused(sd1: Path, loaded: Loaded, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled.safetensors"
    torch.save({"unet.mid_block": torch.zeros(2)}, pickled)
    changed = write_lora(tmp_path / "changed.safetensors", sd1)
    cards = (
        adapter_card(pickled, id="pickled"),
        adapter_card(tmp_path / "lost.safetensors", id="lost"),
        adapter_card(changed, id="changed"),
    )
    adapters = loaded(sd1, *cards).adapters
    with adapters.using([Adapter(id="changed", weight=1.0)]):
        adapters._unload("changed")
    write_lora(changed, sd1, seed=9)

    for id, reason in (("pickled", "is a pickle"), ("lost", "no file"), ("changed", "was changed")):
        with pytest.raises(WeightsRejected, match=reason), adapters.using([Adapter(id=id, weight=1.0)]):
            pass

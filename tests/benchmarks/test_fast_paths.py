"""What each way to compute faster is worth here: its speed against the plain form, and what it does to the bits.

All on the network in the box at 256 x 256 with guidance; forms take turns, and the best time of each counts.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from plugins.at_once import at_once
from plugins.figures import keep
from plugins.starter_specs import PROMPTS, starter_spec

from models import load_catalogue
from models.diffusion.device import Device, choose_device
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.resident.steadying import Steadying
from models.diffusion.sharing.canary import CANDIDATES, calibrate, neighbours
from models.diffusion.steps.denoising import Rows
from models.diffusion.steps.passes import PassWanted, run_pass
from models.diffusion.texts.conditioning import Conditioning
from models.engine import Phase
from models.process.protocol import Beat

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]  # torch.compile has much to say

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "models" / "starter"
NEIGHBOURS = 8
ROUNDS = {1: 12, NEIGHBOURS: 8}
COMPILED = ("compiled", "compiled blocks", "compiled, frozen")

Form = Callable[[Any], Any]


@pytest.fixture(scope="module")
def device() -> Device:
    return choose_device("auto", threads=len(os.sched_getaffinity(0)))


@pytest.fixture(scope="module")
def starter(device: Device) -> Pipeline:
    cards = {card.id: card for card in load_catalogue(ROOT / "configs" / "models", root=ROOT).cards()}
    return at_once(Residency(cards, device).pipeline("starter"))


def plain(unet: Any) -> Any:
    """As diffusers loads it: the usual layout, attention by torch's own function."""
    return unet


def channels_last(unet: Any) -> Any:
    return unet.to(memory_format=torch.channels_last)


def spelled_out(unet: Any) -> Any:
    """Attention as two products and a softmax."""
    unet.set_attn_processor(AttnProcessor())
    return channels_last(unet)


def served(unet: Any) -> Any:
    """What we paint with."""
    unet.set_attn_processor(AttnProcessor2_0())
    return channels_last(unet)


def fused(unet: Any) -> Any:
    """One product for queries, keys and values."""
    unet.fuse_qkv_projections()
    return channels_last(unet.requires_grad_(requires_grad=False))


def compiled_whole(unet: Any) -> Any:
    unet = channels_last(unet)
    unet.compile(dynamic=False)
    return unet


def compiled_blocks(unet: Any) -> Any:
    unet = channels_last(unet)
    unet.compile_repeated_blocks(fullgraph=True, dynamic=False)
    return unet


def compiled_frozen(unet: Any) -> Any:
    """The weights laid out for the processor's kernels once."""
    unet = channels_last(unet)
    unet.compile(dynamic=False, options={"freezing": True})
    return unet


def network_of(form: Form, device: Device) -> Any:
    """A fresh network in this form."""
    unet = UNet2DConditionModel.from_pretrained(STARTER / "unet", torch_dtype=device.dtype)
    return form(unet.to(device.torch_device).eval().requires_grad_(requires_grad=False))


def wanted(network: Any, starter: Pipeline, device: Device) -> PassWanted:
    """A picture before a network in some form."""

    def predict(latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        told = conditioning.embeddings
        return network(latents.to(network.dtype), timesteps, encoder_hidden_states=told, return_dict=False)[0]

    generator, shape = torch.Generator().manual_seed(1), starter.network.latent_shape(starter_spec().size.painted)
    latents = torch.randn((1, *shape), generator=generator).expand(2, -1, -1, -1).contiguous()
    told = starter.texts.prepare(starter_spec())
    pipeline = SimpleNamespace(
        network=SimpleNamespace(predict=predict),
        steadying=Steadying(network),
        adapters=SimpleNamespace(activate=lambda _: None),
    )
    return PassWanted(
        beat=Beat(number=1, phase=Phase.DENOISING),
        model="starter",
        pipeline=pipeline,  # type: ignore[arg-type]
        adapters=(),
        rows=Rows(latents=latents.to(device.torch_device), timesteps=torch.full((2,), 501.0).to(device.torch_device)),
        conditioning=told,
    )


def spent_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - began) * 1000


def best_ms(works: Sequence[Callable[[], object]], *, rounds: int) -> list[float]:
    """Of each; they take turns, so that whatever else the machine does disturbs all alike."""
    times = [[spent_ms(work) for work in works] for _ in range(rounds)]
    return [min(column) for column in zip(*times, strict=True)]


def proven_sizes(picture: PassWanted) -> list[int]:
    """At which a picture has the bits that it has alone, where layers that count rows are steadied."""
    pieces = calibrate(picture, candidates=[size for size in CANDIDATES if size <= NEIGHBOURS], holds_one=True)
    while True:
        try:
            next(pieces)
        except StopIteration as finished:
            return sorted(finished.value.ms)


FORMS = {
    "channels last": (plain, channels_last),
    "SDPA": (spelled_out, served),
    "fused QKV": (served, fused),
    "compiled": (served, compiled_whole),
    "compiled blocks": (served, compiled_blocks),
    "compiled, frozen": (served, compiled_frozen),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_the_network_against_the_plain_one(name: str, starter: Pipeline, device: Device) -> None:
    before, after = (wanted(network_of(form, device), starter, device) for form in FORMS[name])
    pools = [neighbours(picture, NEIGHBOURS) for picture in (before, after)]
    figures: dict[str, Any] = {"ratios": []}
    with torch.inference_mode() if name in COMPILED else nullcontext():
        for size, rounds in ROUNDS.items():
            works = [lambda pool=pool: run_pass(pool[:size], size) for pool in pools]  # noqa: B023 - called at once
            first_ms = [spent_ms(work) for work in works]
            theirs, ours = best_ms(works, rounds=rounds)
            figures["ratios"].append({"what": f"{name}, {size} at a time", "ratio": theirs / ours})
            figures[f"ms_{size}"] = {"before": theirs, "after": ours, "first_after": first_ms[1]}
        expected, found = (run_pass(pool[:1], 1)[0].float() for pool in pools)
        figures["largest_difference"] = float((found - expected).abs().max() / expected.abs().max())
        alone, together = run_pass(pools[1][:1], 1)[0], run_pass(pools[1], NEIGHBOURS)[0]
        figures["rows_equal_unsteadied"] = bool(torch.equal(alone, together))
    if name not in COMPILED:  # hooks and steadying reach into layers that a compiled network has not any more
        figures["proven_sizes"] = proven_sizes(after)
    keep(name, figures, chart="fast-paths")
    print(f"\n{name}: {figures}")  # noqa: T201
    assert figures["largest_difference"] < 1e-2


def test_remembered_texts_against_texts_read_anew(starter: Pipeline) -> None:
    text = starter.texts._text
    spec = starter_spec(prompt=PROMPTS[0])

    def read_anew() -> object:
        text.read.cache_clear()
        return starter.texts.prepare(spec)

    anew, remembered = best_ms([read_anew, lambda: starter.texts.prepare(spec)], rounds=15)
    first, second = read_anew(), starter.texts.prepare(spec)
    keep(
        "texts", {"ms": {"before": anew, "after": remembered}}, chart="fast-paths"
    )  # a bar that would dwarf the others
    print(f"\ntexts: {anew:.2f} ms read anew, {remembered:.2f} ms remembered")  # noqa: T201
    assert torch.equal(first.embeddings, second.embeddings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="threads of the processor")
def test_all_threads_against_one(starter: Pipeline, device: Device) -> None:
    pool = neighbours(wanted(network_of(served, device), starter, device), NEIGHBOURS)
    figures: dict[str, Any] = {"ratios": []}
    for size, rounds in ROUNDS.items():

        def with_threads(count: int, size: int = size) -> torch.Tensor:
            torch.set_num_threads(count)
            return run_pass(pool[:size], size)[0]

        one, every = best_ms([lambda f=with_threads: f(1), lambda f=with_threads: f(device.threads)], rounds=rounds)
        figures["ratios"].append({"what": f"{device.threads} threads, {size} at a time", "ratio": one / every})
        figures[f"ms_{size}"] = {"before": one, "after": every}
    figures["equal_bits"] = bool(torch.equal(with_threads(1), with_threads(device.threads)))
    keep("threads", figures, chart="fast-paths")
    print(f"\nthreads: {figures}")  # noqa: T201
    assert figures["ratios"]


def test_half_precision_where_the_processor_has_it(starter: Pipeline, device: Device) -> None:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    if not torch.cuda.is_available() and not flags & {"amx_bf16", "avx512_bf16"}:
        pytest.skip("neither AMX nor AVX512-BF16 nor CUDA: bfloat16 would be emulated")
    exact, half = (
        network_of(lambda unet, d=dtype: served(unet.to(d)), device) for dtype in (torch.float32, torch.bfloat16)
    )
    pictures = [wanted(network, starter, device) for network in (exact, half)]
    before, after = best_ms([lambda one=one: run_pass([one], 1) for one in pictures], rounds=ROUNDS[1])
    vae = starter.network.decoder._vae
    latents = torch.randn((1, vae.config.latent_channels, 16, 16), generator=torch.Generator().manual_seed(1))
    decode = [
        lambda d=dtype: vae.to(d).decode(latents.to(device.torch_device, d))
        for dtype in (torch.float32, torch.bfloat16)
    ]
    decode_before, decode_after = best_ms(decode, rounds=ROUNDS[1])
    ratios = [
        {"what": "bfloat16, 1 at a time", "ratio": before / after},
        {"what": "decoding in bfloat16", "ratio": decode_before / decode_after},
    ]
    keep("bfloat16", {"ratios": ratios}, chart="fast-paths")
    print(f"\nbfloat16: {ratios}")  # noqa: T201
    assert torch.isfinite(run_pass([pictures[1]], 1)[0]).all()

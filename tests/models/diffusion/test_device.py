"""What the device decides: kernels, dtypes, and where chance is drawn."""

import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL

from models.diffusion.autoencoding.encoding import Encoder
from models.diffusion.device import Device, cpu_name, multiplies_bfloat16
from models.diffusion.schedule.noise import generator_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("kind", "dtype", "decodes"),
    [
        ("cpu", torch.float32, torch.float32),
        ("cpu", torch.bfloat16, torch.bfloat16),
        ("cuda", torch.bfloat16, torch.bfloat16),
        ("cuda", torch.float16, torch.float32),
        ("cuda", torch.float32, torch.float32),
    ],
)
def test_what_paints_in_bfloat16_decodes_in_it_and_nothing_decodes_in_float16(
    device: Device, kind: str, dtype: torch.dtype, decodes: torch.dtype
) -> None:
    assert replace(device, torch_device=torch.device(kind), dtype=dtype).decode_dtype is decodes


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        (
            "cpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC 9B14\nbugs:\n\nmodel\t\t: 2\nmodel name\t: Another\n",
            "AMD EPYC 9B14 (family 25, model 1)",
        ),
        ("processor\t: 0\nmodel name\t: Some: CPU\n", "Some: CPU"),
        (
            "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n",
            f"{platform.processor() or platform.machine()} (implementer 0x41, part 0xd0c)",
        ),
        ("", platform.processor() or platform.machine()),
    ],
)
def test_a_cpu_is_named_by_its_product_and_what_else_tells_it_from_others(cpuinfo: str, name: str) -> None:
    assert cpu_name(cpuinfo) == name


@pytest.mark.parametrize(
    ("cpuinfo", "has_it"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16 la57\n\nflags\t\t: fpu\n", True),
        ("flags\t\t: fpu avx512f amx_bf16 amx_tile\n", True),
        ("Features\t: fp asimd sve bf16 i8mm\n", True),
        ("flags\t\t: fpu avx2 avx512f\n", False),
        ("flags\t\t: fpu\n\nflags\t\t: avx512_bf16\n", False),
        ("", False),
    ],
)
def test_a_cpu_paints_in_bfloat16_where_it_has_instructions_for_it(cpuinfo: str, *, has_it: bool) -> None:
    assert multiplies_bfloat16(cpuinfo) is has_it


def test_a_cpus_name_ends_with_the_instructions_that_torch_uses(device: Device) -> None:
    product, _, instructions = device.name.rpartition(", ")

    assert instructions == torch.backends.cpu.get_cpu_capability()
    assert product


def test_an_autoencoder_in_half_precision_draws_the_noise_that_it_draws_in_float32(sd1: Path) -> None:
    picture = torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)
    vae = AutoencoderKL.from_pretrained(sd1 / "vae").eval().requires_grad_(requires_grad=False)

    exact = Encoder(vae).encode(picture, generator_of(7))
    other = Encoder(vae).encode(picture, generator_of(8))
    rough = Encoder(vae.to(torch.bfloat16)).encode(picture, generator_of(7))

    assert rough.dtype is torch.float32
    assert (rough - exact).abs().max() < 0.02 * (other - exact).abs().max()


def test_noise_depends_on_the_hosts_instructions_and_its_name_says_them() -> None:
    """Why a fingerprint on CUDA names the host: the noise of one seed, and a sampler's numbers, are made there."""
    drawn = """
import hashlib, torch
from models.diffusion.resident.fingerprint import host_cpu
from models.diffusion.schedule.noise import generator_of, starting_latents
noise = starting_latents((4, 64, 64), generator_of(7))
print(hashlib.sha256(noise.numpy().tobytes()).hexdigest(), host_cpu())
"""
    lines = {}
    for capability in ("", "default"):
        environment = {**os.environ, **({"ATEN_CPU_CAPABILITY": capability} if capability else {})}
        lines[capability] = subprocess.check_output(
            [sys.executable, "-c", drawn], cwd=ROOT, text=True, env=environment
        ).split(" ", 1)

    assert all(name.startswith(platform.machine()) for _, name in lines.values())
    assert lines[""][0] == lines["default"][0] or lines[""][1] != lines["default"][1]


def test_kernels_are_pinned_without_a_word_of_torch() -> None:
    said = """
import torch
from models.diffusion.device import kernel_policy, pin_kernels
assert ", split-K" in kernel_policy()
pin_kernels()
assert kernel_policy().endswith(", no split-K, attention flash, efficient, math")
assert torch.are_deterministic_algorithms_enabled()
assert torch.is_deterministic_algorithms_warn_only_enabled()
assert not torch.backends.cuda.cudnn_sdp_enabled()
assert torch.backends.cuda.flash_sdp_enabled()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", said], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

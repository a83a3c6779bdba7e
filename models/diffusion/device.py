"""Which device paints, with what numbers, and why."""

import os
import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from models.errors import ModelUnavailable

CPUINFO = Path("/proc/cpuinfo")
# What distinguishes two CPUs of one model name, as behind a hypervisor: x86's words for it, then
# ARM's.
NUMBERS = {"cpu family": "family", "model": "model", "CPU implementer": "implementer", "CPU part": "part"}
# What x86 and ARM call the instructions that multiply in bfloat16. Without them torch emulates it,
# hundreds of times slower.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """`name` is the GPU's name, or the CPU's with the instruction set that torch uses; networks run
    in `dtype`, autoencoders in `decode_dtype`, sampling in float32.

    `memory_bytes` is what loaded models may fill together. `channels_last` lays convolutional
    networks out so: measured 2 to 6 % faster on a CPU (decision 0008), with last bits that differ
    from the other layout's.
    """

    torch_device: torch.device
    name: str
    why: str
    dtype: torch.dtype
    threads: int
    memory_bytes: int
    channels_last: bool = True

    @property
    def decode_dtype(self) -> torch.dtype:
        """bfloat16 where the network runs in it: decoding then takes half as long, which for a
        picture of few steps is a tenth of all. float16 never: SDXL's autoencoder overflows in
        it."""
        return torch.bfloat16 if self.dtype is torch.bfloat16 else torch.float32


def choose_device(wanted: str, *, threads: int | None, dtype: str = "auto") -> Device:
    """Choose among auto, cpu and cuda, pin the thread count and the order of CUDA's sums.

    `dtype` is auto or one of `DTYPES`.

    Raises:
        ModelUnavailable: cuda was asked for and there is none.
    """
    count = threads or min(len(os.sched_getaffinity(0)), torch.get_num_threads())
    torch.set_num_threads(count)
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelUnavailable("The device is set to cuda, but no CUDA device was found.")
    if wanted == "cpu" or not torch.cuda.is_available():
        device = _cpu("The device is set to cpu." if wanted == "cpu" else "No CUDA device was found.", count)
    else:
        device = _cuda("The device is set to cuda." if wanted == "cuda" else "A CUDA device was found.", count)
    return device if dtype == "auto" else replace(device, dtype=DTYPES[dtype])


def _cpu(why: str, threads: int) -> Device:
    cpuinfo = _read(CPUINFO)
    return Device(
        torch_device=torch.device("cpu"),
        name=f"{cpu_name(cpuinfo)}, {torch.backends.cpu.get_cpu_capability()}",
        why=why,
        dtype=torch.bfloat16 if multiplies_bfloat16(cpuinfo) else torch.float32,
        threads=threads,
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2,
    )


def _read(cpuinfo: Path) -> str:
    return cpuinfo.read_text(errors="replace") if cpuinfo.exists() else ""  # only Linux has it


def multiplies_bfloat16(cpuinfo: str) -> bool:
    """The first processor of Linux's `cpuinfo` has instructions for it: 1.2 to 1.4 times as fast
    (decision 0008)."""
    first = _first_core(cpuinfo)
    return not BFLOAT16_FLAGS.isdisjoint(first.get("flags", first.get("Features", "")).split())


def cpu_name(cpuinfo: str) -> str:
    """The product's name and numbers, as the first processor of Linux's `cpuinfo` has them; else
    its architecture.

    torch's instruction set is not enough: oneDNN and MKL choose kernels by the CPU itself.
    """
    first = _first_core(cpuinfo)
    numbers = [f"{word} {first[key]}" for key, word in NUMBERS.items() if key in first]
    name = first.get("model name") or platform.processor() or platform.machine()
    return f"{name} ({', '.join(numbers)})" if numbers else name


def _first_core(cpuinfo: str) -> dict[str, str]:
    lines = (line.partition(":") for line in cpuinfo.split("\n\n", 1)[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def _cuda(why: str, threads: int) -> Device:
    pin_kernels()
    # A T4 or V100 only emulates bfloat16, at a fraction of its speed in float16.
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return Device(
        torch_device=torch.device("cuda"),
        name=torch.cuda.get_device_name(),
        why=why,
        dtype=torch.bfloat16 if has_bfloat16 else torch.float16,
        threads=threads,
        memory_bytes=torch.cuda.mem_get_info()[1] * 3 // 4,
    )


def pin_kernels() -> None:
    """Let nothing but shapes and dtypes decide which of CUDA's kernels runs, and let no sum be kept
    in fewer bits.

    A full memory still may: where a convolution's workspace finds no room torch takes cuDNN's next
    plan, and keeps it. `CUBLAS_WORKSPACE_CONFIG` must be set before the first kernel runs: the
    parent does that.
    """
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    # Neither sums in half precision nor sums cut into pieces (split-K), whose number depends on the
    # batch. Only cuBLASLt can be kept from these.
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = (False, False)
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = (False, False)
    if torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        torch.backends.cuda.preferred_blas_library("cublaslt")
    # cuDNN's attention chooses by heuristics of its own, anew with every version; these three are
    # torch's.
    torch.backends.cuda.enable_cudnn_sdp(False)
    torch.backends.cuda.enable_flash_sdp(True)
    torch.backends.cuda.enable_mem_efficient_sdp(True)
    torch.backends.cuda.enable_math_sdp(True)
    # Nothing that our networks run forward is known to differ from run to run. Should a model bring
    # such a kernel, torch takes the other one, or names it in the log where it has none; a picture
    # need not fail for that.
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def kernel_policy() -> str:
    """Which of CUDA's kernels may run, read back from torch, for the fingerprint."""
    cuda: Any = torch.backends.cuda
    is_split = (
        cuda.matmul.allow_fp16_reduced_precision_reduction_split_k
        or cuda.matmul.allow_bf16_reduced_precision_reduction_split_k
    )
    attention = {
        "cudnn": cuda.cudnn_sdp_enabled(),
        "flash": cuda.flash_sdp_enabled(),
        "efficient": cuda.mem_efficient_sdp_enabled(),
        "math": cuda.math_sdp_enabled(),
    }
    allowed = ", ".join(name for name, is_allowed in attention.items() if is_allowed)
    library = str(cuda.preferred_blas_library()).rpartition(".")[2].lower()
    return f"{library}, {'split-K' if is_split else 'no split-K'}, attention {allowed}"

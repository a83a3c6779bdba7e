"""What is recognised behind the many words of libraries."""

import pytest
import torch

from models.diffusion.failing import as_failure, is_device_lost, is_out_of_memory
from models.errors import OutOfMemory, PaintingBroken

FULL = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."
    ),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("FIND was unable to find an engine to execute this computation"),
    torch.AcceleratorError("CUDA error: out of memory"),
]
OTHERS = [
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ValueError("out of memory"),
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
]


@pytest.mark.parametrize("wrong", FULL, ids=str)
def test_a_full_memory_is_recognised_by_whatever_name_and_the_device_lives(wrong: Exception) -> None:
    assert is_out_of_memory(wrong)
    assert not is_device_lost(wrong)
    assert isinstance(as_failure(wrong), OutOfMemory)


@pytest.mark.parametrize("wrong", OTHERS, ids=str)
def test_other_failures_are_no_full_memory(wrong: Exception) -> None:
    assert not is_out_of_memory(wrong)
    assert isinstance(as_failure(wrong), PaintingBroken)


def test_the_device_is_lost_with_any_other_error_of_the_accelerator() -> None:
    assert [is_device_lost(wrong) for wrong in OTHERS] == [False, False, False, True]

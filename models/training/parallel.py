"""Processes that share each step, as `torchrun` starts them: two single-threaded ones on two cores.

One process with two threads waits at every operation for the slower core; two processes wait once a step, which
on a busy machine is several times faster. Without torchrun everything here does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import distributed


def joined() -> int:
    """Join the other processes, if any; one thread each then.

    Returns:
        The number of this process, from 0.
    """
    if not distributed.is_torchelastic_launched():
        return 0
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
        torch.set_num_threads(1)
    return distributed.get_rank()


def place() -> tuple[int, int]:
    """The number of this process, from 0, and how many there are."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def average(gradients: Sequence[torch.Tensor]) -> None:
    """Replace each gradient by its mean over the processes, in place."""
    if not distributed.is_initialized():
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    _spread(flat.div_(distributed.get_world_size()), gradients)


def exchange(lots: Sequence[Sequence[torch.Tensor]]) -> None:
    """Give every process the tensors of lot n as process n has them, in place."""
    if not distributed.is_initialized():
        return
    for owner, lot in enumerate(lots):
        flat = torch.cat([tensor.detach().flatten() for tensor in lot])
        distributed.broadcast(flat, src=owner)
        _spread(flat, lot)


@torch.no_grad()
def _spread(flat: torch.Tensor, tensors: Sequence[torch.Tensor]) -> None:
    for tensor, values in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
        tensor.copy_(values.view_as(tensor))


def agreed(value: float) -> float:
    """Process 0's value in every process, so that all stop at the same step."""
    if not distributed.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    distributed.broadcast(shared, src=0)
    return float(shared)


def share(weights: Sequence[torch.Tensor]) -> None:
    """Copy process 0's weights into every process, in place."""
    joined()
    if distributed.is_initialized():
        for weight in weights:
            distributed.broadcast(weight.data, src=0)

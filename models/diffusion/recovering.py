"""What is done after a failure before anything else may run."""

import traceback

import torch

from models.diffusion.failing import is_device_lost, is_out_of_memory


def recover(wrong: Exception) -> None:
    """Make the memory that the failed work held free for whoever comes next, while the error still
    travels.

    Raises:
        AcceleratorError: `wrong` is one: nothing runs on the device in this process any more. The process is to die of
            it; the parent starts another.
    """
    if is_device_lost(wrong):
        raise wrong
    link: BaseException | None = wrong
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    if is_out_of_memory(wrong) and torch.cuda.is_available():
        torch.cuda.empty_cache()

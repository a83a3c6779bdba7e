"""What a single file of weights is, read from its header alone: nothing is loaded or run.

file -> header -> recognition -> dimensions. Owns what is known of the original (LDM) form of
checkpoints, the one Civitai and A1111's web UI exchange: names, shapes, what distinguishes the
families. Must never import torch.
"""

from models.single_file.header import Header, TensorForm, read_header
from models.single_file.recognition import Checkpoint, Prediction, recognize

__all__ = ["Checkpoint", "Header", "Prediction", "TensorForm", "read_header", "recognize"]

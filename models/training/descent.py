"""How denoiser and judge go downhill: Muon for their matrices, AdamW for all else.

Muon (https://kellerjordan.github.io/posts/muon/) turns a matrix' mean gradient into the nearest orthogonal one, so that weak
directions are learnt as fast as strong ones. A convolution counts as a matrix of one row per output channel. The layers next to pictures,
latents and answers, biases and norms stay with AdamW. Orthogonalising costs as much as a fifth of a step, so processes of torchrun
share it out and then tell each other the new weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import torch

from models.training.course import set_rate
from models.training.parallel import exchange, place

WEIGHT_DECAY: Final = 0.01


class Descent:
    """Takes steps on named float32 weights from their gradients. `outermost` begins the names of layers that AdamW moves."""

    def __init__(self, weights: Mapping[str, torch.Tensor], rate: float, outermost: tuple[str, ...]) -> None:
        inner = [w for name, w in weights.items() if w.ndim > 1 and not name.startswith(outermost)]
        others = [w for name, w in weights.items() if w.ndim < 2 or name.startswith(outermost)]
        number, processes = place()
        self._weights = [inner[first::processes] for first in range(processes)]
        self._mine = [(weight, weight.detach().view(len(weight), -1)) for weight in self._weights[number]]
        self._muon = torch.optim.Muon(
            [matrix for _, matrix in self._mine], lr=rate, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"
        )
        self._adam = torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.99), weight_decay=WEIGHT_DECAY, fused=True)

    def step(self, rate: float) -> None:
        """One step at this learning rate, the same for both: Muon's is scaled to what AdamW's would move."""
        for weight, matrix in self._mine:
            matrix.grad = None if weight.grad is None else weight.grad.reshape(matrix.shape)
        optimizers: tuple[torch.optim.Optimizer, ...] = (self._muon, self._adam)
        for optimizer in optimizers:
            set_rate(optimizer, rate)
            optimizer.step()
        exchange(self._weights)

    def state_dict(self) -> dict[str, object]:
        """AdamW's state. Muon's is a mean of the last twenty gradients, whose scale does not matter: it is gathered anew."""
        return {"adam": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from a kept state."""
        self._adam.load_state_dict(cast("dict[str, object]", state["adam"]))

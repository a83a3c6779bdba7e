"""Three steps of one process under torchrun; writes the weights it ends with to FOLDER/RANK.pt."""

import sys
from pathlib import Path

import torch

from models.training.descent import Descent
from models.training.parallel import average, joined, share

rank = joined()
torch.manual_seed(rank)
layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.GroupNorm(2, 4), torch.nn.Conv2d(4, 5, 3))
share(list(layers.parameters()))
weights = {name: weight.data for name, weight in layers.named_parameters()}
descent = Descent(weights, 0.01, outermost=())
for _ in range(3):
    for weight in weights.values():
        weight.grad = torch.randn(weight.shape)
    average([weight.grad for weight in weights.values() if weight.grad is not None])
    descent.step(0.01)
torch.save(weights, Path(sys.argv[1]) / f"{rank}.pt")

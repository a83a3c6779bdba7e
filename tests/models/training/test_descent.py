"""How the denoiser goes downhill, alone and shared by two processes."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from models.training.descent import Descent

STEPS = 200


def weights_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.data.clone() for name, weight in network.named_parameters()}


def test_a_matrix_is_turned_whatever_its_gradients_size() -> None:
    """The same direction a thousand times as strong makes the same step: that is what orthogonalising does."""
    found = []
    for strength in (1.0, 1000.0):
        weights = {"inner.weight": torch.zeros(6, 4), "inner.bias": torch.zeros(6)}
        skewed = torch.randn(6, 4, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 0.3, 0.2, 0.1])
        weights["inner.weight"].grad = strength * skewed
        Descent(weights, 0.01, outermost=()).step(0.01)
        found.append(weights["inner.weight"].clone())
    assert torch.allclose(found[0], found[1], atol=2e-4), "but for bfloat16"
    before, after = torch.linalg.svdvals(skewed), torch.linalg.svdvals(found[0])
    assert float(before.max() / before.min()) > 6.0
    assert float(after.max() / after.min()) < 3.0, "all directions are learnt about as fast"


def test_it_finds_what_a_linear_map_is() -> None:
    chance = torch.Generator().manual_seed(2)
    wanted, weights = torch.randn(5, 8, generator=chance), {"w": torch.zeros(5, 8), "b": torch.zeros(5)}
    descent = Descent(weights, 0.1, outermost=())
    for step in range(STEPS):
        seen = torch.randn(32, 8, generator=chance)
        error = seen @ weights["w"].T + weights["b"] - seen @ wanted.T
        weights["w"].grad, weights["b"].grad = error.T @ seen / 32, error.mean(dim=0)
        descent.step(0.1 * (1.0 - step / STEPS))
    assert float((weights["w"] - wanted).abs().max()) < 0.1


def test_a_kept_descent_goes_on() -> None:
    weights = weights_of(torch.nn.Linear(4, 4))
    for weight in weights.values():
        weight.grad = torch.ones_like(weight)
    first, second = Descent(weights, 0.01, outermost=()), Descent(weights, 0.01, outermost=())
    first.step(0.01)
    second.load_state_dict(first.state_dict())
    second.step(0.01)
    assert int(second.state_dict()["adam"]["state"][0]["step"]) == 2


def test_two_processes_end_with_the_same_weights(tmp_path: Path) -> None:
    script = Path(__file__).parent / "shared_steps.py"
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    subprocess.run([sys.executable, *launcher, str(script), str(tmp_path)], check=True, timeout=120)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(float(weight.abs().max()) > 0.0 for weight in first.values())

"""A course of training: its clock, its checkpoints, where it runs. Every part of the model is trained on one.

A part has a budget of minutes in all and may be given fewer in one call; the next call goes on from the state on
disk. So a machine that is lent for ten minutes at a time trains a part of any length.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, cast

import torch
from rich import print as show
from torch import nn

from models.training.parallel import agreed, joined

KEEP_S: Final = 120.0
SAY_S: Final = 10.0


class Kept(Protocol):
    """What can be written to disk and read back: networks, optimizers, averages."""

    def state_dict(self) -> dict[str, object]: ...

    def load_state_dict(self, state: dict[str, object], /) -> object: ...


def device_of(name: str) -> torch.device:
    """The device to train on: `auto` is a CUDA card if there is one, else the processor."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return torch.device(name)


def narrow_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies it, else float32: emulated, it is a hundred times slower."""
    if device.type == "cuda":
        return torch.bfloat16
    has_bfloat16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
    return torch.bfloat16 if has_bfloat16 else torch.float32


def narrow(device: torch.device) -> torch.autocast:
    """Compute in the narrow dtype inside; a wide one switches it off."""
    dtype = narrow_dtype(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)


def rate_at(done: float, warm_up: float = 0.02) -> float:
    """Learning rate as a share of its peak after a share of the time: warm-up, then a cosine to 2 %."""
    if done < warm_up:
        return max(0.02, done / warm_up)
    return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, (done - warm_up) / (1.0 - warm_up))))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def seeded(network: nn.Module, seed: int) -> None:
    """Draw all weights of a fresh network anew from a seed: uniform within one over the root of their inputs."""
    generator = torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        if weight.ndim >= 2:
            bound = weight[0].numel() ** -0.5
            weight.data.uniform_(-bound, bound, generator=generator)


def arguments(doc: str | None, *, minutes: float, seed: int = 1) -> argparse.ArgumentParser:
    """The options all parts share; each adds the folders it reads."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--minutes", type=float, default=minutes, help="of training, all calls together")
    parser.add_argument("--call-minutes", type=float, default=math.inf, help="of training in this call at most")
    parser.add_argument("--batch", type=int, default=0, help="pictures a step; 0 chooses for the device")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser


class Course:
    """Yields the share of the budget that is spent, once a step, until the budget or this call's time is over.

    `steps` counts all steps of all calls; `rank` is this process' number under torchrun; only rank 0 writes.
    """

    def __init__(self, args: argparse.Namespace, parts: Mapping[str, Kept]) -> None:
        self.rank = joined()
        self.steps, self.spent = 0, 0.0
        self._parts, self._path = parts, args.out / "state.pt"
        self._budget, self._call = args.minutes * 60.0, args.call_minutes * 60.0
        self._before, self._said, self._kept = 0.0, 0.0, 0.0
        args.out.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._resume()

    @property
    def is_over(self) -> bool:
        """Whether the whole budget is spent."""
        return bool(self.spent >= self._budget)

    def __iter__(self) -> Iterator[float]:
        start = time.monotonic()
        while not self.is_over and self.spent - self._before < self._call:
            yield min(1.0, self.spent / self._budget)
            self.steps += 1
            self.spent = self._before + agreed(time.monotonic() - start)
            if self.spent - self._kept > KEEP_S:
                self.keep()
        self._before = self.spent
        self.keep()

    def say(self, loss: torch.Tensor, more: str = "") -> None:
        """Print a line now and then; the loss curve is drawn from these."""
        if self.rank == 0 and (self.spent - self._said > SAY_S or self.steps == 0):
            self._said = self.spent
            pace = self.steps / max(self.spent, 1e-9)
            line = f"{self.spent:6.0f} s  step {self.steps}  loss {loss.item():.4f}  {pace:.2f} steps/s  {more}"
            show(line)
            with (self._path.parent / "steps.log").open("a") as log:
                log.write(line + "\n")

    def chance(self, seed: int, device: torch.device) -> torch.Generator:
        """Chance for this call and process: another one after each resumption."""
        return torch.Generator(device).manual_seed(1_000_003 * seed + 7919 * self.rank + self.steps)

    def keep(self) -> None:
        """Write the state; it is replaced in one move."""
        self._kept = self.spent
        if self.rank != 0:
            return
        state = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save({**state, "spent": self.spent, "steps": self.steps}, self._path.with_suffix(".tmp"))
        self._path.with_suffix(".tmp").replace(self._path)

    def _resume(self) -> None:
        state = torch.load(self._path, map_location="cpu", weights_only=True)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self.spent = self._before = self._kept = self._said = state["spent"]
        self.steps = state["steps"]


class Average:
    """A running average of weights, in float32."""

    def __init__(self, weights: Sequence[torch.Tensor], decay: float) -> None:
        self._weights, self._decay, self._steps = list(weights), decay, 0
        self.mean = [weight.detach().float().clone() for weight in self._weights]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights of now; early on the average forgets faster."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self.mean, [weight.float() for weight in self._weights], 1.0 - decay)

    def state_dict(self) -> dict[str, object]:
        """The average and its age."""
        return {"mean": self.mean, "steps": self._steps}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from a kept average."""
        for mine, kept in zip(self.mean, cast("list[torch.Tensor]", state["mean"]), strict=True):
            mine.copy_(kept)
        self._steps = cast("int", state["steps"])

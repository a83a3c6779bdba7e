"""What the finished latents will be like, judged from one prediction on the way there."""

import math
from collections.abc import Mapping
from enum import StrEnum

import torch

TIMES = 1000  # a flow's timestep 1000 is pure noise
LEAST_SIGNAL = 1e-3


class Prediction(StrEnum):
    """What a network answers with, under diffusers' names."""

    EPSILON = "epsilon"
    V_PREDICTION = "v_prediction"
    SAMPLE = "sample"
    FLOW = "flow_prediction"


def prediction_of(config: Mapping[str, object], *, is_flow: bool) -> Prediction:
    """What the model's schedule says; a schedule that says nothing is of noise, as in diffusers."""
    return Prediction.FLOW if is_flow else Prediction(str(config.get("prediction_type", Prediction.EPSILON)))


class Estimating:
    """Follows one picture: what the network last saw of it, and what it answered."""

    def __init__(self, config: Mapping[str, object], *, alphas: torch.Tensor | None) -> None:
        """`config` is the model's schedule, `alphas` are its cumulative ones, None for flows."""
        self._config = config
        self._alphas = alphas
        self._seen: tuple[torch.Tensor, float] | None = None
        self._answered: tuple[torch.Tensor, float, torch.Tensor] | None = None

    def see(self, latents: torch.Tensor, timestep: torch.Tensor) -> None:
        """(1, channels, height, width), as the network sees them."""
        self._seen = latents, float(timestep)

    def hear(self, prediction: torch.Tensor) -> None:
        """(1, channels, height, width), guidance included."""
        if self._seen is not None:
            self._answered = *self._seen, prediction.float()

    def clean(self) -> torch.Tensor | None:
        """What the finished latents will be like; None before the first answer."""
        if self._answered is None:
            return None
        seen, timestep, prediction = self._answered
        kind = prediction_of(self._config, is_flow=self._alphas is None)
        return clean_latents(seen, prediction, kind, timestep=timestep, alphas=self._alphas)


def clean_latents(
    seen: torch.Tensor, answered: torch.Tensor, kind: Prediction, *, timestep: float, alphas: torch.Tensor | None
) -> torch.Tensor:
    """Take the noise out at once.

    Args:
        seen: latents as the network saw them, after the sampler's own scaling: that makes all samplers alike,
            sqrt(alpha) of picture and sqrt(1 - alpha) of noise; of a flow, 1 - t / 1000 and t / 1000.
        answered: the prediction, guidance included, of the same shape.
        timestep: where they were seen, 0 to 1000; samplers stop between whole ones, too.
        alphas: the cumulative alphas of the model's schedule; None for flows.

    Source: Salimans and Ho 2022, arXiv:2202.00512, section 4 and appendix D; for flows Esser et al.
    2024, arXiv:2403.03206, equation 1.
    """
    if kind is Prediction.SAMPLE:
        return answered
    if kind is Prediction.FLOW or alphas is None:
        return seen - timestep / TIMES * answered
    alpha = _between(alphas, timestep)
    signal, noise = math.sqrt(alpha), math.sqrt(1 - alpha)
    if kind is Prediction.V_PREDICTION:
        return signal * seen - noise * answered
    return (seen - noise * answered) / max(signal, LEAST_SIGNAL)


def _between(alphas: torch.Tensor, timestep: float) -> float:
    """The alpha at a timestep, on a straight line between the whole ones beside it."""
    place = min(max(timestep, 0.0), len(alphas) - 1.0)
    below = int(place)
    above = min(below + 1, len(alphas) - 1)
    return float(alphas[below] + (place - below) * (alphas[above] - alphas[below]))

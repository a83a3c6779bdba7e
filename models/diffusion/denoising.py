"""One picture on its way from noise to a finished latent, a step at a time, so that pictures can share a step."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.diffusion.families.conditioning import Conditioning
from models.diffusion.noise import generator_of, starting_latents
from models.diffusion.samplers import BUILDS, new_schedule
from models.errors import PaintingBroken
from models.spec import GenerationSpec

# Lin et al. 2023, arXiv:2305.08891, section 3.4: keeps guided pictures of zero-SNR models from overexposure.
ZERO_SNR_RESCALE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What one picture brings to the network's next pass: (rows, channels, height, width) and (rows,)."""

    latents: torch.Tensor
    timesteps: torch.Tensor


class Denoising:
    """Steps alternate: `rows` for the network, its prediction to `advance`, until `is_finished`.

    `passes` is how often the network is asked; heun asks nearly twice a step. Latents are kept in float32.
    """

    def __init__(
        self,
        spec: GenerationSpec,
        conditioning: Conditioning,
        *,
        shape: tuple[int, int, int],
        scheduler_config: Mapping[str, object],
        device: torch.device,
    ) -> None:
        self.conditioning = conditioning
        self.passes_done = 0
        self._spec = spec
        self._generator = generator_of(spec.seed)
        self._schedule = new_schedule(spec.sampler, scheduler_config)
        self._schedule.set_timesteps(spec.num_inference_steps, device=device)
        self._rescale = guidance_rescale(scheduler_config)
        self._step_extras = {"generator": self._generator} if BUILDS[spec.sampler].draws_noise else {}
        noise = starting_latents(shape, self._generator).to(device)
        self._latents = noise * self._schedule.init_noise_sigma

    @property
    def passes(self) -> int:
        return len(self._schedule.timesteps)

    @property
    def timesteps(self) -> tuple[float, ...]:
        """The schedule, one entry a pass."""
        return tuple(float(timestep) for timestep in self._schedule.timesteps)

    @property
    def is_finished(self) -> bool:
        return self.passes_done == self.passes

    def rows(self) -> Rows:
        """The same latent for every row of the conditioning."""
        timestep = self._schedule.timesteps[self.passes_done]
        count = self.conditioning.rows
        scaled = self._schedule.scale_model_input(torch.cat([self._latents] * count), timestep)
        return Rows(latents=scaled, timesteps=timestep.expand(count))

    def advance(self, prediction: torch.Tensor) -> None:
        """Take one step with the network's (rows, channels, height, width)."""
        timestep = self._schedule.timesteps[self.passes_done]
        if self.conditioning.rows == 2:
            prediction = guided(prediction, scale=self._spec.guidance_scale, rescale=self._rescale)
        self._latents = self._schedule.step(
            prediction.float(), timestep, self._latents, **self._step_extras, return_dict=False
        )[0]
        self.passes_done += 1

    def latents(self) -> torch.Tensor:
        """What was reached.

        Raises:
            PaintingBroken: the network or the sampler produced something that is no number.
        """
        if not bool(torch.isfinite(self._latents).all()):
            raise PaintingBroken("The model produced values that are not numbers (NaN or infinity).")
        return self._latents


def guided(prediction: torch.Tensor, *, scale: float, rescale: float) -> torch.Tensor:
    """Classifier-free guidance over two rows, the negative one first. Source: Ho and Salimans 2022, arXiv:2207.12598."""
    negative, positive = prediction.chunk(2)
    mixed = negative + scale * (positive - negative)
    if not rescale:
        return mixed
    axes = (1, 2, 3)
    levelled = mixed * (positive.std(dim=axes, keepdim=True) / mixed.std(dim=axes, keepdim=True))
    return rescale * levelled + (1 - rescale) * mixed


def guidance_rescale(scheduler_config: Mapping[str, object]) -> float:
    """How much of the guided prediction's contrast is taken back: what the model's schedule says, else by its kind."""
    named = scheduler_config.get("guidance_rescale")
    if isinstance(named, int | float):
        return float(named)
    is_zero_snr = bool(scheduler_config.get("rescale_betas_zero_snr"))
    return ZERO_SNR_RESCALE if is_zero_snr and scheduler_config.get("prediction_type") == "v_prediction" else 0.0

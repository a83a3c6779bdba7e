"""One picture on its way from noise to a finished latent, a step at a time, so that pictures can
share a step."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.diffusion.schedule.estimating import Estimating
from models.diffusion.schedule.flow import FlowTiming, flow_schedule
from models.diffusion.schedule.samplers import BUILDS, Schedule, new_schedule
from models.diffusion.steps.canvas import Canvas, Kept
from models.diffusion.texts.conditioning import Conditioning
from models.errors import PaintingBroken
from models.spec import GenerationSpec, steps_walked

# Lin et al. 2023, arXiv:2305.08891, section 3.4: keeps guided pictures of zero-SNR models from
# overexposure.
ZERO_SNR_RESCALE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What one picture brings to the network's next pass: (rows, channels, height, width) and
    (rows,).

    For an inpainting network the channels are latents, mask and masked picture.
    """

    latents: torch.Tensor
    timesteps: torch.Tensor


class Denoising:
    """Steps alternate: `rows` for the network, its prediction to `advance`, until `is_finished`.

    `passes` is how often the network is asked; heun asks nearly twice a step, and a painting that
    starts from a picture walks only the last part of the schedule. Latents are kept in float32.
    """

    def __init__(
        self,
        spec: GenerationSpec,
        conditioning: Conditioning,
        *,
        canvas: Canvas,
        scheduler_config: Mapping[str, object],
        device: torch.device,
        flow: FlowTiming | None = None,
    ) -> None:
        self.conditioning = conditioning
        self.canvas = canvas
        self.passes_done = 0
        self._spec = spec
        self._is_flow = flow is not None
        self._schedule = _schedule(spec, scheduler_config, canvas=canvas, flow=flow)
        self._timesteps = self._walked()
        self._device_timesteps = self._timesteps.to(device)
        self._rescale = guidance_rescale(scheduler_config)
        self._step_extras = {"generator": canvas.generator} if BUILDS[spec.sampler].draws_noise else {}
        self._latents = self._initial_latents()
        alphas = None if self._is_flow else self._schedule.alphas_cumprod
        self._estimating = Estimating(scheduler_config, alphas=alphas)

    @property
    def passes(self) -> int:
        return len(self._timesteps)

    @property
    def timesteps(self) -> tuple[float, ...]:
        """The schedule that is walked, one entry a pass."""
        return tuple(map(float, self._timesteps.tolist()))

    @property
    def is_finished(self) -> bool:
        return self.passes_done == self.passes

    def rows(self) -> Rows:
        """The same latent for every row of the conditioning."""
        timestep = self._timesteps[self.passes_done]
        count = self.conditioning.rows
        latents = torch.cat([self._latents] * count)
        scaled = latents if self._is_flow else self._schedule.scale_model_input(latents, timestep)
        self._estimating.see(scaled[:1], timestep)
        if self.canvas.beside:
            beside = [channels.expand(count, -1, -1, -1) for channels in self.canvas.beside]
            scaled = torch.cat([scaled, *beside], dim=1)
        return Rows(latents=scaled, timesteps=self._device_timesteps[self.passes_done].expand(count))

    def advance(self, prediction: torch.Tensor) -> None:
        """Take one step with the network's (rows, channels, height, width); guidance too is counted
        in float32."""
        # A copy also of what is float32 already: it is kept, and may lie where the next pass
        # writes.
        timestep, prediction = self._timesteps[self.passes_done], prediction.to(torch.float32, copy=True)
        if self.conditioning.rows == 2:
            prediction = guided(prediction, scale=self._spec.guidance_scale, rescale=self._rescale)
        self._estimating.hear(prediction)
        self._latents = self._schedule.step(
            prediction, timestep, self._latents, **self._step_extras, return_dict=False
        )[0]
        self.passes_done += 1
        if self.canvas.kept is not None:
            self._latents = self._put_back(self.canvas.kept)

    def latents(self) -> torch.Tensor:
        """What was reached.

        Raises:
            PaintingBroken: the network or the sampler produced something that is no number.
        """
        if not bool(torch.isfinite(self._latents).all()):
            raise PaintingBroken("The model produced values that are not numbers (NaN or infinity).")
        return self._latents

    def estimate(self) -> torch.Tensor | None:
        """What the finished latents will be like, judged from the last prediction; None before the
        first."""
        clean, kept = self._estimating.clean(), self.canvas.kept
        return clean if clean is None or kept is None else (1 - kept.mask) * kept.latents + kept.mask * clean

    def _walked(self) -> torch.Tensor:
        """The schedule's last part, as long as the strength says; its counters are set to where
        that begins.

        A schedule that looks its place up by the timestep takes the second of two equal ones, as
        many steps have.
        """
        first, strength = 0, self.canvas.strength
        if strength is not None:
            steps = self._spec.num_inference_steps
            first = (steps - steps_walked(steps, strength)) * self._schedule.order
        if hasattr(self._schedule, "set_begin_index"):
            self._schedule.set_begin_index(first)
        return self._schedule.timesteps[first:]

    def _initial_latents(self) -> torch.Tensor:
        noise, picture = self.canvas.noise, self.canvas.picture
        if picture is None:
            return noise if self._is_flow else noise * self._schedule.init_noise_sigma
        return self._schedule.add_noise(picture, noise, self._timesteps[:1]).contiguous()

    def _put_back(self, kept: Kept) -> torch.Tensor:
        """Outside the mask the picture, as noisy as the next step expects it, after the last step
        without noise."""
        outside = kept.latents
        if not self.is_finished:
            next_timestep = self._timesteps[self.passes_done : self.passes_done + 1]
            outside = self._schedule.add_noise(outside, self.canvas.noise, next_timestep)
        return ((1 - kept.mask) * outside + kept.mask * self._latents).contiguous()


def _schedule(
    spec: GenerationSpec,
    config: Mapping[str, object],
    *,
    canvas: Canvas,
    flow: FlowTiming | None,
) -> Schedule:
    """The sampler with its timesteps set, on the CPU: looking one up on a GPU would make us wait
    for it at each step."""
    if flow is not None:
        height, width = canvas.noise.shape[-2:]
        return flow_schedule(spec.sampler, config, flow, steps=spec.num_inference_steps, sides=(height, width))
    schedule = new_schedule(spec.sampler, config, steps=spec.num_inference_steps)
    schedule.set_timesteps(spec.num_inference_steps, device=torch.device("cpu"))
    return schedule


def guided(prediction: torch.Tensor, *, scale: float, rescale: float) -> torch.Tensor:
    """Classifier-free guidance over two rows, the negative one first. Source: Ho and Salimans 2022,
    arXiv:2207.12598."""
    negative, positive = prediction.chunk(2)
    mixed = negative + scale * (positive - negative)
    if not rescale:
        return mixed
    axes = (1, 2, 3)
    levelled = mixed * (positive.std(dim=axes, keepdim=True) / mixed.std(dim=axes, keepdim=True))
    return rescale * levelled + (1 - rescale) * mixed


def guidance_rescale(scheduler_config: Mapping[str, object]) -> float:
    """How much of the guided prediction's contrast is taken back: what the model's schedule says,
    else by its kind."""
    named = scheduler_config.get("guidance_rescale")
    if isinstance(named, int | float):
        return float(named)
    is_zero_snr = bool(scheduler_config.get("rescale_betas_zero_snr"))
    return ZERO_SNR_RESCALE if is_zero_snr and scheduler_config.get("prediction_type") == "v_prediction" else 0.0

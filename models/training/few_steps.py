"""Teach the finished denoiser to paint in four to eight steps, as a small adapter.

    python -m models.training.few_steps --model models/starter --latents DIR --out DIR --minutes 1.3

Latent consistency distillation (arXiv:2310.04378) as a LoRA (arXiv:2311.05556): the adapter learns to give from any
point of the guided sampler's path the same end as from the point before it. Paint with it by LCMScheduler, 4 to 8
steps and guidance 1: guidance is baked in. The adapter is `DIR/few-steps.safetensors`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel

from models.training.adapters import Adapter, with_adapter, write_adapter
from models.training.course import Course, arguments, device_of, narrow, rate_at, set_rate
from models.training.denoiser import Latents, noised, sampler_config
from models.training.sayings import spelled

BATCHES: Final = {"cuda": 128, "cpu": 4}
PEAK_RATE: Final = 5e-4
RANK: Final = 16
GUIDANCE: Final = 5.0
SOLVER_STEPS: Final = 50
SPREAD: Final = 0.5
SCALING: Final = 10.0
"""Of LCMScheduler: spread of the signal, and how fast the end takes over from the input near step 0."""


class Path50:
    """The sampler's path in SOLVER_STEPS points, and the formulas of its points."""

    def __init__(self, device: torch.device) -> None:
        self.cumulative = sampler_config().alphas_cumprod.to(device)
        stride = len(self.cumulative) // SOLVER_STEPS
        self.points = torch.arange(1, SOLVER_STEPS + 1, device=device) * stride - 1
        self.stride = stride

    def parts(self, steps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Amplitudes of signal and noise, (count, 1, 1, 1) each."""
        power = self.cumulative[steps][:, None, None, None]
        return power.sqrt(), (1.0 - power).sqrt()

    def end(self, noisy: torch.Tensor, velocity: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """The clean latents that a velocity at these steps points to, with the boundary condition at step 0."""
        signal, spread = self.parts(steps)
        scaled = steps.float()[:, None, None, None] * SCALING
        skip = SPREAD**2 / (scaled**2 + SPREAD**2)
        out = scaled / (scaled**2 + SPREAD**2).sqrt()
        return skip * noisy + out * (signal * noisy - spread * velocity)

    def before(
        self, noisy: torch.Tensor, velocity: torch.Tensor, steps: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One DDIM step back along the path: the latents there and the steps they are at."""
        signal, spread = self.parts(steps)
        clean, noise = signal * noisy - spread * velocity, signal * velocity + spread * noisy
        earlier = (steps - self.stride).clamp_min(0)
        signal, spread = self.parts(earlier)
        return signal * clean + spread * noise, earlier


def distillation_loss(
    network: UNet2DConditionModel,
    path: Path50,
    latents: torch.Tensor,
    states: tuple[torch.Tensor, torch.Tensor],
    chance: torch.Generator,
) -> torch.Tensor:
    """The pseudo-Huber distance between the ends seen from a point and from the point before it.

    `states` are those of the captions and of the empty caption.
    """
    drawn = torch.randint(SOLVER_STEPS, (len(latents),), generator=chance, device=latents.device)
    steps = path.points[drawn]
    noisy, _, _ = noised(latents, steps, path.cumulative, chance)
    told, empty = states
    with torch.no_grad():
        network.disable_adapters()
        guided, free = (network(noisy, steps, said).sample.float() for said in (told, empty))
        earlier, earlier_steps = path.before(noisy, free + GUIDANCE * (guided - free), steps)
        network.enable_adapters()
        wanted = path.end(earlier, network(earlier, earlier_steps, told).sample.float(), earlier_steps)
    found = path.end(noisy, network(noisy, steps, told).sample.float(), steps)
    tolerance = 1e-3
    return (((found - wanted).square() + tolerance**2).sqrt() - tolerance).mean()


@torch.no_grad()
def _states(encoder: CLIPTextModel, ids: torch.Tensor, empty: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    told = encoder(ids).last_hidden_state
    return told, encoder(empty.expand(len(ids), -1)).last_hidden_state


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the adapter lies in `args.out` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    pipeline = StableDiffusionPipeline.from_pretrained(args.model, use_safetensors=True, local_files_only=True).to(
        device
    )
    network = pipeline.unet.train()
    weights = with_adapter(network, RANK, args.seed)
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, weight_decay=0.0)
    course = Course(args, {"adapter": Adapter(network), "optimizer": optimizer})
    chance = course.chance(args.seed, device)
    latents, path = Latents(args.latents, pipeline.tokenizer, chance), Path50(device)
    empty = torch.from_numpy(spelled(pipeline.tokenizer, [""])).to(device).long()
    for done in course:
        set_rate(optimizer, PEAK_RATE * rate_at(done))
        clean, ids, _ = latents.batch(args.batch or BATCHES[device.type])
        with narrow(device):
            loss = distillation_loss(network, path, clean, _states(pipeline.text_encoder, ids, empty), chance)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        course.say(loss)
    write_adapter(network, args.out / "few-steps.safetensors")
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=1.3)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--latents", type=Path, required=True)
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

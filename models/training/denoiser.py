"""Train the denoiser on cached latents.

    python -m models.training.denoiser --latents DIR --text DIR --out DIR --seed 1 --minutes 11
    python -m models.training.denoiser --init models/starter --latents DIR --text DIR --out DIR --rate 4e-4

UNet2DConditionModel, v-prediction (arXiv:2202.00512), zero terminal SNR (arXiv:2305.08891), min-SNR weights
(arXiv:2303.09556) in the form that keeps the last timestep, 10 % of captions dropped, an average of the weights
kept. Places of subjects count more (`focus.py`), and a channel counts as it varies. The text encoder stays as it was
warmed up. The network computes in bfloat16 where the device can, with float32 masters. All latents lie in the device's memory (200,000 are 1.6 GB).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from rich import print as show
from transformers import CLIPTextModel, CLIPTokenizer

from models.training.autoencoder import LATENT_CHANNELS
from models.training.course import Average, Course, arguments, device_of, narrow_dtype, rate_at, seeded
from models.training.descent import Descent
from models.training.latents import channels_of, scale_of
from models.training.outer_levels import surrounded
from models.training.parallel import average, share
from models.training.sayings import spelled
from models.training.text_encoder import WIDTH
from models.training.world.captions import negative

CHANNELS: Final = (128, 192)
BATCHES: Final = {"cuda": 512, "cpu": 16}
PEAK_RATES: Final = {"cuda": 1.5e-3, "cpu": 1.0e-3}
DROP_OUT: Final = 0.10
MIN_SNR: Final = 5.0
LATE: Final = 0.65
"""Below 1, more steps of much noise are learnt from: there a picture of many positions decides what it shows."""
SUBJECT_WEIGHT: Final = 3.0
"""What an error counts where a subject is, against one elsewhere."""


def sampler_config() -> DDIMScheduler:
    """The noise schedule of training; the same configuration is exported."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=0,
    )


def new_denoiser() -> UNet2DConditionModel:
    """An untrained network: two levels with attention, one layer a block."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=CHANNELS,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * len(CHANNELS),
        up_block_types=("CrossAttnUpBlock2D",) * len(CHANNELS),
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=32,
    )


def first_weights(model: Path | None, channels: int, seed: int) -> UNet2DConditionModel:
    """The denoiser of a model that is carried on, inside a fresh level for finer latents, or a fresh one."""
    if model:
        known = UNet2DConditionModel.from_pretrained(model / "unet", dtype=torch.float32)
        return known if known.config.in_channels == channels else surrounded(known, channels, seed)
    network = new_denoiser()
    seeded(network, seed)
    return network


def learner(model: Path | None, latents: Path, seed: int, device: torch.device) -> UNet2DConditionModel:
    """The network of `first_weights` as the device trains it best."""
    return ready_to_learn(first_weights(model, channels_of(latents), seed), device)


def ready_to_learn(network: UNet2DConditionModel, device: torch.device) -> UNet2DConditionModel:
    """The network as the device trains it best."""
    network = network.to(device, narrow_dtype(device)).to(memory_format=torch.channels_last).train()
    if device.type == "cpu":
        network.set_attn_processor(AttnProcessor())
    return network


def reader(model: Path, device: torch.device) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """Tokenizer and text encoder of a folder that holds both; neither is trained."""
    encoder = CLIPTextModel.from_pretrained(model / "text_encoder").eval().to(device, narrow_dtype(device))
    return CLIPTokenizer.from_pretrained(model / "tokenizer"), encoder


class Latents:
    """Scaled latents with tokenised captions in the device's memory, grouped by shape.

    A share `simple` of the batches is of the commonest shape, square, and shows one thing or none.
    """

    def __init__(self, folder: Path, tokenizer: CLIPTokenizer, chance: torch.Generator, simple: float = 0.0) -> None:
        self._chance, self.scale, device = chance, scale_of(folder), chance.device
        found: dict[tuple[int, ...], list[tuple[torch.Tensor, ...]]] = {}
        for path in sorted(folder.glob("*.ids.npy")):
            named = [path.name.replace(".ids", kind) for kind in ("", ".ids", ".focus", ".things")]
            parts = tuple(torch.from_numpy(np.load(folder / name)) for name in named)
            found.setdefault(tuple(parts[0].shape[2:]), []).append(parts)
        self._groups = [
            tuple(torch.cat(rows).to(device) for rows in zip(*lots, strict=True)) for lots in found.values()
        ]
        sample = self._groups[0][0][:2000].float() * self.scale
        self._spreads = sample.std(dim=(0, 2, 3))[None, :, None, None]
        self._odds = torch.tensor([float(len(group[0])) for group in self._groups])
        self._simple, largest = simple, int(self._odds.argmax())
        self._largest = (largest, torch.nonzero(self._groups[largest][3] < 2).flatten())
        self._turn = torch.Generator().manual_seed(chance.initial_seed())
        self._empty = torch.from_numpy(spelled(tokenizer, [""])).to(device)
        rng = np.random.default_rng(chance.initial_seed())
        faults = [negative(rng) for _ in range(500)]
        self._faults = torch.from_numpy(spelled(tokenizer, faults)).to(device)

    def __len__(self) -> int:
        return sum(len(group[0]) for group in self._groups)

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(count, channels, h, w) float32 latents of one shape, (count, MAX_TOKENS) token ids, some of them empty, and
        (count, channels, h, w) float32: what an error counts there."""
        if torch.rand((), generator=self._turn) < self._simple:
            group, few = self._largest
            rows = few[self._drawn(len(few), count)]
        else:
            group = int(torch.multinomial(self._odds, 1, generator=self._turn))
            rows = self._drawn(len(self._groups[group][0]), count)
        latents, ids, focus, _ = self._groups[group]
        said = ids[rows, self._drawn(ids.shape[1], count)].long()
        chance = torch.rand(count, 1, generator=self._chance, device=latents.device)
        fault = self._faults[self._drawn(len(self._faults), count)].long()
        said = torch.where(chance < DROP_OUT, fault, said)
        said = torch.where(chance < 0.7 * DROP_OUT, self._empty.long(), said)
        places = 1.0 + (SUBJECT_WEIGHT - 1.0) * focus[rows][:, None].float()
        return latents[rows].float() * self.scale, said, places * self._spreads

    def _drawn(self, below: int, count: int) -> torch.Tensor:
        return torch.randint(below, (count,), generator=self._chance, device=self._chance.device)


class Masters:
    """float32 masters, and their running average, behind a network of a narrow dtype."""

    def __init__(self, network: UNet2DConditionModel, rate: float, decay: float) -> None:
        self.network = network
        self._weights = list(network.parameters())
        share(self._weights)
        named = {
            name: weight.detach().to(torch.float32, memory_format=torch.contiguous_format, copy=True)
            for name, weight in network.named_parameters()
        }
        self._live = list(named.values())
        self.mean = Average(self._live, decay)
        self._descent = Descent(named, rate, outermost=("conv_in", "conv_out"))

    @torch.no_grad()
    def update(self, rate: float) -> torch.Tensor:
        """One optimizer step from the network's gradients; returns their norm."""
        average([weight.grad for weight in self._weights if weight.grad is not None])
        for live, weight in zip(self._live, self._weights, strict=True):
            live.grad = None if weight.grad is None else weight.grad.float().contiguous()
            weight.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self._live, 1.0)
        self._descent.step(rate)
        self.mean.update()
        torch._foreach_copy_(self._weights, self._live)
        return norm

    def state_dict(self) -> dict[str, object]:
        """Everything needed to go on."""
        return {"live": self._live, "mean": self.mean.state_dict(), "descent": self._descent.state_dict()}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from a kept state."""
        with torch.no_grad():
            for mine, kept in zip(self._live, cast("list[torch.Tensor]", state["live"]), strict=True):
                mine.copy_(kept)
            torch._foreach_copy_(self._weights, self._live)
        self.mean.load_state_dict(cast("dict[str, object]", state["mean"]))
        self._descent.load_state_dict(cast("dict[str, object]", state["descent"]))

    def save_mean(self, out: Path) -> None:
        """Write the averaged weights as a diffusers folder in bfloat16."""
        averaged = UNet2DConditionModel.from_config(self.network.config).to(torch.bfloat16)
        for weight, mean in zip(averaged.parameters(), self.mean.mean, strict=True):
            weight.data.copy_(mean)
        averaged.save_pretrained(out, max_shard_size="15MB")


def noised(
    latents: torch.Tensor, steps: torch.Tensor, cumulative: torch.Tensor, chance: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents after `steps` of noise, the velocity to be predicted there, and the signal's share of the power."""
    power = cumulative[steps][:, None, None, None]
    noise = torch.randn(latents.shape, generator=chance, device=latents.device)
    signal, spread = power.sqrt(), (1.0 - power).sqrt()
    return signal * latents + spread * noise, signal * noise - spread * latents, power[:, 0, 0, 0]


def step_loss(
    network: UNet2DConditionModel,
    states: torch.Tensor,
    latents: torch.Tensor,
    cumulative: torch.Tensor,
    chance: torch.Generator,
    counts: torch.Tensor | None = None,
) -> torch.Tensor:
    """The weighted v-prediction error of one batch; timesteps are spread over it, more of them where shapes are decided.

    `counts`, of the latents' shape, says what an error counts; without it, all count the same.
    """
    count = len(latents)
    within = torch.rand(count, generator=chance, device=latents.device)
    shares = (torch.arange(count, device=latents.device) + within) / count
    steps = (shares**LATE * len(cumulative)).long().clamp(0, len(cumulative) - 1)
    noisy, wanted, power = noised(latents, steps, cumulative, chance)
    noisy = noisy.to(states.dtype).contiguous(memory_format=torch.channels_last)
    predicted = network(noisy, steps, states).sample.float()
    ratio = power / (1.0 - power).clamp_min(1e-6)
    weight = (ratio.clamp(max=MIN_SNR) + 1.0) / (ratio + 1.0)
    errors: torch.Tensor = (predicted - wanted).square()
    if counts is not None:
        errors = errors * (counts / counts.mean())
    loss: torch.Tensor = (errors.mean(dim=(1, 2, 3)) * weight).mean()
    return loss


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the averaged network lies in `args.out/unet` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    tokenizer, encoder = reader(args.text, device)
    network = learner(args.init, args.latents, args.seed, device)
    rate = args.rate or PEAK_RATES[device.type]
    masters = Masters(network, rate, decay=0.9995 if device.type == "cuda" else 0.998)
    course = Course(args, {"masters": masters})
    chance = course.chance(args.seed, device)
    latents = Latents(args.latents, tokenizer, chance, simple=args.simple)
    show(f"{len(latents)} latents, {sum(w.numel() for w in network.parameters()) / 1e6:.2f} M weights")
    cumulative, batch = sampler_config().alphas_cumprod.to(device), args.batch or BATCHES[device.type]
    for done in course:
        clean, ids, counts = latents.batch(batch)
        with torch.no_grad():
            states = encoder(ids).last_hidden_state
        loss = step_loss(network, states, clean, cumulative, chance, counts)
        loss.backward()  # type: ignore[no-untyped-call]
        masters.update(rate * rate_at(done))
        course.say(loss, f"{course.steps * batch / max(course.spent, 1e-9):.0f} pictures/s")
    if course.rank == 0:
        masters.save_mean(args.out / "unet")
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=11.0)
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--init", type=Path, help="a model folder to carry on from; without it the weights are fresh")
    parser.add_argument(
        "--simple", type=float, default=0.0, help="share of batches of single things in square pictures"
    )
    parser.add_argument("--rate", type=float, default=0.0, help="peak learning rate; 0 chooses for the device")
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

r"""Train the denoiser on cached latents.

    torchrun --standalone --nproc-per-node 2 -m models.training.denoiser \
        --latents DIR --text DIR --out DIR --seed 1 --minutes 75

UNet2DConditionModel, v-prediction (arXiv:2202.00512), zero terminal SNR (arXiv:2305.08891), min-SNR weights
(arXiv:2303.09556) in the form that keeps the last timestep, 10 % of captions dropped, an average of the weights
kept. The text encoder stays as it was warmed up. Weights are bfloat16 with float32 masters.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final, TypedDict

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from rich import print as show
from transformers import CLIPTextModel, CLIPTokenizer

from models.training.autoencoder import LATENT_CHANNELS, rate_at
from models.training.latents import scale_of
from models.training.parallel import agreed, average, joined, share
from models.training.rendering import read_scenes
from models.training.text_encoder import WIDTH
from models.training.tokens import MAX_TOKENS
from models.training.world.captions import captioned, negative

CHANNELS: Final = (96, 192)
PROCESSES: Final = 2
BATCH: Final = 16
"""Pictures a step in each of the PROCESSES that torchrun starts."""
PEAK_RATE: Final = 1.2e-3
DROP_OUT: Final = 0.10
MIN_SNR: Final = 5.0
WORDINGS: Final = 4
SQUARE_SHARE: Final = 0.88
"""Batches of square pictures; the others are wide or tall."""
PAIR_SHARE: Final = 0.25
"""Of the scenes with two things, how many are learnt from: one thing has to be learnt first."""
RELOAD: Final = 150
"""Steps between two looks for new latents on disk."""


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


class LatentShards:
    """Latents in memory with a few tokenised captions each, grouped by shape."""

    def __init__(self, folder: Path, tokenizer: CLIPTokenizer, scale: float, rng: np.random.Generator) -> None:
        self._folder, self._tokenizer, self._scale, self._rng = folder, tokenizer, scale, rng
        self._shards: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._empty = self._tokens([""])[0]
        self.reload()

    def reload(self) -> None:
        """Take in shards that came to disk since the last look."""
        for path in sorted(self._folder.glob("*.json")):
            if path.stem not in self._shards:
                scenes = read_scenes(path)
                kept = [k for k, scene in enumerate(scenes) if len(scene.things) < 2 or self._rng.random() < PAIR_SHARE]
                scenes = [scenes[k] for k in kept]
                texts = [captioned(scene, self._rng).text for scene in scenes for _ in range(WORDINGS)]
                ids = self._tokens(texts).reshape(len(scenes), WORDINGS, MAX_TOKENS)
                self._shards[path.stem] = (np.load(path.with_suffix(".npy"))[kept], ids)
        self._faults = self._tokens([negative(self._rng) for _ in range(200)])

    def __len__(self) -> int:
        return sum(len(latents) for latents, _ in self._shards.values())

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, channels, h, w) float32 latents of one shape and (count, MAX_TOKENS) token ids."""
        wants_square = self._rng.random() < SQUARE_SHARE
        fitting = [name for name, (rows, _) in self._shards.items() if (rows.shape[2] == rows.shape[3]) == wants_square]
        names = fitting or list(self._shards)
        shape = self._shards[names[int(self._rng.integers(len(names)))]][0].shape[1:]
        mates = [name for name in names if self._shards[name][0].shape[1:] == shape]
        picked = [self._one(mates[int(self._rng.integers(len(mates)))]) for _ in range(count)]
        latents = torch.from_numpy(np.stack([latent for latent, _ in picked])).float() * self._scale
        return latents, torch.from_numpy(np.stack([ids for _, ids in picked]))

    def _one(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        latents, ids = self._shards[name]
        row, chance = int(self._rng.integers(len(latents))), self._rng.random()
        if chance < 0.7 * DROP_OUT:
            return latents[row], self._empty
        if chance < DROP_OUT:
            return latents[row], self._faults[int(self._rng.integers(len(self._faults)))]
        return latents[row], ids[row, int(self._rng.integers(WORDINGS))]

    def _tokens(self, texts: list[str]) -> np.ndarray:
        rows = self._tokenizer(texts, padding="max_length", max_length=MAX_TOKENS, truncation=True).input_ids
        return np.asarray(rows, dtype=np.int64)


class Kept(TypedDict):
    """What goes to disk, and from there on."""

    live: list[torch.Tensor]
    mean: list[torch.Tensor]
    optimizer: dict[str, object]
    steps: int


class Masters:
    """float32 masters and their running average behind a bfloat16 network."""

    def __init__(self, network: UNet2DConditionModel, decay: float) -> None:
        self.network, self.decay, self.steps = network, decay, 0
        share(list(network.parameters()))
        self.live = [weight.detach().float().clone() for weight in network.parameters()]
        self.mean = [weight.clone() for weight in self.live]
        self.optimizer = torch.optim.AdamW(self.live, lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)

    def update(self, rate: float) -> float:
        """One optimizer step from the network's gradients; returns their norm."""
        average([weight.grad for weight in self.network.parameters()])
        for live, weight in zip(self.live, self.network.parameters(), strict=True):
            live.grad = weight.grad.float()
            weight.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self.live, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.mean, self.live, 1.0 - decay)
        for live, weight in zip(self.live, self.network.parameters(), strict=True):
            weight.data.copy_(live)
        return float(norm)

    def state(self) -> Kept:
        """Everything needed to go on."""
        return {"live": self.live, "mean": self.mean, "optimizer": self.optimizer.state_dict(), "steps": self.steps}

    def restore(self, state: Kept) -> None:
        """Go on from a kept state."""
        for mine, theirs in ((self.live, state["live"]), (self.mean, state["mean"])):
            for weight, kept in zip(mine, theirs, strict=True):
                weight.copy_(kept)
        self.optimizer.load_state_dict(state["optimizer"])
        for group in self.optimizer.param_groups:
            group["foreach"], group["fused"] = False, True
        self.steps = state["steps"]
        for live, weight in zip(self.live, self.network.parameters(), strict=True):
            weight.data.copy_(live)

    def save_mean(self, out: Path) -> None:
        """Write the averaged weights as a diffusers folder in bfloat16."""
        averaged = UNet2DConditionModel.from_config(self.network.config).to(torch.bfloat16)
        for weight, mean in zip(averaged.parameters(), self.mean, strict=True):
            weight.data.copy_(mean)
        averaged.save_pretrained(out, max_shard_size="15MB")


def step_loss(
    network: UNet2DConditionModel,
    states: torch.Tensor,
    latents: torch.Tensor,
    noise_plan: DDIMScheduler,
    generator: torch.Generator,
) -> torch.Tensor:
    """The weighted v-prediction error of one batch."""
    count = len(latents)
    steps = ((torch.arange(count) + torch.rand(count, generator=generator)) * 1000 / count).long().clamp(0, 999)
    noise = torch.randn(latents.shape, generator=generator)
    signal = noise_plan.alphas_cumprod[steps].sqrt()[:, None, None, None]
    spread = (1.0 - noise_plan.alphas_cumprod[steps]).sqrt()[:, None, None, None]
    noisy, wanted = signal * latents + spread * noise, signal * noise - spread * latents
    noisy = noisy.bfloat16().to(memory_format=torch.channels_last)
    predicted = network(noisy, steps, states).sample.float()
    ratio = (signal / spread.clamp_min(1e-6)).square()[:, 0, 0, 0]
    weight = (ratio.clamp(max=MIN_SNR) + 1.0) / (ratio + 1.0)
    errors: torch.Tensor = (predicted - wanted).square().mean(dim=(1, 2, 3))
    loss: torch.Tensor = (errors * weight).mean()
    return loss


def train(masters: Masters, shards: LatentShards, encoder: CLIPTextModel, args: argparse.Namespace, rank: int) -> None:
    """Train until the minutes are over, resuming from `args.out/state.pt`; checkpoints as it goes."""
    generator = torch.Generator().manual_seed(1000 * args.seed + rank)
    state_path, spent_before = args.out / "state.pt", 0.0
    if state_path.exists():
        state = torch.load(state_path, weights_only=False)
        masters.restore(state)
        spent_before = state["spent"]
        generator.manual_seed(1000 * args.seed + rank + 10 * masters.steps)
    plan, start, kept_at, losses = sampler_config(), time.monotonic(), 0.0, []
    while (spent := agreed(time.monotonic() - start)) < args.minutes * 60:
        done = (spent_before + spent) / (spent_before + args.minutes * 60)
        latents, ids = shards.batch(BATCH)
        with torch.no_grad():
            states = encoder(ids).last_hidden_state
        loss = step_loss(masters.network, states, latents, plan, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = masters.update(args.rate * rate_at(done))
        losses.append(loss.item())
        if rank == 0 and masters.steps % 50 == 0:
            pace = len(losses) * BATCH * PROCESSES / (time.monotonic() - start)
            show(
                f"{spent_before + spent:6.0f} s  step {masters.steps}  loss {np.mean(losses[-50:]):.4f}  norm {norm:.2f}  {pace:.1f} pictures/s"
            )
        if masters.steps % RELOAD == 0:
            shards.reload()
        if spent - kept_at > args.keep_s:
            kept_at = spent
            if rank == 0:
                keep(masters, spent_before + spent, args.out)
    if rank == 0:
        keep(masters, spent_before + spent, args.out)


def keep(masters: Masters, spent: float, out: Path) -> None:
    """Write the averaged network and the state to go on from; the state is replaced in one move."""
    out.mkdir(parents=True, exist_ok=True)
    masters.save_mean(out / "unet")
    torch.save({**masters.state(), "spent": spent}, out / "state.tmp")
    (out / "state.tmp").replace(out / "state.pt")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=PEAK_RATE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=75.0)
    parser.add_argument("--keep-s", type=float, default=240.0)
    args = parser.parse_args()
    rank = joined()
    tokenizer = CLIPTokenizer.from_pretrained(args.text / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(args.text / "text_encoder").eval().to(torch.bfloat16)
    network = new_denoiser().to(torch.bfloat16).to(memory_format=torch.channels_last)
    network.set_attn_processor(AttnProcessor())
    shards = LatentShards(args.latents, tokenizer, scale_of(args.latents), np.random.default_rng((args.seed, 3, rank)))
    show(f"{len(shards)} latents, {sum(w.numel() for w in network.parameters()) / 1e6:.2f} M weights")
    train(Masters(network, decay=0.998), shards, encoder, args, rank)


if __name__ == "__main__":
    main()

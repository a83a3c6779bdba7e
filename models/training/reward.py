"""Teach the denoiser to show what was asked, by critics that look at what it paints.

    python -m models.training.reward --init models/starter --latents DIR --critics DIR/critic.safetensors ... --out DIR

Learning from drawn pictures weighs every pixel; whether the thing asked for can be told is a small part of that. Here the denoiser
paints from noise in a few guided steps and stops at one of chance; critics read the clean latents it foresees there, and
what they misread is the loss (arXiv:2304.05977, arXiv:2309.17400). Each step learns a batch of drawn latents, too, so that
pictures stay pictures of the world. The judge that measures the model is none of these critics.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional

from models.training.course import Course, arguments, device_of, narrow, rate_at
from models.training.critic import disturbed, opened
from models.training.denoiser import Latents, Masters, learner, reader, sampler_config, step_loss
from models.training.judge import JUDGED, Judge
from models.training.sayings import Sayings, fresh_sayings, spelled
from models.training.world.captions import FIELDS, UNSAID

BATCH: Final = 8
CAPTIONS: Final = 12_000
POINTS: Final = 6
"""Steps from noise to picture; the critics look after 1 to POINTS - 1 of them."""
GUIDANCE: Final = 3.0
SIMPLE: Final = 0.75
"""Share of the drawn batches that show single things in square pictures; the others keep pairs and all shapes in mind."""
SMOOTHING: Final = 0.1
"""Critics ask for no more certainty than this leaves, lest the denoiser learn to shout."""
PEAK_RATE: Final = 2.2e-4


class Captions:
    """Fresh captions in the device's memory, and what each says; -1 is what it leaves unsaid."""

    def __init__(self, sayings: Sayings, device: torch.device) -> None:
        self._tokens = torch.from_numpy(sayings.tokens).to(device)
        self._said = {name: _said(sayings, name).to(device) for name in JUDGED}

    def batch(self, count: int, chance: torch.Generator) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(count, MAX_TOKENS) token ids and (count,) values for each field."""
        rows = torch.randint(len(self._tokens), (count,), generator=chance, device=self._tokens.device)
        return self._tokens[rows].long(), {name: values[rows] for name, values in self._said.items()}


def _said(sayings: Sayings, name: str) -> torch.Tensor:
    values = torch.from_numpy(sayings.said[name]).long()
    return values.masked_fill(values == FIELDS[name].index(UNSAID), -1) if UNSAID in FIELDS[name] else values


class Painter:
    """Paints part of the way with guidance; `empty` are the (1, tokens, width) states of no prompt."""

    def __init__(self, network: UNet2DConditionModel, empty: torch.Tensor) -> None:
        self._network, self._empty = network, empty
        self._powers = sampler_config().alphas_cumprod.to(empty.device)

    def foreseen(self, states: torch.Tensor, steps: int, chance: torch.Generator) -> torch.Tensor:
        """(count, channels, side, side) clean latents as foreseen after so many steps; the last prediction has gradients."""
        config = self._network.config
        shape = (len(states), config.in_channels, config.sample_size, config.sample_size)
        now = torch.randn(shape, generator=chance, device=states.device)
        for done in range(steps):
            clean, noise = self._parts(now, done, self._guided(now, done, states))
            after = self._powers[_time(done + 1)]
            now = after.sqrt() * clean + (1.0 - after).sqrt() * noise
        return self._parts(now, steps, self._guided(now, steps, states, learns=True))[0]

    def finished(self, now: torch.Tensor, states: torch.Tensor, done: int) -> torch.Tensor:
        """The picture that noisy latents become which have `done` steps behind them."""
        clean = now
        for step in range(done, POINTS):
            clean, noise = self._parts(now, step, self._guided(now, step, states))
            after = self._powers[_time(step + 1)] if step + 1 < POINTS else clean.new_tensor(1.0)
            now = after.sqrt() * clean + (1.0 - after).sqrt() * noise
        return clean

    def _parts(self, now: torch.Tensor, done: int, velocity: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        power = self._powers[_time(done)]
        signal, spread = power.sqrt(), (1.0 - power).sqrt()
        return signal * now - spread * velocity, signal * velocity + spread * now

    def _guided(self, now: torch.Tensor, done: int, states: torch.Tensor, *, learns: bool = False) -> torch.Tensor:
        with torch.no_grad():
            both = torch.cat([self._empty.expand(len(states), -1, -1), states])
            plain, said = self._velocity(torch.cat([now, now]), done, both).chunk(2)
        if learns:
            said = self._velocity(now, done, states)
        return plain + GUIDANCE * (said - plain)

    def _velocity(self, now: torch.Tensor, done: int, states: torch.Tensor) -> torch.Tensor:
        given = now.to(states.dtype).contiguous(memory_format=torch.channels_last)
        times = torch.full((len(now),), _time(done), device=now.device)
        velocity: torch.Tensor = self._network(given, times, states).sample.float()
        return velocity


def _time(done: int) -> int:
    """The timestep after so many of POINTS steps, from the last one down."""
    return round(1000 * (1.0 - done / POINTS)) - 1


def misread(critic: Judge, latents: torch.Tensor, said: dict[str, torch.Tensor]) -> torch.Tensor:
    """The critic's error against what was said, the mean of its fields."""
    scores = critic(latents)
    losses = [
        functional.cross_entropy(scores[name].float(), said[name], ignore_index=-1, label_smoothing=SMOOTHING)
        for name in JUDGED
        if bool((said[name] >= 0).any())
    ]
    return torch.stack(losses).mean()


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the averaged network lies in `args.out/unet` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    tokenizer, encoder = reader(args.init, device)
    network = learner(args.init, args.latents, args.seed, device)
    masters = Masters(network, args.rate, decay=0.99)
    course = Course(args, {"masters": masters})
    chance = course.chance(args.seed, device)
    latents = Latents(args.latents, tokenizer, chance, simple=SIMPLE)
    captions = Captions(fresh_sayings(args.init / "tokenizer", args.captions, args.seed, 1), device)
    critics = [opened(path, network.config.sample_size, device) for path in args.critics]
    powers, batch = sampler_config().alphas_cumprod.to(device), args.batch or BATCH
    with torch.no_grad():
        empty = encoder(torch.from_numpy(spelled(tokenizer, [""])).long().to(device)).last_hidden_state
    painter, turn = Painter(network, empty), torch.Generator().manual_seed(args.seed + course.steps)
    for done in course:
        clean, ids, counts = latents.batch(batch)
        asked, said = captions.batch(batch, chance)
        with torch.no_grad():
            states, wished = (encoder(tokens).last_hidden_state for tokens in (ids, asked))
        drawn = step_loss(network, states, clean, powers, chance, counts)
        drawn.backward()  # type: ignore[no-untyped-call]
        foreseen = painter.foreseen(wished, int(torch.randint(1, POINTS, (), generator=turn)), chance)
        with narrow(device):
            errors = torch.stack([misread(critic, disturbed(foreseen, chance), said) for critic in critics]).mean()
        (args.weight * errors).backward()
        masters.update(args.rate * rate_at(done))
        course.say(errors, f"drawn {drawn.item():.4f}")
    if course.rank == 0:
        masters.save_mean(args.out / "unet")
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=4.0)
    parser.add_argument("--init", type=Path, required=True, help="the model to teach")
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--critics", type=Path, nargs="+", required=True)
    parser.add_argument("--captions", type=int, default=CAPTIONS)
    parser.add_argument(
        "--weight", type=float, default=0.02, help="of the critics' error beside the drawn latents' one"
    )
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="peak learning rate")
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

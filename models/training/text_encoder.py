"""Warm up the text encoder: read out of a caption what it says about the scene.

    python -m models.training.text_encoder --out DIR --seed 1 --minutes 2

A small CLIPTextModel is trained to tell every field of world.captions.FIELDS from its states at the end token
and at a random place of the padding. The denoiser then meets states in which the meaning is already plain. DIR holds
`tokenizer/` and `text_encoder/` afterwards.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from rich import print as show
from torch import nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from models.training.course import Course, arguments, device_of, narrow, rate_at, seeded, set_rate
from models.training.sayings import Sayings, fresh_sayings
from models.training.tokens import MAX_TOKENS, new_tokenizer
from models.training.world.captions import FIELDS

WIDTH: Final = 256
BATCHES: Final = {"cuda": 512, "cpu": 96}
SAYINGS: Final = {"cuda": 400_000, "cpu": 40_000}
CHECKS: Final = {"cuda": 4_000, "cpu": 400}
PEAK_RATE: Final = 1e-3


def new_text_encoder(tokenizer: CLIPTokenizer, generator: torch.Generator) -> CLIPTextModel:
    """An untrained text model of 4 layers for this vocabulary."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS,
        hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = CLIPTextModel(config)
    for weight in model.parameters():
        if weight.ndim == 2:
            weight.data.normal_(0.0, 0.03, generator=generator)
    return model


class Reading(nn.Module):
    """One linear head per field over a text state."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(WIDTH, len(values)) for name, values in FIELDS.items()})

    def forward(self, states: torch.Tensor) -> dict[str, torch.Tensor]:
        """(batch, WIDTH) states to (batch, values) scores for each field."""
        return {name: head(states) for name, head in self.heads.items()}


def reading_scores(
    encoder: CLIPTextModel, reading: Reading, ids: torch.Tensor, chance: torch.Generator
) -> list[dict[str, torch.Tensor]]:
    """Scores read at the end token and at one random place of the padding behind it."""
    ends = (ids == encoder.config.eos_token_id).int().argmax(dim=1)
    with narrow(ids.device):
        states = encoder(ids).last_hidden_state
        later = (
            (ends + torch.rand(ends.shape, generator=chance, device=ids.device) * (MAX_TOKENS - ends))
            .long()
            .clamp(max=MAX_TOKENS - 1)
        )
        rows = torch.arange(len(ids), device=ids.device)
        return [reading(states[rows, place]) for place in (ends, later)]


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    folder = args.out / "tokenizer"
    if not folder.exists():
        new_tokenizer(np.random.default_rng((args.seed, 1)), args.captions).save_pretrained(folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    encoder = new_text_encoder(tokenizer, torch.Generator().manual_seed(args.seed)).to(device).train()
    reading = Reading()
    seeded(reading, args.seed)
    reading = reading.to(device)
    weights = [*encoder.parameters(), *reading.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    course = Course(args, {"encoder": encoder, "reading": reading, "optimizer": optimizer})
    sayings = fresh_sayings(folder, args.sayings or SAYINGS[device.type], args.seed + course.steps, args.processes)
    tokens, said = _on_device(sayings, device)
    batch, chance = args.batch or BATCHES[device.type], course.chance(args.seed, device)
    for done in course:
        set_rate(optimizer, PEAK_RATE * rate_at(done, warm_up=0.08))
        rows = torch.randint(len(tokens), (batch,), generator=chance, device=device)
        answers = reading_scores(encoder, reading, tokens[rows].long(), chance)
        losses = [
            functional.cross_entropy(s[name].float(), said[name][rows].long()) for s in answers for name in FIELDS
        ]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        course.say(loss)
    encoder.save_pretrained(args.out / "text_encoder")
    _check(encoder.eval(), reading, fresh_sayings(folder, CHECKS[device.type], 10**6, 1), args)
    return course.is_over


def _on_device(sayings: Sayings, device: torch.device) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    said = {name: torch.from_numpy(values).to(device) for name, values in sayings.said.items()}
    return torch.from_numpy(sayings.tokens).to(device), said


@torch.no_grad()
def _check(encoder: CLIPTextModel, reading: Reading, unseen: Sayings, args: argparse.Namespace) -> None:
    """Write and print how often each field is read rightly out of captions that were never trained on."""
    device = next(encoder.parameters()).device
    tokens, said = _on_device(unseen, device)
    chance = torch.Generator(device).manual_seed(0)
    answers = [reading_scores(encoder, reading, rows.long(), chance)[0] for rows in torch.split(tokens, 200)]
    right = {
        name: float((torch.cat([a[name] for a in answers]).argmax(1) == said[name]).float().mean()) for name in FIELDS
    }
    (args.out / "reading.json").write_text(json.dumps(right, indent=1))
    show("read rightly out of unseen captions: " + "  ".join(f"{name} {share:.3f}" for name, share in right.items()))


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=2.0)
    parser.add_argument("--sayings", type=int, default=0, help="captions to learn from; 0 chooses for the device")
    parser.add_argument("--captions", type=int, default=12_000, help="captions the vocabulary is learnt from")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

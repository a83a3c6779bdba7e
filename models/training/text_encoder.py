"""Warm up the text encoder: read out of a caption what it says about the scene.

    python -m models.training.text_encoder --out DIR --seed 1 --minutes 2
    python -m models.training.text_encoder --init models/starter --out DIR --rate 3e-4

A small CLIPTextModel is trained to tell every field of world.captions.FIELDS from its states at the end token
and at a random place of the padding. The denoiser then meets states in which the meaning is already plain. DIR holds
`tokenizer/` and `text_encoder/` afterwards. A model that is carried on keeps its tokens, gets one for each word
that is new, and keeps its states of captions without such words, for its denoiser knows those.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from rich import print as show
from torch import nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from models.training.course import Course, arguments, device_of, narrow, rate_at, seeded, set_rate
from models.training.sayings import Sayings, fresh_sayings
from models.training.tokens import MAX_TOKENS, extended, new_tokenizer
from models.training.world.captions import FIELDS, known_words

WIDTH: Final = 256
BATCHES: Final = {"cuda": 512, "cpu": 96}
SAYINGS: Final = {"cuda": 400_000, "cpu": 40_000}
CHECKS: Final = {"cuda": 4_000, "cpu": 400}
PEAK_RATE: Final = 1e-3
KEPT_STATES: Final = 10.0
"""What a squared unit of difference from the states of the model that is carried on costs."""


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


def first_encoder(model: Path | None, tokenizer: CLIPTokenizer, seed: int) -> CLIPTextModel:
    """The text encoder of a model that is carried on, or a fresh one."""
    if model:
        encoder = CLIPTextModel.from_pretrained(model / "text_encoder", dtype=torch.float32)
        return _widened(encoder, CLIPTokenizer.from_pretrained(model / "tokenizer"), tokenizer)
    return new_text_encoder(tokenizer, torch.Generator().manual_seed(seed))


def _widened(encoder: CLIPTextModel, before: CLIPTokenizer, after: CLIPTokenizer) -> CLIPTextModel:
    """Rows for new tokens, each the mean of the pieces it was spelled in."""
    encoder.resize_token_embeddings(len(after), mean_resizing=False)
    table = encoder.get_input_embeddings().weight.data
    for token in range(len(before), len(after)):
        pieces = before(after.decode([token]), add_special_tokens=False).input_ids
        table[token] = table[pieces].mean(dim=0)
    return encoder


def trimmed(ids: torch.Tensor, end: int) -> torch.Tensor:
    """Without most of the padding that all rows share; a state never depends on what comes after it."""
    longest = int((ids == end).int().argmax(dim=1).max())
    return ids[:, : longest + 9]


class Memory:
    """How the encoder that is carried on read the captions whose words it knew as whole tokens."""

    def __init__(self, model: Path, device: torch.device) -> None:
        encoder = CLIPTextModel.from_pretrained(model / "text_encoder", dtype=torch.float32)
        self._encoder = encoder.eval().requires_grad_(False).to(device)
        self._tokens = encoder.config.vocab_size

    def distance(self, encoder: CLIPTextModel, ids: torch.Tensor) -> torch.Tensor:
        """Mean squared difference of the states of captions of known words; 0 where there are none."""
        known = ids[(ids < self._tokens).all(dim=1)]
        if not len(known):
            return torch.zeros((), device=ids.device)
        with narrow(ids.device):
            now, then = (one(known).last_hidden_state.float() for one in (encoder, self._encoder))
        return functional.mse_loss(now, then)


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
            (ends + torch.rand(ends.shape, generator=chance, device=ids.device) * (ids.shape[1] - ends))
            .long()
            .clamp(max=ids.shape[1] - 1)
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
    if args.init and not folder.exists():
        before = CLIPTokenizer.from_pretrained(args.init / "tokenizer")
        extended(before, [word for word in known_words() if word.isalpha()]).save_pretrained(folder)
    elif not folder.exists():
        new_tokenizer(np.random.default_rng((args.seed, 1)), args.captions).save_pretrained(folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    encoder = first_encoder(args.init, tokenizer, args.seed).to(device).train()
    memory = Memory(args.init, encoder.device) if args.init else None
    reading = Reading()
    seeded(reading, args.seed)
    reading = reading.to(device)
    weights = [*encoder.parameters(), *reading.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01)
    course = Course(args, {"encoder": encoder, "reading": reading, "optimizer": optimizer})
    sayings = fresh_sayings(folder, args.sayings or SAYINGS[device.type], args.seed + course.steps, args.processes)
    tokens, said = _on_device(sayings, device)
    batch, chance = args.batch or BATCHES[device.type], course.chance(args.seed, device)
    for done in course:
        set_rate(optimizer, args.rate * rate_at(done, warm_up=0.08))
        rows = torch.randint(len(tokens), (batch,), generator=chance, device=device)
        ids = trimmed(tokens[rows].long(), encoder.config.eos_token_id) if memory else tokens[rows].long()
        answers = reading_scores(encoder, reading, ids, chance)
        losses = [
            functional.cross_entropy(s[name].float(), said[name][rows].long()) for s in answers for name in FIELDS
        ]
        loss = torch.stack(losses).sum()
        if memory:
            loss = loss + KEPT_STATES * memory.distance(encoder, ids)
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
    parser.add_argument("--init", type=Path, help="a model folder to carry on from; without it the weights are fresh")
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="peak learning rate")
    parser.add_argument("--sayings", type=int, default=0, help="captions to learn from; 0 chooses for the device")
    parser.add_argument("--captions", type=int, default=12_000, help="captions the vocabulary is learnt from")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

"""Warm up the text encoder: read out of a caption what it says about the scene.

    python -m models.training.text_encoder --out DIR --seed 1 --minutes 4

A small CLIPTextModel is trained to tell every field of world.captions.FIELDS from its states at the end token
and at a random place of the padding. The denoiser then meets states in which the meaning is already plain.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

import numpy as np
import torch
from rich import print as show
from torch import nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from models.training.autoencoder import rate_at
from models.training.tokens import MAX_TOKENS, new_tokenizer
from models.training.world.captions import FIELDS, Caption, captioned
from models.training.world.scene import drawn_scene

WIDTH: Final = 256
BATCH: Final = 96
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


def caption_batch(
    tokenizer: CLIPTokenizer, count: int, rng: np.random.Generator
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Fresh captions: (count, MAX_TOKENS) token ids and, for each field, (count,) value indices."""
    captions = [captioned(drawn_scene(rng), rng) for _ in range(count)]
    texts = [caption.text for caption in captions]
    ids = tokenizer(texts, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt").input_ids
    return ids, said_indices(captions)


def said_indices(captions: list[Caption]) -> dict[str, torch.Tensor]:
    """What the captions say, as indices into FIELDS."""
    return {
        name: torch.tensor([values.index(caption.said[name]) for caption in captions])
        for name, values in FIELDS.items()
    }


def reading_scores(
    encoder: CLIPTextModel, reading: Reading, ids: torch.Tensor, eos: int, generator: torch.Generator
) -> list[dict[str, torch.Tensor]]:
    """Scores read at the end token and at one random place of the padding behind it."""
    ends = (ids == eos).int().argmax(dim=1)
    length = min(MAX_TOKENS, int(ends.max()) + 8)
    with torch.autocast("cpu", torch.bfloat16):
        states = encoder(ids[:, :length]).last_hidden_state
        share = torch.rand(ends.shape, generator=generator)
        later = (ends + share * (length - ends)).long().clamp(max=length - 1)
        rows = torch.arange(len(ids))
        return [reading(states[rows, place]) for place in (ends, later)]


def train(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, minutes: float, seed: int) -> Reading:
    """Train encoder and heads until the minutes are over."""
    generator, rng, reading = torch.Generator().manual_seed(seed), np.random.default_rng((seed, 2)), Reading()
    weights = [*encoder.parameters(), *reading.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    start, step, shown_at = time.monotonic(), 0, 0.0
    while (spent := time.monotonic() - start) < minutes * 60:
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate_at(spent / (minutes * 60), warm_up=0.08)
        ids, wanted = caption_batch(tokenizer, BATCH, rng)
        answers = reading_scores(encoder, reading, ids, tokenizer.eos_token_id, generator)
        loss = torch.stack(
            [functional.cross_entropy(scores[name].float(), wanted[name]) for scores in answers for name in FIELDS]
        ).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        step += 1
        if spent - shown_at > 15:
            right = {name: float((answers[0][name].argmax(1) == wanted[name]).float().mean()) for name in FIELDS}
            show(
                f"{spent:5.0f} s  step {step}  loss {loss.item():.3f}  "
                + "  ".join(f"{k} {v:.2f}" for k, v in right.items())
            )
            shown_at = spent
    return reading


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=4.0)
    args = parser.parse_args()
    torch.set_num_threads(2)
    if (args.out / "text_encoder").exists():
        tokenizer = CLIPTokenizer.from_pretrained(args.out / "tokenizer")
        encoder = CLIPTextModel.from_pretrained(args.out / "text_encoder")
    else:
        tokenizer = new_tokenizer(np.random.default_rng((args.seed, 1)))
        encoder = new_text_encoder(tokenizer, torch.Generator().manual_seed(args.seed))
    train(tokenizer, encoder.train(), args.minutes, args.seed)
    tokenizer.save_pretrained(args.out / "tokenizer")
    encoder.save_pretrained(args.out / "text_encoder")


if __name__ == "__main__":
    main()

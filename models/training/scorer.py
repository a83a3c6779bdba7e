"""A scorer for the model in the box: a critic that taught nobody, and heads that read what a prompt says.

    python -m models.training.scorer --model models/starter --critic DIR/critic.safetensors --out models/starter/scorer

The engine asks it which of a few drafts to go on with (`models/scoring.py`). The critic must be one of its own: those
that taught the denoiser are pleased with what it paints. The heads read the state of a prompt's last token, padding
included; they also learn that a list of faults names no subject, and that "no cat" in a negative prompt names a cat.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import torch
from rich import print as show
from safetensors.torch import load_file, save
from torch import nn
from torch.nn import functional
from transformers import CLIPTextModel

from models.scoring import CONFIG, WEIGHTS, Scorer, ScorerForm
from models.training.course import rate_at, seeded, set_rate
from models.training.critic import new_critic
from models.training.denoiser import reader
from models.training.judge import JUDGED, LOCAL
from models.training.sayings import fresh_sayings, spelled
from models.training.tokens import MAX_TOKENS
from models.training.world.captions import ABSENT, FIELDS, UNSAID, negative
from models.training.world.scene import SUBJECTS
from models.training.world.wording import SUBJECT_WORDS

BATCH: Final = 256
PEAK_RATE: Final = 3e-3
CHECKS: Final = 1_000
FORBIDDING: Final = 0.2
"""Share of the texts that are negative prompts; of these, half name a subject."""


class Texts:
    """Captions and negative prompts as states (count, width), and what each says."""

    def __init__(self, model: Path, count: int, seed: int) -> None:
        tokenizer, encoder = reader(model, torch.device("cpu"))
        sayings = fresh_sayings(model / "tokenizer", count, seed, 1)
        rng = np.random.default_rng(seed)
        texts, named = zip(*(_forbidding(rng) for _ in range(round(FORBIDDING * count))), strict=True)
        self.states = _states(encoder, np.concatenate([sayings.tokens, spelled(tokenizer, list(texts))]))
        self.said = {
            name: torch.from_numpy(
                np.concatenate([sayings.said[name].astype(np.int64), [_said(name, kind) for kind in named]])
            )
            for name in JUDGED
        }

    def __len__(self) -> int:
        return len(self.states)


def _forbidding(rng: np.random.Generator) -> tuple[str, str]:
    """A negative prompt, and the subject that it names or ABSENT."""
    faults = negative(rng) if rng.random() < 0.7 else ""
    if rng.random() < 0.5:
        return faults, ABSENT
    kind = str(rng.choice(SUBJECTS))
    word = str(rng.choice(SUBJECT_WORDS[kind]))
    return ", ".join(part for part in (rng.choice(["", "a ", "no "]) + word, faults) if part), kind


def _said(name: str, kind: str) -> int:
    """What a negative prompt that names `kind` says in the field: nothing but that."""
    values = FIELDS[name]
    if name == "kind_0":
        return values.index(kind)
    return values.index(UNSAID if UNSAID in values else ABSENT if ABSENT in values else values[0])


@torch.no_grad()
def _states(encoder: CLIPTextModel, tokens: np.ndarray) -> torch.Tensor:
    lots = torch.split(torch.from_numpy(tokens).long(), 250)
    return torch.cat([encoder(ids).last_hidden_state[:, MAX_TOKENS - 1].float() for ids in lots])


def form_of(model: Path, channels: int, side: int) -> ScorerForm:
    """For this model's latents and prompts."""
    width = json.loads((model / "text_encoder" / "config.json").read_text())["hidden_size"]
    return ScorerForm(
        looker=new_critic(channels, side).form,
        side=side,
        width=width,
        place=MAX_TOKENS - 1,
        unsaid={name: FIELDS[name].index(UNSAID) for name in JUDGED if UNSAID in FIELDS[name]},
        subject=LOCAL["kind_at"],
    )


def taught(listeners: nn.ModuleDict, texts: Texts, steps: int, seed: int) -> None:
    """Teach the heads to read."""
    optimizer = torch.optim.AdamW(listeners.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    chance = torch.Generator().manual_seed(seed)
    for step in range(steps):
        set_rate(optimizer, PEAK_RATE * rate_at(step / steps))
        rows = torch.randint(len(texts), (BATCH,), generator=chance)
        states = texts.states[rows]
        losses = [functional.cross_entropy(listeners[name](states), texts.said[name][rows]) for name in JUDGED]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.no_grad()
def read_rightly(listeners: nn.ModuleDict, texts: Texts) -> dict[str, float]:
    """Share of right answers, by field."""
    return {
        name: float((listeners[name](texts.states).argmax(1) == texts.said[name]).float().mean()) for name in JUDGED
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--critic", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=32, help="of the square latents the critic was taught")
    parser.add_argument("--texts", type=int, default=40_000)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=61)
    args = parser.parse_args(argv)
    critic = load_file(args.critic)
    form = form_of(args.model, int(critic["near.0.weight"].shape[1]), args.side)
    scorer = Scorer(form)
    scorer.looker.load_state_dict(critic)
    seeded(scorer.listeners, args.seed)
    taught(scorer.listeners, Texts(args.model, args.texts, args.seed), args.steps, args.seed)
    show(read_rightly(scorer.listeners, Texts(args.model, min(CHECKS, args.texts), args.seed + 1)))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / CONFIG).write_bytes(msgspec.json.format(msgspec.json.encode(form), indent=2) + b"\n")
    weights = {name: weight.to(torch.bfloat16).contiguous() for name, weight in scorer.state_dict().items()}
    (args.out / WEIGHTS).write_bytes(save(weights))


if __name__ == "__main__":
    main()

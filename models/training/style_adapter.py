"""Teach the finished model a style it has never seen, as a small adapter.

    python -m models.training.style_adapter --style blueprint --model models/starter --out DIR --minutes 0.6

Renders scenes in that style, encodes them with the model's own autoencoder and trains a LoRA on its denoiser. Beside the
style itself the captions use only words the model knows, so that the adapter learns the look and nothing else. The adapter
is `DIR/STYLE.safetensors`.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor

from models.training.adapters import Adapter, with_adapter, write_adapter
from models.training.course import Course, arguments, device_of, narrow, narrow_dtype, rate_at, set_rate
from models.training.denoiser import DROP_OUT, sampler_config, step_loss
from models.training.gallery import vocabulary_of
from models.training.rendering import rendered
from models.training.samples import latents_of
from models.training.sayings import spelled
from models.training.world.captions import captioned, words_of
from models.training.world.scene import ADAPTER_STYLES, STYLES, Scene, drawn_scene
from models.training.world.settings import STYLE_FRAMES

BATCHES: Final = {"cuda": 128, "cpu": 8}
RENDERS: Final = {"cuda": 2_400, "cpu": 400}
PEAK_RATE: Final = 1e-3
RANK: Final = 8


def scenes_in(style: str, count: int, known: set[str], rng: np.random.Generator) -> tuple[list[Scene], list[str]]:
    """Fresh scenes in one style and their captions, which use only known words and those of the style."""
    sayable = known | {word for frame in STYLE_FRAMES[style] for word in words_of(frame)}
    scenes: list[Scene] = []
    texts: list[str] = []
    while len(scenes) < count:
        scene = replace(drawn_scene(rng), style=style)
        text = captioned(scene, rng).text
        if words_of(text.lower()) <= sayable:
            scenes.append(scene)
            texts.append(text)
    return scenes, texts


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the adapter lies in `args.out` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    pipeline = StableDiffusionPipeline.from_pretrained(
        args.model, use_safetensors=True, local_files_only=True, dtype=narrow_dtype(device)
    ).to(device)
    network, encoder = pipeline.unet.train().to(memory_format=torch.channels_last), pipeline.text_encoder
    if device.type == "cpu":
        network.set_attn_processor(AttnProcessor())
    weights = with_adapter(network, RANK, args.seed)
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, weight_decay=0.0)
    work = argparse.Namespace(**{**vars(args), "out": args.out / args.style})
    course = Course(work, {"adapter": Adapter(network), "optimizer": optimizer})
    rng, chance = np.random.default_rng((args.seed, course.steps)), course.chance(args.seed, device)
    scenes, texts = scenes_in(args.style, args.renders or RENDERS[device.type], vocabulary_of(args.model), rng)
    latents = latents_of(pipeline.vae, rendered(scenes, args.processes))
    texts = [text if rng.random() > DROP_OUT else "" for text in texts]
    ids = torch.from_numpy(spelled(pipeline.tokenizer, texts)).to(device)
    cumulative = sampler_config().alphas_cumprod.to(device)
    for done in course:
        set_rate(optimizer, PEAK_RATE * rate_at(done))
        rows = torch.randint(len(latents), (args.batch or BATCHES[device.type],), generator=chance, device=device)
        with narrow(device):
            with torch.no_grad():
                states = encoder(ids[rows].long()).last_hidden_state
            loss = step_loss(network, states, latents[rows], cumulative, chance)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        course.say(loss)
    write_adapter(network, args.out / f"{args.style}.safetensors")
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=0.6)
    parser.add_argument("--style", choices=(*ADAPTER_STYLES, *STYLES), required=True)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--renders", type=int, default=0, help="pictures to learn from; 0 chooses for the device")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

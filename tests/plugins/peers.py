"""Plain diffusers, one request at a time: `python -m plugins.peers MODEL THREADS`; a line of JSON in, one out."""

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from models.diffusion.device import choose_device
from models.diffusion.schedule.samplers import new_schedule
from models.request import Sampler

SIDE = 256


def opened(model: str, threads: int) -> Any:
    """In the numbers that the engine takes on this machine."""
    device = choose_device("cpu", threads=threads)
    pipeline = StableDiffusionPipeline.from_pretrained(
        model, safety_checker=None, requires_safety_checker=False, torch_dtype=device.dtype, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def painted(pipeline: Any, asked: Sequence[Mapping[str, Any]]) -> list[str]:
    """SHA-256 of the pixels of each. All of `asked` take the same sampler, steps and guidance scale."""
    first = asked[0]
    pipeline.scheduler = new_schedule(Sampler(first["sampler"]), pipeline.scheduler.config)
    images = pipeline(
        [one["prompt"] for one in asked],
        num_inference_steps=first["steps"],
        guidance_scale=first["guidance"],
        guidance_rescale=0.0,
        generator=[torch.Generator("cpu").manual_seed(one["seed"]) for one in asked],
        width=SIDE,
        height=SIDE,
    ).images
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def serve_lines(model: str, threads: int) -> None:
    pipeline = opened(model, threads)
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        began = time.perf_counter()
        digest = painted(pipeline, [json.loads(line)])[0]
        print(json.dumps({"pixels": digest, "ms": (time.perf_counter() - began) * 1000}), flush=True)  # noqa: T201


if __name__ == "__main__":
    serve_lines(sys.argv[1], int(sys.argv[2]))

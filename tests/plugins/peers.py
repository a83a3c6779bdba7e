"""Two other ways to serve the same pictures, each a program of its own, spoken to over its own door.

`python -m plugins.peers plain MODEL THREADS`: plain diffusers, one request at a time; a line of JSON in, one out.
`python -m plugins.peers litserve MODEL THREADS PORT`: LitServe's dynamic batching over the same pipeline.
"""

import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from models.diffusion.samplers import new_schedule
from models.spec import Sampler

SIDE = 256
BATCH = 8
BATCH_TIMEOUT_S = 0.1


def opened(model: str, threads: int) -> Any:
    torch.set_num_threads(threads)
    pipeline = StableDiffusionPipeline.from_pretrained(
        model, safety_checker=None, requires_safety_checker=False, torch_dtype=torch.float32, local_files_only=True
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
        guidance_rescale=0.7,
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


def serve_litserve(model: str, threads: int, port: int) -> None:
    """Whoever is in a batch with the same settings is painted together; other settings go one after the other."""
    import litserve

    class Peer(litserve.LitAPI):
        def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe calls it so
            self.pipeline = opened(model, threads)

        def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
            return request

        def predict(self, batch: list[dict[str, Any]]) -> list[str]:
            groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
            for place, one in enumerate(batch):
                groups[one["sampler"], one["steps"], one["guidance"]].append(place)
            digests: dict[int, str] = {}
            for places in groups.values():
                digests.update(zip(places, painted(self.pipeline, [batch[place] for place in places]), strict=True))
            return [digests[place] for place in range(len(batch))]

        def encode_response(self, output: str) -> dict[str, str]:
            return {"pixels": output}

    server = litserve.LitServer(
        Peer(max_batch_size=BATCH, batch_timeout=BATCH_TIMEOUT_S), accelerator="cpu", timeout=600
    )
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    kind, model, threads, *port = sys.argv[1:]
    if kind == "plain":
        serve_lines(model, int(threads))
    else:
        serve_litserve(model, int(threads), int(port[0]))

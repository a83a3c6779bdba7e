"""LitServe's dynamic batching over plain diffusers: `python -m plugins.litserve_peer MODEL THREADS PORT`."""

import sys
from collections import defaultdict
from typing import Any

import litserve
from plugins.peers import opened, painted

BATCH = 8
BATCH_TIMEOUT_S = 0.1


class Peer(litserve.LitAPI):
    """Whoever is in a batch with the same settings is painted together; other settings go one after the other."""

    def __init__(self, model: str, threads: int) -> None:
        super().__init__(max_batch_size=BATCH, batch_timeout=BATCH_TIMEOUT_S)
        self._model, self._threads = model, threads

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe calls it so
        self._pipeline = opened(self._model, self._threads)

    def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def predict(self, batch: list[dict[str, Any]]) -> list[str]:
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for place, one in enumerate(batch):
            groups[one["sampler"], one["steps"], one["guidance"]].append(place)
        digests: dict[int, str] = {}
        for places in groups.values():
            digests.update(zip(places, painted(self._pipeline, [batch[place] for place in places]), strict=True))
        return [digests[place] for place in range(len(batch))]

    def encode_response(self, output: str) -> dict[str, str]:
        return {"pixels": output}


if __name__ == "__main__":
    model, threads, port = sys.argv[1:]
    server = litserve.LitServer(Peer(model, int(threads)), accelerator="cpu", timeout=600)
    server.run(host="127.0.0.1", port=int(port), num_api_servers=1, generate_client_file=False, log_level="warning")

"""How long one 512 px `standard` picture of the starter takes, as a caller sees it."""

import statistics
import time

import pytest

PICTURES = 9


@pytest.mark.benchmark
def test_one_standard_picture(server):
    server.paint()  # load the model
    walls_ms, renders_ms = [], []
    for seed in range(PICTURES):
        began = time.perf_counter()
        body = server.paint(prompt="a red lighthouse by the sea at sunset", seed=seed, quality="standard").json()
        walls_ms.append((time.perf_counter() - began) * 1000)
        renders_ms.append(body["render_ms"])
        assert (body["width"], body["height"]) == (512, 512)
    wall_ms, render_ms = statistics.median(walls_ms), statistics.median(renders_ms)
    print(  # noqa: T201
        f"\none 512 px standard picture, median of {PICTURES}: {wall_ms:.0f} ms for the caller, {render_ms:.0f} ms in"
        f" the engine; shell and file are {(wall_ms - render_ms) / wall_ms:.0%} of it"
    )

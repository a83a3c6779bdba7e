"""The engine against plain diffusers, against the bare network, and against dynamic batching. Ratios of one run."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from plugins.figures import keep
from plugins.installation import free_port
from plugins.starter_specs import PROMPTS, starter_spec

from models import GenerationSpec, Sampler, load_catalogue
from models.process.engine import EngineProcess

pytestmark = [pytest.mark.benchmark, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "models" / "starter"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
THREADS = len(os.sched_getaffinity(0))
NEIGHBOURS = 16
ROUNDS = 3
STEPS = (8, 12, 16, 20)
SAMPLERS = (Sampler.DPMPP_2M, Sampler.EULER_A, Sampler.DDIM, Sampler.UNIPC)


def mixed(count: int) -> list[GenerationSpec]:
    """Other prompts, seeds, samplers and step counts."""
    return [
        starter_spec(prompt=PROMPTS[k % 4], seed=k, num_inference_steps=STEPS[k % 4], sampler=SAMPLERS[(k // 4) % 4])
        for k in range(count)
    ]


def asked(spec: GenerationSpec) -> dict[str, object]:
    """The same for a peer."""
    return {
        "prompt": spec.prompt,
        "seed": spec.seed,
        "steps": spec.num_inference_steps,
        "sampler": spec.sampler,
        "guidance": spec.guidance_scale,
    }


@dataclass(kw_only=True)
class Answer:
    """`at` and `ended` are seconds of the clock."""

    key: tuple[object, ...]
    pixels: str
    at: float
    ended: float


class PlainDiffusers:
    """The serial peer."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "plugins.peers", str(STARTER), str(THREADS)],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._said() == "ready\n"

    def paint(self, spec: GenerationSpec) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked(spec)) + "\n")
        self._process.stdin.flush()
        return json.loads(self._said())["pixels"]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()  # closes the pipes

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.fixture(scope="module")
def plain() -> Iterator[PlainDiffusers]:
    peer = PlainDiffusers()
    yield peer
    peer.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EngineProcess]:
    """Measured and warm."""
    engine = EngineProcess(
        load_catalogue(ROOT / "configs" / "models", root=ROOT),
        environment=ENVIRONMENT,
        threads=THREADS,
        slots=NEIGHBOURS,
        calibrations=tmp_path_factory.mktemp("calibrations"),
    )
    await engine.start()
    await painted(engine, mixed(4), tmp_path_factory.mktemp("work"))
    yield engine
    await engine.close()


async def painted(engine: EngineProcess, specs: Sequence[GenerationSpec], folder: Path) -> list[str]:
    """All at once."""
    return await asyncio.gather(*(one(engine, spec, folder) for spec in specs))


async def one(engine: EngineProcess, spec: GenerationSpec, folder: Path) -> str:
    painting = await engine.paint(spec, workspace=folder, on_progress=lambda _: None)
    painting.pixels.unlink()
    return painting.recipe.pixel_sha256


async def test_sixteen_at_a_time_and_alone_against_plain_diffusers(
    engine: EngineProcess, plain: PlainDiffusers, tmp_path: Path
) -> None:
    specs = mixed(NEIGHBOURS)
    plain.paint(specs[0])
    ours_s, theirs_s, alone_s, plain_alone_s = [], [], [], []
    pixels: dict[int, set[str]] = defaultdict(set)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for number, digest in enumerate(await painted(engine, specs, tmp_path)):
            pixels[number].add(digest)
        ours_s.append(time.perf_counter() - began)
        began = time.perf_counter()
        for spec in specs:
            plain.paint(spec)
        theirs_s.append(time.perf_counter() - began)
        for number, spec in enumerate(specs[:6]):
            began = time.perf_counter()
            pixels[number].add(await one(engine, spec, tmp_path))
            alone_s.append(time.perf_counter() - began)
            began = time.perf_counter()
            plain.paint(spec)
            plain_alone_s.append(time.perf_counter() - began)
    ratio = statistics.median(theirs / ours for ours, theirs in zip(ours_s, theirs_s, strict=True))
    alone = statistics.median(theirs / ours for ours, theirs in zip(alone_s, plain_alone_s, strict=True))
    each = max(map(len, pixels.values()))
    keep(
        "1 plain diffusers",
        {
            "ratios": [
                {"what": f"{NEIGHBOURS} at a time, plain diffusers one by one", "ratio": ratio, "bar": 1.2},
                {"what": "alone, plain diffusers alone", "ratio": alone, "bar": 0.95},
            ],
            "ours_s": ours_s,
            "theirs_s": theirs_s,
            "alone_ms": statistics.median(alone_s) * 1000,
            "plain_alone_ms": statistics.median(plain_alone_s) * 1000,
            "pictures_per_request": each,
        },
    )
    print(  # noqa: T201
        f"\n{NEIGHBOURS} pictures of {STEPS} steps: {statistics.median(ours_s):.1f} s against"
        f" {statistics.median(theirs_s):.1f} s one by one with plain diffusers, {ratio:.2f} times;"
        f" alone {alone:.2f} times ({statistics.median(alone_s) * 1000:.0f} ms against"
        f" {statistics.median(plain_alone_s) * 1000:.0f} ms); distinct pictures per request: {each}"
    )
    assert each == 1


class LitServePeer:
    """The dynamic batcher."""

    def __init__(self) -> None:
        self._port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "plugins.litserve_peer", str(STARTER), str(THREADS), str(self._port)],
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._http = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=600)

    async def ready(self) -> None:
        for _ in range(600):
            try:
                if (await self._http.get("/health")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.2)
        raise AssertionError("LitServe did not start")

    async def paint(self, spec: GenerationSpec) -> str:
        answer = await self._http.post("/predict", json=asked(spec))
        return answer.raise_for_status().json()["pixels"]

    async def close(self) -> None:
        await self._http.aclose()
        os.killpg(self._process.pid, 9)
        self._process.wait()


async def test_staggered_arrivals_against_dynamic_batching(engine: EngineProcess, tmp_path: Path) -> None:
    peer = LitServePeer()
    try:
        await peer.ready()
        await peer.paint(starter_spec())
        specs = [
            starter_spec(prompt=PROMPTS[k % 4], seed=k % 8, num_inference_steps=(12, 20, 28)[k % 3]) for k in range(12)
        ] * 2
        ratios, tails, ours_all, theirs_all = [], [], [], []
        for _ in range(1):
            ours = await staggered(specs, lambda spec: one(engine, spec, tmp_path))
            theirs = await staggered(specs, peer.paint)
            ratios.append(makespan(theirs) / makespan(ours))
            tails.append(p95(theirs) / p95(ours))
            ours_all += ours
            theirs_all += theirs
    finally:
        await peer.close()
    mine, others = pictures_per_key(ours_all), pictures_per_key(theirs_all)
    keep(
        "3 LitServe",
        {
            "ratios": [
                {"what": "throughput against LitServe's dynamic batching", "ratio": min(ratios), "bar": 1.0},
                {"what": "p95 of waiting, LitServe's over ours", "ratio": min(tails), "bar": 1.0},
            ],
            "p95_s": p95(ours_all),
            "litserve_p95_s": p95(theirs_all),
            "pictures_per_request": mine,
            "litserve_pictures_per_request": others,
        },
    )
    print(  # noqa: T201
        f"\n{len(specs)} arrivals of 12, 20 and 28 steps: {min(ratios):.2f} times LitServe's throughput; p95"
        f" {p95(ours_all):.1f} s against {p95(theirs_all):.1f} s; distinct pictures per request: at most {mine} against {others}"
    )
    assert mine == 1


async def staggered(specs: Sequence[GenerationSpec], paint) -> list[Answer]:
    """The same uneven arrivals each time, a little faster than one picture can be painted."""

    async def asked_at(delay_s: float, spec: GenerationSpec) -> Answer:
        await asyncio.sleep(delay_s)
        began = time.perf_counter()
        pixels = await paint(spec)
        key = (spec.prompt, spec.seed, spec.num_inference_steps)
        return Answer(key=key, pixels=pixels, at=began, ended=time.perf_counter())

    delays = [0.35 * k + 0.3 * ((k * 7) % 5) / 5 for k in range(len(specs))]
    return await asyncio.gather(*(asked_at(delay, spec) for delay, spec in zip(delays, specs, strict=True)))


def makespan(answers: Sequence[Answer]) -> float:
    return max(answer.ended for answer in answers) - min(answer.at for answer in answers)


def p95(answers: Sequence[Answer]) -> float:
    return statistics.quantiles((answer.ended - answer.at for answer in answers), n=20)[-1]


def pictures_per_key(answers: Sequence[Answer]) -> int:
    found: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for answer in answers:
        found[answer.key].add(answer.pixels)
    return max(map(len, found.values()))

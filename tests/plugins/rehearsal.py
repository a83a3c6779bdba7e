"""Engines whose child is `plugins.rehearsal_child`, and what tests ask of them."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from plugins.tiny_specs import card_of, new_spec

from models import AdapterCard, Catalogue, Family, Painting, Phase, Progress
from models.process.child import EngineLimits
from models.process.engine import Computing, EngineProcess

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
LIMITS = EngineLimits(denoising_s=0.8, term_s=1.0, first_backoff_s=0.01, beat_s=0.05)

Asked = tuple[asyncio.Task[Painting], list[Progress]]


def new_engine(*, model: str = "tiny", limits: EngineLimits = LIMITS, **computing: Unpack[Computing]) -> EngineProcess:
    """Its catalogue knows one model and the LoRA `ink`."""
    ink = AdapterCard(id="ink", family=Family.SD1, path=Path("nowhere"), licence="none")
    catalogue = Catalogue({model: card_of(Path("nowhere"), name=model)}, {ink.id: ink})
    return EngineProcess(
        catalogue, environment=ENVIRONMENT, limits=limits, entry="plugins.rehearsal_child", **computing
    )


def ask(engine: EngineProcess, workspace: Path, prompt: str = "paint", steps: int = 3) -> Asked:
    """Start painting; the list fills with progress."""
    heard: list[Progress] = []
    spec = new_spec(prompt=prompt, num_inference_steps=steps)
    return asyncio.create_task(engine.paint(spec, workspace=workspace, on_progress=heard.append)), heard


async def until(fact: Callable[[], bool], timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not fact():  # noqa: ASYNC110 - the fact is another process's
            await asyncio.sleep(0.005)


def is_denoising(heard: list[Progress]) -> bool:
    return any(progress.phase is Phase.DENOISING for progress in heard)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False

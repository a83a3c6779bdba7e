"""Run where a CUDA device is: `pytest -m gpu tests/gpu`."""

import os
from pathlib import Path

import pytest
from plugins.tiny_specs import card_of, catalogue_of, new_spec

from models import Sampler
from models.process.engine import EngineProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.gpu
async def test_a_gpu_paints_and_paints_the_same_again(tmp_path: Path) -> None:
    from plugins.tiny_models import build_sdxl

    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    catalogue = catalogue_of(card_of(build_sdxl(tmp_path / "sdxl")))
    engine = EngineProcess(catalogue, environment={**os.environ, "PYTHONPATH": str(ROOT)}, device="cuda")
    await engine.start()

    spec = new_spec(sampler=Sampler.EULER_A)
    first, again = [await engine.paint(spec, workspace=tmp_path, on_progress=print) for _ in range(2)]

    assert first.recipe == again.recipe
    assert first.recipe.fingerprint.device == "cuda"
    await engine.close()

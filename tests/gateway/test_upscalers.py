"""The operator's upscaler: into the catalogue by command, into the plan, into what makes pictures equal."""

import json
import shutil
from pathlib import Path

import pytest
from plugins.fake_engine import FINGERPRINT, ROOT

from gateway.cli.upscalers import add_upscaler, holds_upscaler
from gateway.generations.accepting.replay import check_repaintable
from gateway.generations.inputs.canonical import revision_of
from gateway.settings import Settings
from gateway.wiring import Installation
from models import GenerationRequest, ModelUnavailable, RequestInvalid, Resampling
from models.single_file.upscaler import Build, UpscalerForm, expected_shapes


def written(file: Path, scale: int) -> Path:
    """An upscaler's file, all zeros."""
    form = UpscalerForm(build=Build.SRVGG, features=2, depth=1, scale=scale, growth=0, names={})
    header: dict[str, object] = {}
    end = 0
    for name, shape in expected_shapes(form).items():
        start, end = end, end + 4 * _product(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode().ljust(1000)
    file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))
    return file


def _product(shape: tuple[int, ...]) -> int:
    return shape[0] * _product(shape[1:]) if shape else 1


def bare(folder: Path) -> Settings:
    """An installation without the upscaler in the box."""
    shutil.copytree(ROOT / "configs", folder / "configs", ignore=shutil.ignore_patterns("upscalers"))
    return Settings(data_dir=folder / "data", config_dir=folder / "configs")


def test_the_one_in_the_box_enlarges_until_the_operator_has_another(tmp_path):
    settings, file = Settings(data_dir=tmp_path / "data"), written(tmp_path / "x4.safetensors", 4)
    request = GenerationRequest(prompt="a boat", width=1024, height=1024, upscale=True)

    before = Installation(settings=settings)
    plan = before.router.route(request, seed=1).size_plan
    add_upscaler(file, "mine", settings, is_default=True)

    assert before.catalogue.upscaler.id == "starter-x4"
    assert plan.resampling is plan.upscale_resampling is Resampling.NETWORK
    assert Installation(settings=settings).catalogue.upscaler.id == "mine"


def test_the_default_one_enlarges_from_then_on(tmp_path):
    settings, file = bare(tmp_path), written(tmp_path / "x4.safetensors", 4)
    before = Installation(settings=settings)
    assert before.catalogue.upscaler is None

    add_upscaler(file, "mine", settings, is_default=True)
    after = Installation(settings=settings)

    request = GenerationRequest(prompt="a boat", width=1024, height=1024, upscale=True)
    plans = [inst.router.route(request, seed=1).size_plan for inst in (before, after)]
    assert [plan.upscale_resampling for plan in plans] == [Resampling.LANCZOS, Resampling.NETWORK]
    assert [plan.delivered for plan in plans] == [plans[0].delivered] * 2
    assert after.catalogue.upscaler.path == file.resolve()
    specs = after.router.route(request, seed=1).specs
    check_repaintable(specs, after.catalogue)
    with pytest.raises(ModelUnavailable, match="upscaler"):
        check_repaintable(specs, before.catalogue)


def test_one_that_is_not_the_default_waits(tmp_path):
    settings, file = bare(tmp_path), written(tmp_path / "x4.safetensors", 4)

    add_upscaler(file, "mine", settings, is_default=False)

    assert Installation(settings=settings).catalogue.upscaler is None
    with pytest.raises(RequestInvalid, match="already"):
        add_upscaler(file, "mine", settings, is_default=True)


def test_one_that_enlarges_twice_is_refused(tmp_path):
    settings, file = Settings(data_dir=tmp_path / "data"), written(tmp_path / "x2.safetensors", 2)

    assert holds_upscaler(file)
    with pytest.raises(RequestInvalid, match="enlarges 2 times"):
        add_upscaler(file, "two", settings, is_default=True)
    assert not (tmp_path / "data").exists()


def test_another_upscaler_is_another_revision():
    assert len({revision_of(FINGERPRINT), revision_of(FINGERPRINT, "a"), revision_of(FINGERPRINT, "b")}) == 3

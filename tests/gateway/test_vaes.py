"""VAEs over HTTP."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest
from plugins.fake_engine import FINGERPRINT

from gateway.settings import ROOT
from models.manifest import joint_sha256

WARM = 'id = "warm"\nfamily = "starter"\npath = "{folder}"\nlicence = "MIT"\n'
XL = 'id = "xl-only"\nfamily = "sdxl"\npath = "xl"\nlicence = "MIT"\n'


@pytest.fixture
async def gateway(open_gateway, tmp_path):
    """With one VAE for the model in the box, and one for models that are not installed."""
    configs = shutil.copytree(ROOT / "configs", tmp_path / "configs")
    folder = tmp_path / "warm"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"weights")
    (configs / "vaes" / "warm.toml").write_text(WARM.format(folder=folder))
    (configs / "vaes" / "xl-only.toml").write_text(XL)
    return await open_gateway(config_dir=configs)


async def test_vaes_are_listed_with_the_models_they_fit(gateway):
    listed = (await gateway.http.get("/v1/vaes")).json()["data"]

    assert listed == [
        {"id": "warm", "family": "starter", "models": ["starter"], "licence": "MIT"},
        {"id": "xl-only", "family": "sdxl", "models": [], "licence": "MIT"},
    ]


async def test_a_painting_is_made_with_the_vae_that_was_asked_for(gateway):
    painted = (await gateway.paint(vae="warm")).json()

    recipe = (await gateway.get(f"/v1/generations/{painted['generation_id']}/recipe")).json()["recipes"][0]
    assert (painted["status"], recipe["spec"]["vae"]) == ("completed", "warm")


async def test_another_vae_is_another_request_to_the_cache(gateway):
    first = (await gateway.paint(seed=1)).json()
    other = (await gateway.paint(seed=1, vae="warm")).json()
    again = (await gateway.paint(seed=1)).json()

    assert [one["cached"] for one in (first, other, again)] == [False, False, True]


@pytest.mark.parametrize(
    ("vae", "code"),
    [("chalk", "vae_not_found"), ("xl-only", "invalid_parameter"), (1, "invalid_parameter")],
)
async def test_a_vae_that_cannot_be_is_refused(gateway, vae, code):
    answered = await gateway.paint(vae=vae)

    error = answered.json()["error"]
    assert (answered.status_code, error["code"], error["param"]) == (400, code, "vae")


async def test_a1111_names_it_in_its_own_words(gateway):
    listed = await gateway.get("/sdapi/v1/sd-vae")
    assert [one["model_name"] for one in listed.json()] == ["warm", "xl-only"]

    for word, meant in (("warm", "warm"), ("Automatic", None), ("None", None)):
        body = {"prompt": "a red lighthouse", "override_settings": {"sd_vae": word}}
        answered = await gateway.http.post(
            "/sdapi/v1/txt2img", json=body, headers={"Authorization": f"Bearer {gateway.key}"}
        )
        assert answered.status_code == 200, answered.text
        assert gateway.engine.painted[-1].vae == meant


async def test_an_equal_request_is_painted_again_once_the_vaes_files_have_changed(gateway, tmp_path):
    folder = tmp_path / "warm"
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    gateway.engine.become(replace(FINGERPRINT, vae_sha256=joint_sha256(hashes)))  # as the engine says it of itself

    before = [(await gateway.paint(seed=2, vae="warm")).json()["cached"] for _ in range(2)]
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"other weights")
    after = (await gateway.paint(seed=2, vae="warm")).json()["cached"]

    assert (before, after) == ([False, True], False)

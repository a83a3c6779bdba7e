"""Tiny models, built once a run."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sd1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sd1

    return build_sd1(tmp_path_factory.mktemp("models") / "sd1")


@pytest.fixture(scope="session")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sdxl

    return build_sdxl(tmp_path_factory.mktemp("models") / "sdxl")


@pytest.fixture(scope="session")
def zero_snr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """v-prediction, zero-terminal SNR, trailing steps: how the model in the box is trained."""
    from plugins.tiny_models import ZERO_SNR, build_sd1

    return build_sd1(tmp_path_factory.mktemp("models") / "zero-snr", schedule=ZERO_SNR)


@pytest.fixture(scope="session")
def sd3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_transformers import build_sd3

    return build_sd3(tmp_path_factory.mktemp("models") / "sd3")


@pytest.fixture(scope="session")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Told its guidance, as the distilled ones are."""
    from plugins.tiny_transformers import build_flux

    return build_flux(tmp_path_factory.mktemp("models") / "flux", takes_guidance=True)


@pytest.fixture(scope="session", params=["v_prediction", "epsilon"])
def sd2(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sd2

    return build_sd2(tmp_path_factory.mktemp("models") / f"sd2-{request.param}", prediction_type=request.param)


@pytest.fixture(scope="session")
def sd1_inpainting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sd1_inpainting

    return build_sd1_inpainting(tmp_path_factory.mktemp("models") / "sd1-inpainting")


@pytest.fixture(scope="session")
def sdxl_inpainting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sdxl_inpainting

    return build_sdxl_inpainting(tmp_path_factory.mktemp("models") / "sdxl-inpainting")

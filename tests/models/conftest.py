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

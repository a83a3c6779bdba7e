"""What a folder says of itself."""

import json
from pathlib import Path

import pytest

from models import Family, ImageSize, Sampler, WeightsRejected
from models.inspection import inspect_folder


def folder_of(root: Path, files: dict[str, dict[str, object]]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    return root


VAE: dict[str, object] = {"block_out_channels": [128, 256, 512, 512]}


def test_sd3_says_its_size_and_paints_multiples_of_16(tmp_path: Path) -> None:
    found = inspect_folder(
        folder_of(
            tmp_path,
            {
                "model_index.json": {"_class_name": "StableDiffusion3Pipeline"},
                "transformer/config.json": {"sample_size": 128, "patch_size": 2},
                "vae/config.json": VAE,
            },
        )
    )

    assert (found.family, found.native, found.size_multiple) == (Family.SD3, ImageSize(width=1024, height=1024), 16)
    assert found.sampling is not None
    assert found.sampling.sampler is Sampler.EULER


@pytest.mark.parametrize(("is_told", "guidance", "steps"), [(True, 3.5, 20), (False, 1.0, 4)])
def test_flux_without_a_guidance_input_begins_with_few_steps(
    tmp_path: Path, is_told: bool, guidance: float, steps: int
) -> None:
    found = inspect_folder(
        folder_of(
            tmp_path,
            {
                "model_index.json": {"_class_name": "FluxPipeline"},
                "transformer/config.json": {"guidance_embeds": is_told, "sample_size": None},
                "vae/config.json": VAE,
            },
        )
    )

    assert (found.family, found.native.width, found.size_multiple) == (Family.FLUX, 1024, 16)
    assert found.sampling is not None
    assert set(found.sampling.guidance.values()) == {guidance}
    assert min(found.sampling.steps.values()) == steps


@pytest.mark.parametrize(
    ("vae", "sample_size", "side", "multiple"),
    [(VAE, 64, 512, 16), ({"encoder_block_out_channels": [1] * 6}, 32, 1024, 32), (VAE, None, 1024, 16)],
)
def test_a_pipeline_without_an_adapter_begins_with_its_own_schedulers_sampler(
    tmp_path: Path, vae: dict[str, object], sample_size: int | None, side: int, multiple: int
) -> None:
    found = inspect_folder(
        folder_of(
            tmp_path,
            {
                "model_index.json": {"_class_name": "PixArtSigmaPipeline"},
                "transformer/config.json": {"sample_size": sample_size},
                "scheduler/scheduler_config.json": {
                    "_class_name": "DPMSolverMultistepScheduler",
                    "lambda_min_clipped": float("-inf"),
                },
                "vae/config.json": vae,
            },
        )
    )

    assert (found.family, found.native.width, found.size_multiple) == (Family.OTHER, side, multiple)
    assert found.sampling is not None
    assert found.sampling.sampler is Sampler.DPMPP_2M


def test_a_pipeline_that_paints_no_text_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"model_index.json": {"_class_name": "AudioLDMPipeline"}})

    with pytest.raises(WeightsRejected, match="AudioLDMPipeline"):
        inspect_folder(folder)

"""Upscalers in the published key layouts: read, refused, and enlarging by tiles."""

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from models import ImageSize, ModelUnavailable, Resampling, SizePlan, UpscalerCard, WeightsRejected
from models.diffusion.device import Device, choose_device
from models.diffusion.pixels.enlarging import write_picture
from models.diffusion.pixels.upscaling import TILE, Upscaler, UpscalerStand
from models.single_file.upscaler import Build, UpscalerForm, expected_shapes, inspect_upscaler
from models.upscalers.reading import Read, new_network, read_network

SRVGG = UpscalerForm(build=Build.SRVGG, features=8, depth=3, scale=4, growth=0, names={})
RRDB = UpscalerForm(build=Build.RRDB, features=8, depth=2, scale=4, growth=4, names={})
FOLDED = UpscalerForm(build=Build.RRDB, features=8, depth=1, scale=2, growth=4, names={})
TIMES_TWO = UpscalerForm(build=Build.SRVGG, features=8, depth=1, scale=2, growth=0, names={})


def weights_of(form: UpscalerForm, spread: float = 0.1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return {name: spread * torch.randn(shape, generator=generator) for name, shape in expected_shapes(form).items()}


def written(folder: Path, weights: dict[str, torch.Tensor]) -> Path:
    file = folder / "x4.safetensors"
    save_file(weights, file)
    return file


def older(name: str) -> str:
    """ESRGAN's first names."""
    for new, old in (
        ("conv_first.", "model.0."),
        ("conv_body.", "model.1.sub.2."),
        ("conv_up1.", "model.3."),
        ("conv_up2.", "model.6."),
        ("conv_hr.", "model.8."),
        ("conv_last.", "model.10."),
    ):
        name = name.replace(new, old)
    if name.startswith("body."):
        _, block, dense, convolution, kind = name.split(".")
        name = f"model.1.sub.{block}.{dense.replace('rdb', 'RDB')}.{convolution}.0.{kind}"
    return name


@pytest.fixture(scope="module")
def device() -> Device:
    return choose_device("cpu", threads=1, dtype="float32")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose answers differ from pixel to pixel."""
    return written(tmp_path_factory.mktemp("x4"), weights_of(SRVGG, spread=0.1))


@pytest.fixture(scope="module")
def upscaler(device: Device, file: Path) -> Upscaler:
    return Upscaler(read_network(file), device)


def picture_of(width: int, height: int) -> np.ndarray:
    """Smooth ground with hard edges on it."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).copy()
    smooth[height // 4 : height // 2, width // 3 :] = (200, 30, 30)
    return smooth


def enlarged(upscaler: Upscaler, picture: np.ndarray) -> np.ndarray:
    return np.concatenate([band for band in upscaler.bands(picture) if band is not None])


def whole(file: Path, picture: np.ndarray) -> np.ndarray:
    """The picture through the network in one piece."""
    network = read_network(file).network
    given = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float().div(255)
    shown = network(given.contiguous(memory_format=torch.channels_last))[0].clamp(0, 1).mul(255).round().byte()
    return shown.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("form", [SRVGG, TIMES_TWO, RRDB, FOLDED])
def test_a_file_tells_its_own_measures(tmp_path: Path, form: UpscalerForm) -> None:
    file = written(tmp_path, weights_of(form))

    told = inspect_upscaler(file)
    network = read_network(file).network

    assert (told.build, told.features, told.depth, told.scale, told.growth) == (
        form.build, form.features, form.depth, form.scale, form.growth,
    )  # fmt: skip
    assert network(torch.rand(1, 3, 8, 12)).shape == (1, 3, 8 * form.scale, 12 * form.scale)


@pytest.mark.parametrize("wrapping", ["", "params.", "params_ema."])
def test_what_training_wrapped_around_the_names_does_not_matter(tmp_path: Path, wrapping: str) -> None:
    file = written(tmp_path, {f"{wrapping}{name}": weight for name, weight in weights_of(SRVGG).items()})

    assert inspect_upscaler(file).depth == SRVGG.depth


def test_the_first_names_lead_to_the_same_network(tmp_path: Path) -> None:
    weights, picture = weights_of(RRDB), torch.rand(1, 3, 8, 8)
    today = read_network(written(tmp_path, weights)).network(picture)
    once = read_network(written(tmp_path, {older(name): weight for name, weight in weights.items()})).network(picture)

    assert torch.equal(today, once)


def test_srvgg_adds_to_the_nearest_pixels() -> None:
    network = new_network(SRVGG)
    network.load_state_dict({name: torch.zeros(shape) for name, shape in expected_shapes(SRVGG).items()})
    picture = torch.rand(1, 3, 6, 6)

    assert torch.equal(network(picture), functional.interpolate(picture, scale_factor=4, mode="nearest"))


def without(weights: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    return {key: weight for key, weight in weights.items() if key != name}


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (without(weights_of(SRVGG), "body.2.bias"), "body.2.bias"),
        (weights_of(SRVGG) | {"body.2.weight": torch.zeros(8, 7, 3, 3)}, "body.2.weight"),
        (weights_of(SRVGG) | {"more.weight": torch.zeros(3)}, "more.weight"),
        (weights_of(RRDB) | {"conv_first.weight": torch.zeros(8, 5, 3, 3)}, "conv_first.weight"),
        (without(weights_of(RRDB), "body.1.rdb2.conv4.weight"), "body.1.rdb2.conv4.weight"),
        ({"body.0.weight": torch.zeros(8)}, "shape"),
        (weights_of(SRVGG) | {"body.0.bias": torch.full((8,), torch.nan)}, "numbers that are none"),
        ({"whatever": torch.zeros(3)}, "no upscaler"),
    ],
)
def test_other_files_are_refused_by_what_is_wrong(tmp_path: Path, weights: Any, reason: str) -> None:
    with pytest.raises(WeightsRejected, match=reason):
        read_network(written(tmp_path, weights))


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    torch.save(weights_of(SRVGG), tmp_path / "x4.pth")

    with pytest.raises(WeightsRejected, match="is a pickle"):
        read_network(tmp_path / "x4.pth")


def test_one_that_enlarges_twice_is_not_served(tmp_path: Path, device: Device) -> None:
    card = UpscalerCard(id="two", path=written(tmp_path, weights_of(TIMES_TWO)), licence="none")

    with pytest.raises(WeightsRejected, match="enlarges 2 times"):
        UpscalerStand(card, device).upscaler()
    with pytest.raises(ModelUnavailable, match="no upscaler is installed"):
        UpscalerStand(None, device).upscaler()


def test_bfloat16_shows_the_same_picture(device: Device, file: Path) -> None:
    picture = picture_of(60, 40)

    narrow = Upscaler(read_network(file), replace(device, dtype=torch.bfloat16))

    assert np.abs(enlarged(narrow, picture).astype(int) - whole(file, picture).astype(int)).max() <= 3


@pytest.mark.parametrize(("width", "height"), [(40, 24), (TILE, TILE), (TILE + 1, TILE + 40), (3 * TILE - 5, 20)])
def test_tiles_are_the_whole(upscaler: Upscaler, file: Path, width: int, height: int) -> None:
    picture = picture_of(width, height)

    tiled, at_once = enlarged(upscaler, picture).astype(int), whole(file, picture).astype(int)

    assert tiled.shape == (4 * height, 4 * width, 3)
    assert np.abs(tiled - at_once).max() <= 1


def test_tiles_of_dense_blocks_are_the_whole_too(tmp_path: Path, device: Device) -> None:
    file, picture = written(tmp_path, weights_of(RRDB)), picture_of(TILE + 9, 30)

    tiled = enlarged(Upscaler(read_network(file), device), picture).astype(int)

    assert np.ptp(tiled) > 10
    assert np.abs(tiled - whole(file, picture).astype(int)).max() <= 1


def test_no_seam_stands_out(upscaler: Upscaler) -> None:
    large = enlarged(upscaler, picture_of(2 * TILE + 60, 2 * TILE + 60)).astype(float)

    steps = np.abs(np.diff(large, axis=1)).mean(axis=(0, 2))
    seams = [4 * TILE - 1, 8 * TILE - 1]
    beside = [
        seam + offset for seam in seams for offset in (-8, -4, 4, 8)
    ]  # same place within the pixel's grid of four
    assert steps[seams].mean() < 1.25 * steps[beside].mean() + 0.2


def plan_of(painted: int, target: int, upscale: int) -> SizePlan:
    return SizePlan(
        painted=ImageSize(width=painted, height=painted),
        target=ImageSize(width=target, height=target),
        resampling=Resampling.NETWORK,
        upscale=upscale,
        upscale_resampling=Resampling.NETWORK if upscale > 1 else Resampling.NONE,
    )


def pieces(plan: SizePlan, file: Path, upscaler: Upscaler | None) -> int:
    """How often whoever drives it may stop."""
    image = Image.fromarray(picture_of(plan.painted.width, plan.painted.height))
    return sum(1 for _ in write_picture(image, plan, file, beat=None, upscaler=upscaler))


def test_a_size_between_is_cut_from_four_times_as_much(tmp_path: Path, upscaler: Upscaler) -> None:
    pieces(plan_of(32, 96, 1), tmp_path / "rgb", upscaler)

    expected = Image.fromarray(enlarged(upscaler, picture_of(32, 32))).resize((96, 96), Image.Resampling.LANCZOS)
    assert (tmp_path / "rgb").read_bytes() == expected.tobytes()


def test_between_tiles_whoever_drives_it_may_stop(tmp_path: Path, upscaler: Upscaler) -> None:
    assert pieces(plan_of(TILE + 8, 4 * TILE, 1), tmp_path / "rgb", upscaler) >= 4


def test_a_plan_that_wants_a_network_never_gets_a_filter(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no upscaler is installed"):
        pieces(plan_of(16, 64, 1), tmp_path / "rgb", None)


def test_a_large_picture_takes_a_band_at_a_time(tmp_path: Path, device: Device) -> None:
    """numpy's memory; the network's own is that of one tile, whatever the picture."""
    tiny = UpscalerForm(build=Build.SRVGG, features=1, depth=0, scale=4, growth=0, names={})
    read = Read(network=new_network(tiny).eval().requires_grad_(requires_grad=False), sha256="")
    side = 1024
    image = Image.new("RGB", (side, side))
    plan = SizePlan(
        painted=ImageSize(width=side, height=side),
        target=ImageSize(width=side, height=side),
        resampling=Resampling.NONE,
        upscale=4,
        upscale_resampling=Resampling.NETWORK,
    )
    tracemalloc.start()

    for _ in write_picture(image, plan, tmp_path / "rgb", beat=None, upscaler=Upscaler(read, device)):
        pass

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    band_bytes = 3 * 16 * TILE * side
    assert (tmp_path / "rgb").stat().st_size == 3 * 16 * side * side
    assert peak_bytes < 3 * band_bytes + 3 * side * side + (4 << 20)

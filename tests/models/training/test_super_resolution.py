"""The upscaler's training, for seconds."""

import json

import numpy as np
import torch

from models.single_file.upscaler import inspect_upscaler
from models.training import super_resolution
from models.training.rendering import rendered
from models.training.super_resolution import LARGE, SCALE, Crops, new_network
from models.training.world.scene import drawn_scene


def test_a_short_training_leaves_a_network_in_the_published_layout(tmp_path):
    pictures = np.random.default_rng(1).integers(0, 256, (super_resolution.UNSEEN + 1, LARGE, LARGE, 3), dtype=np.uint8)
    np.save(tmp_path / "large.npy", pictures)
    assert super_resolution.main(["--out", str(tmp_path), "--minutes", "0.005", "--batch", "1", "--processes", "1"])
    form = inspect_upscaler(tmp_path / "upscaler.safetensors")
    assert (form.scale, form.features, form.depth) == (SCALE, 32, 10)
    figures = json.loads((tmp_path / "psnr.json").read_text())
    assert set(figures["plain"]) == set(figures["softened"]) == {"network", "lanczos", "bicubic"}


def test_a_fresh_network_interpolates():
    small = torch.rand(1, 3, 9, 7)
    bilinear = torch.nn.functional.interpolate(small, scale_factor=float(SCALE), mode="bilinear")
    shown = new_network(1)(small)
    within = (slice(None), slice(None), slice(SCALE, -SCALE), slice(SCALE, -SCALE))  # of the border it knows nothing
    torch.testing.assert_close(shown[within], bilinear[within])


def test_small_crops_show_what_the_large_ones_show():
    pictures = rendered([drawn_scene(np.random.default_rng(4), (LARGE, LARGE))], 1)
    small, large = Crops(pictures, torch.device("cpu"), seed=3).batch(4)
    again = torch.nn.functional.avg_pool2d(large, SCALE)
    assert (small - again).abs().mean() < 0.02

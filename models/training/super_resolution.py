"""Train the x4 upscaler on the drawn world at four times the starter's size.

    python -m models.training.super_resolution --out DIR --seed 1 --minutes 12
    python -m models.training.super_resolution --model models/starter --out DIR --seed 1 --minutes 12

Scenes are drawn large once and kept in DIR; small ones are made from them while training, by chance kernels, softly
blurred, a little noisy. With `--model`, half of the small ones have gone through its autoencoder, latents and all, so that
the network learns the very softness it will meet. The first scenes are never trained on: PSNR is measured there.

Only styles without grain are drawn. Grain, halftone dots and blocks of pixels look the same however they are enlarged,
so a network that meets them learns to add nothing: two trainings on all styles, with absolute errors, ended there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image, ImageFilter
from rich import print as show
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from models.training.course import Average, Course, arguments, device_of, narrow, rate_at, set_rate
from models.training.latents import opened_autoencoder
from models.training.rendering import rendered
from models.training.samples import latents_of
from models.training.world.scene import Scene, drawn_scene
from models.upscalers.srvgg import Srvgg

SCALE: Final = 4
FEATURES: Final = 32
CONVOLUTIONS: Final = 10
COLOURS: Final = 3
LARGE: Final = 960
"""Side of the large pictures: a quarter of it is about the size a scene is painted at."""
STYLES: Final = frozenset({"digital-art", "anime", "low-poly", "isometric", "3d-render", "product"})
UNSEEN: Final = 16
CROP: Final = 48
BATCHES: Final = {"cuda": 64, "cpu": 6}
PEAK_RATE: Final = 1e-3
BEND: Final = 0.1
"""Up to here errors count by their square, above by themselves. Absolute errors alone favour adding nothing: most
of a drawn picture is flat."""
KERNELS: Final = (
    Image.Resampling.BOX,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BILINEAR,
)
BLURS: Final = {"plain": 0.0, "softened": 0.8}
"""Radii in small pixels that PSNR is measured at."""
NOISE: Final = 0.15
"""Standard deviation on latents of unit spread."""
WEIGHTS: Final = "upscaler.safetensors"


def large_pictures(args: argparse.Namespace) -> np.ndarray:
    """(count, LARGE, LARGE, 3) uint8 of `args.out`; drawn where they are missing."""
    file = args.out / "large.npy"
    if not file.exists():
        pictures = rendered(list(_scenes(args.scenes + UNSEEN, args.seed)), args.processes)
        args.out.mkdir(parents=True, exist_ok=True)
        np.save(file.with_suffix(".tmp.npy"), pictures)
        file.with_suffix(".tmp.npy").replace(file)
    return np.asarray(np.load(file))


def _scenes(count: int, seed: int) -> Iterator[Scene]:
    rng = np.random.default_rng((seed, SCALE))
    while count:
        scene = drawn_scene(rng, (LARGE, LARGE))
        if scene.style in STYLES:
            count -= 1
            yield scene


def shrunk(picture: np.ndarray, kernel: Image.Resampling) -> np.ndarray:
    """A quarter of the sides."""
    height, width = picture.shape[:2]
    return np.array(Image.fromarray(picture).resize((width // SCALE, height // SCALE), kernel))


@torch.no_grad()
def repainted(pictures: np.ndarray, model: Path, seed: int) -> np.ndarray:
    """(count, LARGE / SCALE, LARGE / SCALE, 3) uint8: the pictures made small, as the model's autoencoder would show them.

    A little noise on the latents stands for what the denoiser gets wrong.
    """
    autoencoder = opened_autoencoder(model / "vae").eval()
    chance, found = torch.Generator().manual_seed(seed), []
    for picture in pictures:
        latents = latents_of(autoencoder, shrunk(picture, Image.Resampling.BOX)[None])
        noisy = latents + NOISE * torch.randn(latents.shape, generator=chance)
        with narrow(latents.device):
            shown = autoencoder.decode(noisy / autoencoder.config.scaling_factor).sample.float()
        found.append(shown[0].clamp(-1, 1).add(1).mul(127.5).round().byte().permute(1, 2, 0).numpy())
    return np.stack(found)


class Crops:
    """Batches of small and large crops in 0..1; half of the small ones from `soft`, if given: pictures made small already."""

    def __init__(self, pictures: np.ndarray, device: torch.device, seed: int, soft: np.ndarray | None = None) -> None:
        self._rng = np.random.default_rng(seed)
        self._device = device
        self._pictures, self._soft = pictures, soft

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, 3, CROP, CROP) and the same windows in large."""
        small, large = zip(*(self._one() for _ in range(count)), strict=True)
        return as_input(np.stack(small), self._device), as_input(np.stack(large), self._device)

    def _one(self) -> tuple[np.ndarray, np.ndarray]:
        rng, index = self._rng, int(self._rng.integers(len(self._pictures)))
        top, left = (int(start) for start in rng.integers(LARGE // SCALE - CROP + 1, size=2))
        turns, flips = int(rng.integers(4)), bool(rng.random() < 0.5)
        large = _window(self._pictures[index], (SCALE * top, SCALE * left), SCALE * CROP)
        if self._soft is None or rng.random() < 0.5:
            small = self._degraded(large)
        else:
            small = _window(self._soft[index], (top, left), CROP)
        return _turned(small, turns, flips=flips), _turned(large, turns, flips=flips)

    def _degraded(self, window: np.ndarray) -> np.ndarray:
        """Made small by a chance kernel, mostly softened, a little noisy, and rounded to 8 bits."""
        rng = self._rng
        small = Image.fromarray(shrunk(window, KERNELS[int(rng.integers(len(KERNELS)))]))
        if rng.random() < 0.7:
            small = small.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 1.0))))
        noisy = np.asarray(small, np.float32) + rng.normal(0.0, float(rng.uniform(0.0, 1.5)), (*small.size[::-1], 3))
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _window(picture: np.ndarray, corner: tuple[int, int], side: int) -> np.ndarray:
    return picture[corner[0] : corner[0] + side, corner[1] : corner[1] + side]


def _turned(window: np.ndarray, turns: int, *, flips: bool) -> np.ndarray:
    turned = np.rot90(window, turns)
    return np.ascontiguousarray(turned[:, ::-1] if flips else turned)


def as_input(pictures: np.ndarray, device: torch.device) -> torch.Tensor:
    """(count, height, width, 3) uint8 to (count, 3, height, width) float32 in 0..1."""
    rows = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float().div(255)
    return rows.contiguous(memory_format=torch.channels_last)


def new_network(seed: int) -> Srvgg:
    """Untrained; its first pictures are the bilinear ones: the colours go through all layers as they are, to a last one
    that interpolates. From nearest-neighbour pictures it would have to unlearn stairs first, and 3,700 steps did not do.
    """
    network = Srvgg(FEATURES, CONVOLUTIONS, SCALE)
    generator = torch.Generator().manual_seed(seed)
    *convolutions, last = (layer for layer in network.body if isinstance(layer, nn.Conv2d))
    for layer in convolutions:
        bound = (6.0 / (1.0625 * layer.weight[0].numel())) ** 0.5  # keeps the spread through a PReLU of 0.25
        layer.weight.data.uniform_(-bound, bound, generator=generator)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        layer.weight.data[:COLOURS] = 0.0
        layer.weight.data[range(COLOURS), range(COLOURS), 1, 1] = 1.0
    for bend in (layer for layer in network.body if isinstance(layer, nn.PReLU)):
        bend.weight.data[:COLOURS] = 1.0
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    last.weight.data[:, :COLOURS] = _bilinear()
    return network


def _bilinear() -> torch.Tensor:
    """(COLOURS * SCALE ** 2, COLOURS, 3, 3): what is missing to bilinear pictures, in pixel_shuffle's order."""
    taps = torch.zeros(SCALE, 3)
    for place in range(SCALE):
        offset = (place + 0.5) / SCALE - 0.5
        taps[place, 1] = 1.0 - abs(offset)
        taps[place, 2 if offset > 0 else 0] = abs(offset)
    missing = torch.einsum("yi,xj->yxij", taps, taps).reshape(SCALE**2, 3, 3)
    missing[:, 1, 1] -= 1.0
    weight = torch.zeros(COLOURS, SCALE**2, COLOURS, 3, 3)
    weight[range(COLOURS), :, range(COLOURS)] = missing
    return weight.reshape(COLOURS * SCALE**2, COLOURS, 3, 3)


def step_loss(network: nn.Module, small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
    """Huber's distance of the pixels."""
    with narrow(small.device):
        shown = network(small)
    return functional.huber_loss(shown.float(), large, delta=BEND).div(BEND)


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the averaged network lies in `args.out` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    torch.set_num_threads(args.processes)
    device = device_of(args.device)
    pictures = large_pictures(args)
    network = new_network(args.seed).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = list(network.parameters())
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=0.0)
    mean = Average(weights, decay=0.998)
    course = Course(args, {"network": network, "optimizer": optimizer, "mean": mean})
    soft = repainted(pictures, args.model, args.seed) if args.model else None
    learnt = None if soft is None else soft[UNSEEN:]
    crops = Crops(pictures[UNSEEN:], device, seed=args.seed + course.steps, soft=learnt)
    batch = args.batch or BATCHES[device.type]
    for done in course:
        set_rate(optimizer, PEAK_RATE * rate_at(done))
        loss = step_loss(network, *crops.batch(batch))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        mean.update()
        course.say(loss)
    for weight, averaged in zip(weights, mean.mean, strict=True):
        weight.data.copy_(averaged)
    keep(network, pictures[:UNSEEN], args.out, None if soft is None else soft[:UNSEEN])
    return course.is_over


def keep(network: Srvgg, unseen: np.ndarray, out: Path, soft: np.ndarray | None = None) -> None:
    """Write the weights in half the bytes, and what they reach."""
    network = network.to("cpu", torch.float16).float().eval()
    halves = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(halves, out / WEIGHTS, metadata={"format": "pt"})
    figures = {kind: measured(network, unseen, _softened(unseen, blur)) for kind, blur in BLURS.items()}
    if soft is not None:
        figures["repainted"] = measured(network, unseen, soft)
    (out / "psnr.json").write_text(json.dumps(figures, indent=1))
    show(figures)


def _softened(pictures: np.ndarray, blur: float) -> np.ndarray:
    small = (Image.fromarray(shrunk(picture, Image.Resampling.BOX)) for picture in pictures)
    return np.stack([np.asarray(one.filter(ImageFilter.GaussianBlur(blur))) for one in small])


@torch.no_grad()
def measured(network: nn.Module, unseen: np.ndarray, small: np.ndarray) -> dict[str, float]:
    """Median PSNR in dB, over the scenes, of the network and of two filters on pictures that were made small."""
    found: dict[str, list[float]] = {"network": [], "lanczos": [], "bicubic": []}
    for wanted, soft in zip(unseen, small, strict=True):
        shown = network(as_input(soft[None], torch.device("cpu")))[0].clamp(0, 1).mul(255).round()
        found["network"].append(_psnr(shown.permute(1, 2, 0).numpy(), wanted))
        for name, kernel in (("lanczos", Image.Resampling.LANCZOS), ("bicubic", Image.Resampling.BICUBIC)):
            found[name].append(_psnr(np.asarray(Image.fromarray(soft).resize((LARGE, LARGE), kernel)), wanted))
    return {name: round(float(np.median(values)), 2) for name, values in found.items()}


def _psnr(shown: np.ndarray, wanted: np.ndarray) -> float:
    error = float(np.mean((shown.astype(np.float64) - wanted) ** 2))
    return 10.0 * float(np.log10(255.0**2 / max(error, 1e-8)))


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=12.0)
    parser.add_argument("--model", type=Path, help="a model whose pictures it is to enlarge")
    parser.add_argument("--scenes", type=int, default=200, help="large scenes to train on")
    parser.add_argument("--processes", type=int, default=2, help="that render, and threads that train")
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()

"""Draw loss curves from the steps' printed lines, without a plotting library.

python -m models.training.curves --out models/starter/loss.png denoiser=unet.log autoencoder=vae.log
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

WIDTH: Final = 420
HEIGHT: Final = 260
MARGIN: Final = 44


def losses(log: Path) -> tuple[np.ndarray, np.ndarray]:
    """Steps and losses as printed, in order."""
    found = re.findall(r"step (\d+)\s+loss ([0-9.]+)", log.read_text())
    rows = np.array([(int(step), float(loss)) for step, loss in found])
    return rows[:, 0], rows[:, 1]


def panel(title: str, steps: np.ndarray, values: np.ndarray) -> Image.Image:
    """One curve on a logarithmic loss axis."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    low, high = np.log(values.min() * 0.97), np.log(values.max() * 1.03)
    x = MARGIN + (WIDTH - MARGIN - 12) * (steps - steps[0]) / max(1.0, steps[-1] - steps[0])
    y = HEIGHT - 30 - (HEIGHT - 62) * (np.log(values) - low) / (high - low)
    draw.rectangle((MARGIN, 28, WIDTH - 10, HEIGHT - 28), outline="#999999")
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill="#2255aa", width=2)
    draw.text((MARGIN, 8), title, fill="black")
    draw.text((4, 28), f"{values.max():.3f}", fill="black")
    draw.text((4, HEIGHT - 40), f"{values.min():.3f}", fill="black")
    draw.text((MARGIN, HEIGHT - 22), f"step {steps[0]:.0f}", fill="black")
    draw.text((WIDTH - 90, HEIGHT - 22), f"step {steps[-1]:.0f}", fill="black")
    return picture


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("logs", nargs="+", help="title=path")
    args = parser.parse_args(argv)
    pairs = [entry.split("=", 1) for entry in args.logs]
    panels = [panel(title, *losses(Path(path))) for title, path in pairs]
    sheet = Image.new("RGB", (WIDTH * len(panels), HEIGHT), "white")
    for index, picture in enumerate(panels):
        sheet.paste(picture, (index * WIDTH, 0))
    sheet.save(args.out)


if __name__ == "__main__":
    main()

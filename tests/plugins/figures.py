"""Figures of a benchmark run, kept as JSON beside a chart."""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import torch

TITLES = {
    "engine": "Pixel-exact batching against its peers (higher is better; red: the bar to reach)",
    "fast-paths": "Ways to compute faster, each against the form without it (higher is better)",
    "shell": "Our routes against bare FastAPI routes (higher is better; red: the bar)",
    "gates": "Networks of real sizes on CUDA (higher is better; red: the bar to reach)",
}
RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results"


def machine() -> dict[str, object]:
    """What the figures were measured on; no names."""
    is_cuda = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if is_cuda else f"CPU, {torch.backends.cpu.get_cpu_capability()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "diffusers", "transformers", "litserve")},
    }


def keep(name: str, figures: dict[str, object], *, chart: str = "engine") -> None:
    """Replace one benchmark's entry of this kind of device, and draw the chart anew."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{chart}-{'cuda' if torch.cuda.is_available() else 'cpu'}.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    known[name] = {"machine": machine(), **figures}
    file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    draw(known, file.with_suffix(".png"), title=TITLES[chart])


def draw(known: dict[str, dict[str, object]], file: Path, *, title: str) -> None:
    """A bar for every ratio, with the bar it has to reach."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = [
        (str(ratio["what"]), float(ratio["ratio"]), ratio.get("bar"))
        for figures in known.values()
        for ratio in figures.get("ratios", [])
    ]
    figure, axes = plt.subplots(figsize=(9, 0.7 * len(rows) + 1.6), layout="constrained")
    places = list(range(len(rows)))[::-1]
    bars = axes.barh(places, [ratio for _, ratio, _ in rows], color="#3b6ea8", height=0.6)
    axes.bar_label(bars, labels=[f"{ratio:.2f}" for _, ratio, _ in rows], padding=4)
    for place, (_, _, bar) in zip(places, rows, strict=True):
        if bar is not None:
            axes.plot([bar, bar], [place - 0.38, place + 0.38], color="#c0392b", linewidth=2)
    axes.axvline(1.0, color="#999999", linewidth=1, linestyle=":")
    axes.set_yticks(places, [what for what, _, _ in rows])
    axes.set_xlim(0, max([ratio for _, ratio, _ in rows] + [1.0]) * 1.15)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)
    plt.close(figure)

"""Train the whole starter model, part by part, within a budget; a call that is cut off goes on where it was.

    python -m models.training.everything --out W --minutes 23 --call-minutes 8.8

Every part has a share of the minutes (SHARES). Each call does what its own minutes allow and packs what there is into
`W/kept`; call it again until it says that all is done. Trained parts lie in `W/vae`, `W/text`, `W/unet`, the model in
`W/starter`, adapters in `W/loras`, the measured table in `W/bench`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from rich import print as show

from models.training import (
    autoencoder,
    bench,
    curves,
    denoiser,
    export,
    few_steps,
    judge,
    latents,
    parcel,
    rendering,
    style_adapter,
    text_encoder,
)
from models.training.world.scene import ADAPTER_STYLES

SHARES: Final = {"text": 0.10, "vae": 0.20, "unet": 0.46, "few_steps": 0.06, "lora": 0.02, "judge": 0.05}
"""Of all minutes. The world is rendered beside the text encoder; what is left over (7 %) goes to latents, export and
bench, which end when they are done."""
RESERVE_S: Final = 25.0
"""Kept free at the end of a call for what follows a part's last step, and for packing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: its name, its command, and its share of the minutes; a part without one ends when it is done."""

    name: str
    work: Callable[[Sequence[str]], bool | None]
    options: tuple[str, ...]
    share: float = 0.0


class Plan:
    """The folders of one run, its parts in order, and the time this call has."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.root, self.start = args, args.out, time.monotonic()
        (self.root / "done").mkdir(parents=True, exist_ok=True)

    def remaining_s(self) -> float:
        """Of this call."""
        return float(self.args.call_minutes * 60.0 - (time.monotonic() - self.start) - RESERVE_S)

    def run(self) -> bool:
        """Do the parts in order.

        Returns:
            Whether all is done; else the call's time is over.
        """
        renderer = self._renderer()
        for part in self._parts():
            if renderer and part.name == "vae":
                renderer.join()
                (self.root / "world" / "whole").touch()
            if self._is_done(part):
                continue
            if self.remaining_s() < 5.0 or not self._done(part):
                break
            self._mark(part.name).write_text(f"{time.monotonic() - self.start:.0f}\n")
        if renderer:
            renderer.join()
        return all(self._is_done(part) for part in self._parts())

    def _is_done(self, part: Part) -> bool:
        """Latents stay on their machine: they are made anew as long as something learns from them."""
        if part.name == "latents":
            return self._mark("few_steps").exists() or (self.root / "latents" / "whole").exists()
        return self._mark(part.name).exists()

    def _done(self, part: Part) -> bool:
        begun, options = time.monotonic(), [*part.options, "--device", self.args.device]
        if part.share:
            minutes = part.share * self.args.minutes
            options += ["--minutes", f"{minutes:.4f}", "--call-minutes", f"{self.remaining_s() / 60.0:.4f}"]
        show(f"[bold]{part.name}[/bold] {self.remaining_s():.0f} s of this call are left")
        is_over = part.work(options)
        show(f"{part.name}: {time.monotonic() - begun:.0f} s")
        return is_over is not False

    def _mark(self, name: str) -> Path:
        return Path(self.root / "done" / name)

    def _renderer(self) -> BaseProcess | None:
        """The world is painted by the processor's cores while the card learns to read."""
        if self._mark("few_steps").exists() or (self.root / "world" / "whole").exists():
            return None
        args = self.args
        options = ["--out", f"{self.root}/world", "--count", str(args.count), "--shard", str(args.shard)]
        options += ["--minutes", f"{max(0.0, args.render_minutes):.3f}", "--processes", str(args.processes)]
        renderer = multiprocessing.get_context("fork").Process(target=rendering.main, args=(options,))
        renderer.start()
        return renderer

    def _parts(self) -> Iterator[Part]:
        yield from self._networks()
        yield from self._finish()

    def _networks(self) -> Iterator[Part]:
        """The parts of the model itself."""
        root, batch, processes = self.root, ("--batch", str(self.args.batch)), ("--processes", str(self.args.processes))
        few: tuple[str, ...] = ("--sayings", str(20 * self.args.renders), "--captions", str(10 * self.args.renders))
        said = few if self.args.renders else ()
        options: tuple[str, ...] = (*_named(root, "out", "text"), *processes, *batch, *said)
        yield Part(name="text", work=text_encoder.main, options=options, share=SHARES["text"])
        options = (*_named(root, "world"), *_named(root, "out", "vae"), *batch)
        yield Part(name="vae", work=autoencoder.main, options=options, share=SHARES["vae"])
        options = (*_named(root, "world"), *_named(root, "vae"), *_named(root, "text"))
        yield Part(name="latents", work=_encoded, options=(*options, *_named(root, "out", "latents"), *processes))
        options = (*_named(root, "latents"), *_named(root, "text"), *_named(root, "out", "unet"), *batch)
        yield Part(name="unet", work=denoiser.main, options=options, share=SHARES["unet"])
        options = (*_named(root, "vae"), *_named(root, "text"), *_named(root, "latents"))
        options = (*options, *_named(root, "unet", "unet/unet"), *_named(root, "out", "starter"))
        yield Part(name="export", work=_exported, options=options)

    def _finish(self) -> Iterator[Part]:
        """What is learnt on the finished model, and what measures it."""
        root, batch, few = self.root, ("--batch", str(self.args.batch)), self.args.renders
        drawn = ("--processes", str(self.args.processes), *(("--renders", str(few)) if few else ()))
        model = _named(root, "model", "starter")
        options: tuple[str, ...] = (*model, *_named(root, "latents"), *_named(root, "out", "few_steps"), *batch)
        yield Part(name="few_steps", work=few_steps.main, options=options, share=SHARES["few_steps"])
        for style in ADAPTER_STYLES:
            options = ("--style", style, *model, *_named(root, "out", "loras"), *drawn, *batch)
            yield Part(name=style, work=style_adapter.main, options=options, share=SHARES["lora"])
        options = (*_named(root, "out", "judge"), *drawn, *batch)
        yield Part(name="judge", work=judge.main, options=options, share=SHARES["judge"])
        options = (*model, *_named(root, "judge"))
        yield Part(name="bench", work=bench.main, options=(*options, *_named(root, "out", "bench"), *self._measured()))
        yield Part(name="curves", work=_curves, options=(str(root),))

    def _measured(self) -> tuple[str, ...]:
        if not self.args.renders:
            return ()
        return (
            "--count",
            "4",
            "--pairs",
            "2",
            "--scenes",
            "2",
            "--compared",
            "2",
            "--steps",
            *("1", "2", "2"),
            "--no-sheet",
        )


def _named(root: Path, option: str, folder: str = "") -> tuple[str, str]:
    """An option that names a folder of the run; where none is said it has the option's name."""
    return f"--{option}", str(root / (folder or option))


def _encoded(options: Sequence[str]) -> None:
    latents.main(options)
    Path(options[options.index("--out") + 1], "whole").touch()


def _exported(options: Sequence[str]) -> None:
    export.main([option for option in options if option not in {"--device", "auto", "cpu", "cuda"}])


def _curves(options: Sequence[str]) -> None:
    root = Path(options[0])
    logs = [
        f"{name}={root}/{name}/steps.log" for name in ("unet", "vae", "text") if (root / name / "steps.log").exists()
    ]
    curves.main(["--out", f"{root}/bench/loss.png", *logs])


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=23.0, help="of training, all calls together")
    parser.add_argument("--call-minutes", type=float, default=8.8, help="of this call")
    parser.add_argument("--count", type=int, default=100_000, help="pictures of the world")
    parser.add_argument("--shard", type=int, default=500)
    parser.add_argument("--render-minutes", type=float, default=2.6)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument(
        "--batch", type=int, default=0, help="pictures a step, for tiny trials; 0 chooses for the device"
    )
    parser.add_argument("--renders", type=int, default=0, help="for tiny trials: renders of adapters and judge")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    args = parser.parse_args(argv)
    is_done = Plan(args).run()
    parts = (
        ("starter", "few_steps", "loras", "judge", "bench")
        if (args.out / "starter").exists()
        else ("text", "vae", "unet")
    )
    names = ("done", *parts)
    count = parcel.pack(args.out / "kept", [args.out / name for name in names])
    show(f"{count} files in {args.out / 'kept'}. " + ("All is done." if is_done else "Call again to go on."))
    return is_done


if __name__ == "__main__":
    main()

"""Put the trained parts together as a diffusers folder.

python -m models.training.export --vae DIR --text DIR --unet DIR --out models/starter
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from rich import print as show
from transformers import CLIPTextModel, CLIPTokenizer

from models.training.denoiser import sampler_config
from models.training.latents import opened_autoencoder, scale_of
from models.training.world.captions import known_words

SHARD: str = "15MB"


def assembled(vae: Path, text: Path, unet: Path, scale: float) -> StableDiffusionPipeline:
    """The pipeline in bfloat16; the autoencoder's configuration says how its latents were scaled."""
    autoencoder = opened_autoencoder(vae).to(torch.bfloat16)
    autoencoder.register_to_config(scaling_factor=scale)
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=CLIPTextModel.from_pretrained(text / "text_encoder").to(torch.bfloat16),
        tokenizer=CLIPTokenizer.from_pretrained(text / "tokenizer"),
        unet=UNet2DConditionModel.from_pretrained(unet).to(torch.bfloat16),
        scheduler=_schedule(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _schedule() -> DDIMScheduler:
    """As it was trained, and with guidance that takes no contrast back, which is little at a scale of 3: so the critics saw it."""
    schedule = sampler_config()
    schedule.register_to_config(guidance_rescale=0.0)
    return schedule


def export(pipeline: StableDiffusionPipeline, out: Path) -> int:
    """Write the folder and its word list; old shards go away.

    Returns:
        Bytes of all weights written.
    """
    parts = [out / name for name, part in pipeline.components.items() if part is not None]
    for old in (weights for part in parts for weights in part.glob("*.safetensors*")):
        old.unlink()
    pipeline.save_pretrained(out, safe_serialization=True, max_shard_size=SHARD)
    for config in (part / "config.json" for part in parts if (part / "config.json").exists()):
        # diffusers notes the folder a part was read from, which is nobody's business
        said = json.loads(config.read_text())
        said.pop("_name_or_path", None)
        config.write_text(json.dumps(said, indent=2) + "\n")
    (out / "vocabulary.json").write_text(json.dumps({"words": known_words()}, indent=1) + "\n")
    return sum(path.stat().st_size for path in out.rglob("*.safetensors"))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--unet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    size = export(assembled(args.vae, args.text, args.unet, scale_of(args.latents)), args.out)
    show(f"{size / 1e6:.1f} MB of weights in {args.out}")


if __name__ == "__main__":
    main()

"""How tensors are called in original checkpoints: the parts, older spellings, and what is no weight
of any part."""

import re
from collections.abc import Iterable

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CLIP = "cond_stage_model.transformer.text_model."
OPEN_CLIP = "cond_stage_model.model."
CLIP_XL = "conditioner.embedders.0.transformer.text_model."
OPEN_CLIP_XL = "conditioner.embedders.1.model."

# Copies of the weights that training averaged, noise schedules, masks and counters, a loss: nothing
# that paints.
CLUTTER = re.compile(
    r"""
    model_ema\. | (.*\.)?position_ids$ | (.*\.)?logit_scale$ | (.*\.)?attn_mask$ | denoiser\. | loss\.
    | first_stage_model\.(loss|model_ema)\.
    | (alphas|betas|sqrt_|log_one_minus|posterior_|logvar|lvlb_weights|scale_factor|global_step)
    | (v_pred|ztsnr)$
    | (cond_stage_model|conditioner\.embedders\.0)\.(transformer\.)?text_projection(\.weight)?$
    """,
    re.VERBOSE,
)
SDXL_PART = "conditioner.embedders.1."
TURBO = ("conditioner.embedders.0.model.", OPEN_CLIP)
BEFORE_TEXT_MODEL = re.compile(r"(cond_stage_model\.transformer\.)(embeddings|encoder|final_layer_norm)\.")


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """Each tensor's plain name, and how the file calls it.

    Two older or rarer spellings are known: CLIP without `text_model.`, and SD Turbo, which is an SD
    2 under SDXL's names.
    """
    given = list(names)
    is_sdxl = any(name.startswith(SDXL_PART) for name in given)
    return {_plain(name, is_sdxl=is_sdxl): name for name in given}


def has_prefix(names: Iterable[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def is_clutter(name: str) -> bool:
    """Whether a tensor may be left behind without a word."""
    return CLUTTER.match(name) is not None


def _plain(name: str, *, is_sdxl: bool) -> str:
    old, new = TURBO
    if not is_sdxl and name.startswith(old):
        return new + name.removeprefix(old)
    return BEFORE_TEXT_MODEL.sub(r"\1text_model.\2.", name, count=1) if name.startswith("cond_stage") else name

"""Which model a file in the original (LDM) form is, known by names and shapes of its tensors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.catalogue import Family
from models.errors import WeightsRejected
from models.request import ImageSize
from models.single_file.header import Header, TensorForm
from models.single_file.naming import (
    CLIP,
    CLIP_XL,
    OPEN_CLIP,
    OPEN_CLIP_XL,
    UNET,
    VAE,
    has_prefix,
    plain_names,
)

WEIGHT_TYPES = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")
PICTURE, INPAINTING = 4, 9
IN_CHANNELS = {
    5: "an SD 2 depth model",
    7: "an x4 upscaler",
    8: "an InstructPix2Pix model",
}
# The first that fits any name of a file without a U-Net is what the file seems to be.
OTHER_KINDS = (
    (r"lora|\.lokr_|\.hada_|\.dora_scale|\.oft_", "a LoRA"),
    (r"^control_model\.|input_hint_block|controlnet_|zero_convs", "a ControlNet"),
    (r"joint_blocks\.", "an SD3 checkpoint"),
    (r"double_blocks\.", "a Flux checkpoint"),
    (r"motion_modules\.", "an AnimateDiff motion module"),
    (r"^(ip_adapter|image_proj)\.", "an IP-Adapter"),
    (r"^(emb_params|clip_l|clip_g|string_to_param.*)$", "a textual inversion"),
    (
        r"^(conv_first|body\.\d+|model\.\d+|params_ema|RDB_trunk|RRDB_trunk|layers\.\d+\.residual_group)\b",
        "an upscaler",
    ),
    (r"^(down_blocks|up_blocks)\.", "one network out of a diffusers folder; add the whole folder instead"),
    (r"^(first_stage_model\.|vae\.)?(encoder|decoder)\.(conv_in|mid|down|up)", "a VAE"),
    (r"text_model\.|resblocks\.|^transformer\.", "a text encoder"),
)


class Prediction(StrEnum):
    """What the network was trained to predict: the noise, or the velocity of Salimans and Ho
    2022."""

    EPSILON = "epsilon"
    V_PREDICTION = "v_prediction"


PREDICTION_WORDS = {
    **dict.fromkeys(("epsilon", "eps", "noise"), Prediction.EPSILON),
    **dict.fromkeys(("v", "v_prediction", "v_pred", "vpred", "velocity"), Prediction.V_PREDICTION),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a file is. `tensors` has plain names; `file_names` says how each is called in the file.

    `is_assumed` says that nothing in the file says its prediction: it is the usual one of the
    family. `has_zero_snr`: it was trained down to pure noise (Lin et al. 2023).
    """

    family: Family
    prediction: Prediction
    is_assumed: bool
    has_zero_snr: bool
    is_inpainting: bool
    native: ImageSize
    tensors: Mapping[str, TensorForm]
    file_names: Mapping[str, str]


def recognize(name: str, header: Header, *, prediction: Prediction | None = None) -> Checkpoint:
    """`prediction` overrules what the file says; `name` is for messages.

    Raises:
        WeightsRejected: it is something else, and the message says what it seems to be; or a part is missing.
    """
    file_names = plain_names(header.tensors)
    tensors = {plain: header.tensors[original] for plain, original in file_names.items()}
    if f"{UNET}input_blocks.0.0.weight" not in tensors:
        raise WeightsRejected(f"{name} is no checkpoint of SD 1.x, SD 2.x or SDXL; it seems to be {_kind(tensors)}.")
    family = _family(name, tensors)
    _refuse_relatives(name, tensors, family)
    stated = prediction or _stated_prediction(name, header, file_names)
    usual = Prediction.V_PREDICTION if _is_large_sd2(family, file_names, tensors) else Prediction.EPSILON
    decided = stated or usual
    return Checkpoint(
        family=family,
        prediction=decided,
        is_assumed=stated is None,
        has_zero_snr="ztsnr" in tensors and decided is Prediction.V_PREDICTION,
        is_inpainting=_in_channels(tensors) == INPAINTING,
        native=_native(family, decided),
        tensors=tensors,
        file_names=file_names,
    )


def _kind(tensors: Mapping[str, TensorForm]) -> str:
    found = (what for pattern, what in OTHER_KINDS if any(re.search(pattern, name) for name in tensors))
    return next(found, "nothing that we know")


def _family(name: str, tensors: Mapping[str, TensorForm]) -> Family:
    if not has_prefix(tensors, VAE):
        raise WeightsRejected(f"{name} holds no VAE ({VAE}*); take a file that has it inside.")
    if has_prefix(tensors, OPEN_CLIP_XL):
        if not has_prefix(tensors, CLIP_XL):
            raise WeightsRejected(f"{name} lacks the first of SDXL's two text encoders ({CLIP_XL}*).")
        return Family.SDXL
    if has_prefix(tensors, OPEN_CLIP):
        return Family.SD2
    if has_prefix(tensors, CLIP):
        return Family.SD1
    raise WeightsRejected(f"{name} holds no text encoder; take a file that has it inside.")


def _refuse_relatives(name: str, tensors: Mapping[str, TensorForm], family: Family) -> None:
    """What is built like one of ours and painted otherwise."""
    channels = _in_channels(tensors)
    if channels not in (PICTURE, INPAINTING):
        kind = IN_CHANNELS.get(channels, f"a model with {channels} input channels")
        raise WeightsRejected(f"{name} seems to be {kind}; we take text-to-image and inpainting models.")
    has_labels = f"{UNET}label_emb.0.0.weight" in tensors
    if has_labels and family is not Family.SDXL:
        raise WeightsRejected(f"{name} seems to be an SDXL refiner or an SD 2 unCLIP model, which do not paint alone.")
    if family is Family.SDXL and not has_labels:
        raise WeightsRejected(f"{name} lacks SDXL's size conditioning ({UNET}label_emb.*).")
    if any(re.match(r"edm_(mean|std)$|edm_vpred\.", tensor) for tensor in tensors):
        raise WeightsRejected(f"{name} was trained on EDM's noise levels (as Playground 2.5), which we do not paint.")
    for tensor, form in tensors.items():
        if tensor.startswith(UNET) and form.dtype not in WEIGHT_TYPES:
            raise WeightsRejected(f"{name} is quantized ({tensor!r} is {form.dtype}); take the file in fp16 or fp32.")


def _in_channels(tensors: Mapping[str, TensorForm]) -> int:
    shape = tensors[f"{UNET}input_blocks.0.0.weight"].shape
    return shape[1] if len(shape) == 4 else 0


def _stated_prediction(name: str, header: Header, file_names: Mapping[str, str]) -> Prediction | None:
    """A marker beside the weights, or the saver's own word (modelspec.prediction_type), which
    trainers spell in several ways.

    Raises:
        WeightsRejected: the word is none that we know.
    """
    if "v_pred" in file_names:
        return Prediction.V_PREDICTION
    word = header.metadata.get("modelspec.prediction_type", "")
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    if plain and plain not in PREDICTION_WORDS:
        ways = " or ".join(Prediction)
        raise WeightsRejected(f"{name} says that it predicts {word!r}, which we do not know; say --prediction {ways}.")
    return PREDICTION_WORDS.get(plain)


def _is_large_sd2(family: Family, file_names: Mapping[str, str], tensors: Mapping[str, TensorForm]) -> bool:
    """SD 2.x at 768 pixels; its base, its inpainting variant and SD Turbo have 512 and predict the
    noise.

    Base and large differ in no name and no shape. SD Turbo alone came in SDXL's way of naming.
    """
    is_turbo = any(original.startswith("conditioner.") for original in file_names.values())
    return family is Family.SD2 and not is_turbo and _in_channels(tensors) == PICTURE


def _native(family: Family, prediction: Prediction) -> ImageSize:
    """SD 2.x was trained on the velocity at 768 pixels and on the noise at 512."""
    is_large_sd2 = family is Family.SD2 and prediction is Prediction.V_PREDICTION
    side = 1024 if family is Family.SDXL else 768 if is_large_sd2 else 512
    return ImageSize(width=side, height=side)

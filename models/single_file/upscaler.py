"""Which network an upscaler's file holds, known by names and shapes in its header.

Two builds are published: a compact chain of convolutions (SRVGG: realesr-general,
realesr-animevideo) and residual dense blocks (RRDB: ESRGAN, Real-ESRGAN). The second goes by three
ways of naming; `names` leads to the newest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isqrt
from pathlib import Path

from models.errors import WeightsRejected
from models.single_file.header import Header, TensorForm, read_header

WEIGHT_TYPES = ("F32", "F16", "BF16")
WRAPPINGS = ("params_ema.", "params.")
RRDB_SCALE = 4
# ESRGAN's first names, and the ones between, to today's.
OLDER_NAMES = (
    (r"^model\.0\.", "conv_first."),
    (r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
    (r"^model\.1\.sub\.\d+\.(weight|bias)$", r"conv_body.\1"),
    (r"^model\.3\.", "conv_up1."),
    (r"^model\.6\.", "conv_up2."),
    (r"^model\.8\.", "conv_hr."),
    (r"^model\.10\.", "conv_last."),
    (r"^RRDB_trunk\.(\d+)\.RDB(\d)\.", r"body.\1.rdb\2."),
    (r"^trunk_conv\.", "conv_body."),
    (r"^upconv(\d)\.", r"conv_up\1."),
    (r"^HRconv\.", "conv_hr."),
)


class Build(StrEnum):
    """SRVGG: `depth` convolutions between the first and the last. RRDB: `depth` blocks, each of
    three dense ones."""

    SRVGG = "srvgg"
    RRDB = "rrdb"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscalerForm:
    """A network's measures. `growth` is what each convolution inside an RRDB adds, 0 in an SRVGG.

    `names` says how the file calls each tensor of the network.
    """

    build: Build
    features: int
    depth: int
    scale: int
    growth: int
    names: Mapping[str, str]


def inspect_upscaler(file: Path) -> UpscalerForm:
    """Raises WeightsRejected: no safetensors file, or no upscaler of the builds we know."""
    return recognize_upscaler(file.name, read_header(file))


def is_upscaler(header: Header) -> bool:
    """Whether its names are an upscaler's; it may still be one that we do not take."""
    return not {"body.0.weight", "conv_first.weight"}.isdisjoint(_plain(header))


def recognize_upscaler(name: str, header: Header) -> UpscalerForm:
    """`name` is for messages.

    Raises:
        WeightsRejected: as `inspect_upscaler`; also where a part is missing, too many, or has another shape.
    """
    names = _plain(header)
    forms = {plain: header.tensors[original] for plain, original in names.items()}
    if "conv_first.weight" in forms:
        found = _rrdb(name, names, forms)
    elif "body.0.weight" in forms:
        found = _srvgg(name, names, forms)
    else:
        raise WeightsRejected(f"{name} is no upscaler of the builds that we know (SRVGG, RRDB).")
    wanted = expected_shapes(found)
    for tensor in sorted(wanted.keys() | forms.keys()):
        form = forms.get(tensor)
        if form is None or tensor not in wanted or form.shape != wanted[tensor] or form.dtype not in WEIGHT_TYPES:
            raise WeightsRejected(f"{name} is no {found.build} upscaler that we know: see its tensor {tensor!r}.")
    return found


def expected_shapes(form: UpscalerForm) -> Mapping[str, tuple[int, ...]]:
    """Every tensor of such a network with its shape."""
    return _srvgg_shapes(form) if form.build is Build.SRVGG else _rrdb_shapes(form)


def _plain(header: Header) -> dict[str, str]:
    """Today's names to the file's."""
    return {_newest(tensor): tensor for tensor in header.tensors}


def _newest(tensor: str) -> str:
    for wrapping in WRAPPINGS:
        tensor = tensor.removeprefix(wrapping)
    for pattern, newer in OLDER_NAMES:
        tensor = re.sub(pattern, newer, tensor)
    return tensor


def _srvgg(name: str, names: Mapping[str, str], forms: Mapping[str, TensorForm]) -> UpscalerForm:
    last = max(int(found[1]) for tensor in forms if (found := re.match(r"body\.(\d+)\.weight$", tensor)))
    features, end = _sides(name, forms["body.0.weight"])[0], _sides(name, forms[f"body.{last}.weight"])[0]
    scale = isqrt(end // 3)
    return UpscalerForm(
        build=Build.SRVGG, features=features, depth=max(last // 2 - 1, 0), scale=scale, growth=0, names=names
    )


def _srvgg_shapes(form: UpscalerForm) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    channels = 3
    for index in range(form.depth + 1):
        shapes |= _convolution(f"body.{2 * index}", channels, form.features)
        shapes[f"body.{2 * index + 1}.weight"] = (form.features,)
        channels = form.features
    return shapes | _convolution(f"body.{2 * form.depth + 2}", channels, 3 * form.scale**2)


def _rrdb(name: str, names: Mapping[str, str], forms: Mapping[str, TensorForm]) -> UpscalerForm:
    """Networks that enlarge less take the picture folded: 2 x 2 pixels, or 4 x 4, in one."""
    features, channels = _sides(name, forms["conv_first.weight"])
    fold = isqrt(max(channels // 3, 1))
    blocks = [int(found[1]) for tensor in forms if (found := re.match(r"body\.(\d+)\.", tensor))]
    dense = forms.get("body.0.rdb1.conv1.weight")
    if dense is None or fold not in (1, 2, 4):
        raise WeightsRejected(
            f"{name} is no rrdb upscaler that we know: its first convolution takes {channels} channels."
        )
    return UpscalerForm(
        build=Build.RRDB,
        features=features,
        depth=max(blocks) + 1,
        scale=RRDB_SCALE // fold,
        growth=_sides(name, dense)[0],
        names=names,
    )


def _rrdb_shapes(form: UpscalerForm) -> dict[str, tuple[int, ...]]:
    features, growth = form.features, form.growth
    shapes = _convolution("conv_first", 3 * (RRDB_SCALE // form.scale) ** 2, features)
    for block in range(form.depth):
        for dense in (1, 2, 3):
            for step in range(5):
                given = features if step == 4 else growth
                shapes |= _convolution(f"body.{block}.rdb{dense}.conv{step + 1}", features + step * growth, given)
    for layer in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        shapes |= _convolution(layer, features, features)
    return shapes | _convolution("conv_last", features, 3)


def _convolution(layer: str, taken: int, given: int) -> dict[str, tuple[int, ...]]:
    return {f"{layer}.weight": (given, taken, 3, 3), f"{layer}.bias": (given,)}


def _sides(name: str, form: TensorForm) -> tuple[int, int]:
    """What a convolution gives and takes."""
    if len(form.shape) != 4 or 0 in form.shape:
        raise WeightsRejected(f"{name} is no upscaler: one of its convolutions has the shape {form.shape}.")
    return form.shape[0], form.shape[1]

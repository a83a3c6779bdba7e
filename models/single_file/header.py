"""The header of a safetensors file: names, types and shapes of its tensors, checked against the
file's length.

Form: 8 bytes of length, that much JSON, then the tensors' bytes without a gap.
Source: https://github.com/huggingface/safetensors, "Format".
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models.errors import WeightsRejected

MAX_HEADER_BYTES = 32 << 20
MAX_NAME_CHARACTERS = 500
MAX_AXES = 8
ITEM_BITS: Mapping[str, int] = {
    **dict.fromkeys(("F64", "I64", "U64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 8),
}
PICKLE_SUFFIXES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04")


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorForm:
    """`dtype` in safetensors' words (F16, BF16 ...)."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * ITEM_BITS[self.dtype] // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`metadata` is what whoever saved the file wrote about it."""

    tensors: Mapping[str, TensorForm]
    metadata: Mapping[str, str]


class _Entry(msgspec.Struct):
    dtype: str
    shape: tuple[int, ...]
    place: tuple[int, int] = msgspec.field(name="data_offsets")


def read_header(file: Path) -> Header:
    """Read the header, and nothing after it.

    Raises:
        WeightsRejected: no safetensors file, or one that is cut off or contradicts itself.
    """
    try:
        with file.open("rb") as content:
            start = content.read(8)
            length = int.from_bytes(start, "little")
            size = file.stat().st_size
            _refuse_other_forms(file, start, opens_header=content.peek(1)[:1] == b"{")
            if len(start) < 8 or not 0 < length <= MAX_HEADER_BYTES:
                raise WeightsRejected(f"{file.name} is no safetensors file: its header would be {length} bytes long.")
            if length > size - 8:
                raise WeightsRejected(f"{file.name} is cut off: {size} bytes do not even hold its header.")
            text = content.read(length)
    except OSError as wrong:
        raise WeightsRejected(f"{file.name} cannot be read: {wrong.strerror}.") from None
    return _parse(file.name, text, tensor_bytes=size - 8 - length)


def _refuse_other_forms(file: Path, start: bytes, *, opens_header: bool) -> None:
    """A length of 640 starts as a pickle does; what follows decides."""
    if file.suffix.lower() in PICKLE_SUFFIXES or (start.startswith(PICKLE_STARTS) and not opens_header):
        raise WeightsRejected(
            f"{file.name} is a pickle, and reading a pickle can run whatever code is inside; "
            "take the model's .safetensors file."
        )
    if start.startswith(b"GGUF"):
        raise WeightsRejected(f"{file.name} is a GGUF file; take the model's .safetensors file.")


def _parse(name: str, text: bytes, *, tensor_bytes: int) -> Header:
    try:
        entries = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        metadata = msgspec.json.decode(entries.pop("__metadata__", b"{}"), type=dict[str, str])
        forms = {tensor: msgspec.json.decode(entry, type=_Entry) for tensor, entry in entries.items()}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise WeightsRejected(f"{name} has a damaged header: {wrong}.") from None
    if wrong_entry := next(_contradictions(forms), None):
        raise WeightsRejected(f"{name} has a damaged header: {wrong_entry}.")
    end = max((form.place[1] for form in forms.values()), default=0)
    if end > tensor_bytes:
        raise WeightsRejected(f"{name} is cut off: {end - tensor_bytes} of its {end} bytes of weights are missing.")
    tensors = {tensor: TensorForm(dtype=form.dtype, shape=form.shape) for tensor, form in forms.items()}
    return Header(tensors=tensors, metadata=metadata)


def _contradictions(forms: Mapping[str, _Entry]) -> Iterator[str]:
    """What is wrong with single entries, then with how they lie beside each other."""
    for name, form in forms.items():
        if len(name) > MAX_NAME_CHARACTERS:
            yield f"a name of {len(name)} characters"
        elif wrong := _contradiction(form):
            yield f"{name!r} {wrong}"
    place = 0
    for start, end in sorted(form.place for form in forms.values()):
        if start != place:
            yield f"the weights at byte {start} do not follow those before"
        place = end


def _contradiction(form: _Entry) -> str | None:
    start, end = form.place
    if form.dtype not in ITEM_BITS:
        return f"has the unknown type {form.dtype!r}"
    if len(form.shape) > MAX_AXES:
        return f"has {len(form.shape)} axes"
    if any(side < 0 for side in form.shape):
        return f"has the shape {form.shape}"
    if end - start != TensorForm(dtype=form.dtype, shape=form.shape).size_bytes:
        return f"has {end - start} bytes, which is not its shape's"
    return None

"""The process in which Pillow meets a stranger's file. Run by its path, with nothing of ours in it; one picture a life.

The file comes through stdin. stdout gets one line of JSON, `{"refused": "..."}` or the sizes, and then the pixels as RGB
bytes, row by row: upright, without profile or metadata, transparent parts white. A mask becomes grey, white where it lets
be painted: `read_as` is "picture", or the rule by which a mask is read.
"""

import json
import resource
import sys
import warnings
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MEMORY_BYTES = 768 << 20  # of address space, the interpreter's own included
CPU_S = 5
# What Pillow's decoders raise on damage; they have no error of their own.
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError, AttributeError)
DAMAGED = "is damaged"
PICTURE, INVERTED = "picture", "inverted "
HALF = 128
TOO_LARGE = "takes more memory to unpack than we give a picture"


class RefusedError(Exception):
    """For the caller, in words that follow the name of the member."""


def main(read_as: str, container: str, *bounds: str) -> None:
    set_bounds()
    answer, pixels = answered(sys.stdin.buffer.read(), read_as, container, *map(int, bounds))
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.write(pixels)
    sys.stdout.buffer.flush()


def set_bounds() -> None:
    """Before anything of the file is looked at. No file can be written, no memory dump left behind."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def answered(content: bytes, read_as: str, container: str, *bounds: int) -> tuple[dict[str, object], bytes]:
    try:
        return read(content, read_as, container, *bounds)
    except RefusedError as refused:
        return {"refused": str(refused)}, b""
    except MemoryError:
        return {"refused": TOO_LARGE}, b""
    except DAMAGE:
        return {"refused": DAMAGED}, b""


def read(
    content: bytes, read_as: str, container: str, max_pixels: int, max_short_side: int, max_ratio: int
) -> tuple[dict[str, object], bytes]:
    """The sizes, upright, as given and as they are now; whether a good part of it is transparent; and the pixels.

    Raises:
        RefusedError: too many pixels, or several pictures. MemoryError, and whatever stands in `DAMAGE`.
    """
    from PIL import AvifImagePlugin, Image, ImageOps  # noqa: PLC0415 - not before the bounds are set

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(BytesIO(content), formats=[container]) as looked_at:
            if getattr(looked_at, "n_frames", 1) > 1:
                raise RefusedError("holds several pictures; send one")
            looked_at.verify()
        with Image.open(BytesIO(content), formats=[container]) as image:
            ImageOps.exif_transpose(image, in_place=True)
            given = image.size
            holes = has_holes(image)
            kept = reduced(flat(image) if read_as == PICTURE else grey(image, read_as), max_short_side, max_ratio)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise RefusedError(f"has too many pixels; at most {max_pixels} are read") from None
    seen: dict[str, object] = {"given": given, "kept": kept.size, "has_holes": holes}
    return seen, kept.convert("RGB").tobytes()


def flat(image: "Image") -> "Image":
    """RGB, transparent parts white, as on paper."""
    from PIL import Image  # noqa: PLC0415

    image = eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper


def grey(mask: "Image", rule: str) -> "Image":
    """L: white where it lets be painted, by one of the rules of `MaskRule`; behind `inverted `, the other way round."""
    from PIL import ImageChops  # noqa: PLC0415

    if rule.startswith(INVERTED):
        return ImageChops.invert(grey(mask, rule.removeprefix(INVERTED)))
    mask = eight_bits(mask)
    alpha = alpha_of(mask)
    is_opaque = alpha.getextrema() == (255, 255)
    if rule == "holes" or (rule == "holes or white" and not is_opaque):
        return ImageChops.invert(alpha)
    if rule == "opaque or white" and not is_opaque:
        return alpha
    return mask.convert("L") if is_opaque else ImageChops.multiply(mask.convert("L"), alpha)


def has_holes(image: "Image") -> bool:
    """Some of it is rather transparent than opaque."""
    darkest, _ = alpha_of(image).getextrema()
    return isinstance(darkest, int | float) and darkest < HALF


def alpha_of(image: "Image") -> "Image":
    """L: how opaque it is."""
    from PIL import Image  # noqa: PLC0415

    if not image.has_transparency_data:
        return Image.new("L", image.size, 255)
    if "A" in image.getbands():
        return image.getchannel("A")
    return image.convert("RGBA").getchannel("A")


def eight_bits(image: "Image") -> "Image":
    """Pillow cuts 16-bit grey off at 255 instead of dividing it."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda level: level / 256).convert("L")


def reduced(image: "Image", max_short_side: int, max_ratio: int) -> "Image":
    """What of it a painting can use: the ends of a long strip are cropped from the centre of every painting, and none
    is larger than the short side."""
    from PIL import Image  # noqa: PLC0415

    short = min(image.size)
    width, height = (min(side, short * max_ratio) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    scale = min(1.0, max_short_side / short)
    sides = (max(1, round(width * scale)), max(1, round(height * scale)))
    if sides == image.size:
        return image
    return image.resize(sides, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))


if __name__ == "__main__":
    main(*sys.argv[1:])

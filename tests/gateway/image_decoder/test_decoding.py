"""Pictures from strangers: read as they look, or refused in words; never a crash, and never much memory."""

import asyncio
import io
import os
import resource
import signal
import subprocess

import pytest
from PIL import Image, ImageCms
from plugins.hostile_pictures import hostile, png_of, two_colours, written

from gateway.image_decoder import ImageDecoder, ImageInvalid, MaskRule
from gateway.image_decoder.child import CPU_S, MEMORY_BYTES
from gateway.image_decoder.fair_slots import FairSlots
from models import MAX_INIT_PIXELS, ImageSize

RED, BLUE = (250, 0, 0), (0, 0, 250)
ORIENTATION = 0x0112


async def read(content):
    return await ImageDecoder().read(content)


def seen(pixels):
    """As an image again."""
    return Image.frombytes("RGB", (pixels.size.width, pixels.size.height), pixels.rgb)


def near(colour, other):
    return all(abs(one - another) < 12 for one, another in zip(colour, other, strict=True))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF"])
async def test_every_form_is_read_as_it_looks(format):
    pixels = await read(written(two_colours(), format))
    assert pixels.size == pixels.given == ImageSize(width=64, height=32)
    assert near(seen(pixels).getpixel((4, 16)), RED)
    assert near(seen(pixels).getpixel((60, 16)), BLUE)


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG", "AVIF"])
async def test_a_picture_is_put_upright(form):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned a quarter clockwise
    pixels = await read(written(two_colours(), form, exif=exif))
    assert pixels.given == pixels.size == ImageSize(width=32, height=64)
    assert near(seen(pixels).getpixel((16, 4)), RED)
    assert near(seen(pixels).getpixel((16, 60)), BLUE)


async def test_what_is_not_pixels_is_gone():
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = await read(written(two_colours(), "PNG"))
    pixels = await read(written(two_colours(), "PNG", exif=exif, icc_profile=profile))
    assert pixels == plain


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (8, 8), 77), (77, 77, 77)),
        (Image.new("1", (8, 8), 1), (255, 255, 255)),
        (Image.new("I;16", (8, 8), 0x8000), (128, 128, 128)),
        (Image.new("RGBA", (8, 8), (200, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (8, 8), (200, 0, 0, 255)), (200, 0, 0)),
        (Image.new("LA", (8, 8), (50, 255)), (50, 50, 50)),
        (Image.new("P", (8, 8), 0), (0, 0, 0)),
    ],
    ids=lambda value: getattr(value, "mode", None),
)
async def test_every_mode_becomes_rgb_and_transparency_white_paper(image, expected):
    assert seen(await read(written(image, "PNG"))).getpixel((4, 4)) == expected


@pytest.mark.parametrize(
    ("rule", "hole_and_white", "hole_and_black", "black_and_white"),
    [
        (MaskRule.HOLES_OR_WHITE, (255, 0), (255, 0), (0, 255)),
        (MaskRule.OPAQUE_OR_WHITE, (0, 255), (0, 255), (0, 255)),
        (MaskRule.INVERTED_OPAQUE_OR_WHITE, (255, 0), (255, 0), (255, 0)),
        (MaskRule.WHITE, (0, 255), (0, 0), (0, 255)),
        (MaskRule.HOLES, (255, 0), (255, 0), (0, 0)),
    ],
)
async def test_each_convention_of_masks_says_where_they_let_be_painted(
    rule, hole_and_white, hole_and_black, black_and_white
):
    """Left and right half of masks that are transparent left, white or black right; and of an opaque one."""
    masks = {colour: Image.new("RGBA", (64, 32), colour) for colour in ("white", "black")}
    for mask in masks.values():
        mask.paste((255, 255, 255, 0), (0, 0, 32, 32))
    opaque = Image.new("RGBA", (64, 32), "black")
    opaque.paste("white", (32, 0, 64, 32))
    for mask, halves in (
        (masks["white"], hole_and_white),
        (masks["black"], hole_and_black),
        (opaque, black_and_white),
        (opaque.convert("P"), black_and_white),
    ):
        read_mask = seen(await ImageDecoder().read_mask(written(mask, "PNG"), rule))
        assert (read_mask.getpixel((8, 16)), read_mask.getpixel((56, 16))) == tuple((level,) * 3 for level in halves)
    if rule is MaskRule.HOLES_OR_WHITE:
        grey = Image.linear_gradient("L").resize((64, 32))
        assert seen(await ImageDecoder().read_mask(written(grey, "PNG"), rule)).convert("L").tobytes() == grey.tobytes()


async def test_a_picture_with_holes_is_known_by_them():
    assert not (await read(written(two_colours().convert("RGBA"), "PNG"))).has_holes
    cut = two_colours().convert("RGBA")
    cut.paste((0, 0, 0, 0), (0, 0, 4, 4))
    assert (await read(written(cut, "PNG"))).has_holes


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((2048, 2048), (2048, 2048)),
        ((2049, 2100), (2048, 2099)),
        ((4096, 4096), (2048, 2048)),
        ((4000, 100), (800, 100)),
    ],
)
async def test_what_no_painting_can_use_is_left_out(given, kept):
    pixels = await read(written(Image.new("RGB", given, "green"), "JPEG"))
    assert (pixels.given.width, pixels.given.height) == given
    assert (pixels.size.width, pixels.size.height) == kept
    assert len(pixels.rgb) == pixels.size.pixels * 3


async def test_pixels_are_counted_up_to_the_bound_and_not_one_row_beyond():
    side = 8192
    assert side * side == MAX_INIT_PIXELS
    image = io.BytesIO()
    Image.new("1", (side, side)).save(image, "PNG")
    assert (await read(image.getvalue())).given == ImageSize(width=side, height=side)
    image = io.BytesIO()
    Image.new("1", (side, side + 1)).save(image, "PNG")
    with pytest.raises(ImageInvalid, match="too many pixels"):
        await read(image.getvalue())


async def test_hostile_files_are_refused_in_words_and_never_take_much_memory():
    decoder, files = ImageDecoder(), hostile()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # of what other tests of this worker started
    refused = await asyncio.gather(*(decoder.read(content) for content in files.values()), return_exceptions=True)
    let_through = [name for name, why in zip(files, refused, strict=True) if not isinstance(why, ImageInvalid)]
    assert let_through == []
    assert all(why.field == "image" and why.message.startswith("`image` ") for why in refused)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert peak <= max(before, MEMORY_BYTES)


async def test_a_bomb_that_must_be_unpacked_ends_at_the_bound_of_memory_or_time():
    assert (MEMORY_BYTES, CPU_S) == (768 << 20, 5)
    rows = png_of(8192, 8192, b"")  # as many pixels as are allowed, and no rows at all
    with pytest.raises(ImageInvalid, match="damaged"):
        await read(rows)


async def test_who_leaves_takes_the_process_along():
    decoder = ImageDecoder()
    large = written(Image.effect_noise((1500, 1500), 80), "PNG")
    reading = asyncio.create_task(decoder.read(large))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await decoder.read(written(two_colours(), "PNG"))).size.width == 64


def readers() -> list[int]:
    """The processes that read pictures for this one."""
    asked = ["pgrep", "-f", "-P", str(os.getpid()), "image_decoder/child.py"]
    return [int(pid) for pid in subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()]


async def test_a_reader_that_somebody_else_killed_is_not_the_pictures_fault():
    reading = asyncio.create_task(ImageDecoder().read(written(two_colours(), "PNG")))
    while not (found := readers()):
        await asyncio.sleep(0)
        assert not reading.done()
    os.kill(found[0], signal.SIGKILL)  # as the kernel does when another process needs memory
    assert (await reading).size.width == 64


async def test_one_account_with_very_many_pictures_does_not_hold_up_another():
    slots, order = FairSlots(1), []

    async def use(account: str) -> None:
        async with slots.slot(account):
            order.append(account)
            await asyncio.sleep(0)

    users = [asyncio.create_task(use(account)) for account in ["ada"] * 20 + ["ben", "cyd", "ben"]]
    await asyncio.sleep(0)
    users[3].cancel()  # who leaves takes no turn
    await asyncio.gather(*users, return_exceptions=True)
    assert {"ben", "cyd"} <= set(order[:4])
    assert order.index("ben") < 3
    assert len(order) == 22
    await asyncio.wait_for(use("ada"), timeout=10)

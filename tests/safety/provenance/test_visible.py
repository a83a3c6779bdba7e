"""Marks that must be read on any ground, and that change nothing else."""

import pytest
from PIL import Image, ImageChops

from models import ImageSize
from safety.provenance import Mark, marked

SIDE = 512


def drawn(image, *marks):
    size = ImageSize(width=image.width, height=image.height)
    return Image.frombytes("RGB", image.size, marked(image.tobytes(), size, marks))


def grounds():
    stripes = Image.new("RGB", (SIDE, SIDE))
    stripes.paste(Image.new("RGB", (4, SIDE), "white").resize((SIDE // 2, SIDE)), (0, 0))
    noise = Image.effect_noise((SIDE, SIDE), 120).convert("RGB")
    plain = {name: Image.new("RGB", (SIDE, SIDE), name) for name in ("white", "black", "grey", "red", "yellow")}
    return {**plain, "noise": noise, "stripes": stripes}


def contrast(image):
    """WCAG 2.2: the relative luminance of the lightest against that of the darkest pixels, 1 to 21."""
    levels = sorted(image.convert("L").tobytes())
    dark, light = ((levels[len(levels) * part // 100] / 255) ** 2.2 for part in (20, 98))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", grounds())
def test_the_label_has_the_contrast_of_small_print_on_any_ground(name):
    labelled = drawn(grounds()[name], Mark.LABEL)
    words = labelled.crop((SIDE - 150, SIDE - 44, SIDE - 24, SIDE - 22))
    assert contrast(words) >= 4.5


def test_the_label_touches_its_corner_alone():
    ground = grounds()["noise"]
    labelled = drawn(ground, Mark.LABEL)
    corner = (SIDE * 2 // 3 - 20, SIDE - 64)
    for box in ((0, 0, SIDE, corner[1]), (0, 0, corner[0], SIDE)):
        assert labelled.crop(box).tobytes() == ground.crop(box).tobytes()
    assert labelled.tobytes() != ground.tobytes()


@pytest.mark.parametrize("name", grounds())
def test_the_test_mark_is_seen_in_every_quarter_and_lets_the_picture_through(name):
    ground = grounds()[name]
    watermarked = drawn(ground, Mark.TEST)
    half = SIDE // 2
    for left in (0, half):
        for top in (0, half):
            box = (left, top, left + half, top + half)
            difference = ImageChops.difference(watermarked.crop(box), ground.crop(box)).tobytes()
            changed = sum(level > 40 for level in difference) / len(difference)
            assert 0.02 < changed < 0.5


@pytest.mark.parametrize("size", [(16, 16), (64, 400), (400, 30), (1920, 512)])
def test_every_size_takes_every_mark(size):
    plain = Image.new("RGB", size, "teal")
    for marks in ((Mark.LABEL,), (Mark.TEST,), (Mark.LABEL, Mark.TEST)):
        assert drawn(plain, *marks).size == size
        assert drawn(plain, *marks).tobytes() != plain.tobytes()


def test_the_same_pixels_and_marks_give_the_same_and_none_change_nothing():
    ground = grounds()["noise"]
    assert drawn(ground, Mark.TEST, Mark.LABEL).tobytes() == drawn(ground, Mark.LABEL, Mark.TEST).tobytes()
    assert drawn(ground).tobytes() == ground.tobytes()

import pytest

from router import Styles, choose_style


def chosen(prompt: str, styles: Styles) -> tuple[str, str]:
    choice = choose_style(prompt, styles.all(), default="digital-art")
    return choice.style, choice.reason


@pytest.mark.parametrize(
    ("prompt", "style"),
    [
        ("a watercolor of a fishing village", "watercolor"),
        ("Aquarelle, a quiet pond", "watercolor"),
        ("photo of a dog on a beach", "photographic"),
        ("a DSLR portrait of an old man", "photographic"),
        ("oil on canvas, stormy sea", "oil-painting"),
        ("an 8-bit castle", "pixel-art"),
        ("pixel-art sword icon", "pixel-art"),
        ("anime girl under a cherry tree", "anime"),
        ("a comic book hero leaping over roofs", "comic-book"),
        ("isometric office with tiny people", "isometric"),
        ("3D render of a teapot", "3d-render"),
        ("low-poly fox", "low-poly"),
        ("a cyberpunk alley", "neon-punk"),
        ("cinematic shot of a train in snow", "cinematic"),
        ("35mm film, a diner at night", "analog-film"),
        ("packshot of a perfume bottle", "product"),
        ("line art of a bicycle", "line-art"),
        ("pen and ink sketch of a harbour", "line-art"),
        ("fantasy art, a dragon above a city", "fantasy-art"),
        ("concept art of a desert outpost", "digital-art"),
        ("not a watercolor, a photo of a cat", "photographic"),
        ("a photo instead of an oil painting", "photographic"),
        ("an oil painting of a photographer", "oil-painting"),
    ],
)
def test_a_style_named_in_the_prompt_is_taken(styles: Styles, prompt: str, style: str) -> None:
    assert chosen(prompt, styles) == (style, "phrase")


@pytest.mark.parametrize(
    "prompt",
    [
        "a red lighthouse by the sea at sunset",
        "a photo album on a table",
        "a polaroid camera on a shelf",
        "a lighthouse without any watercolor look",
        "no anime",
        "neon tetra in an aquarium",
        "a man reading a comic book store sign",
        "the photon and the animator",
        "日本の灯台",
        "?!",
    ],
)
def test_a_prompt_that_names_no_style_gets_the_default(styles: Styles, prompt: str) -> None:
    assert chosen(prompt, styles) == ("digital-art", "default")


@pytest.mark.parametrize(
    "prompt", ["a watercolor of a boat", "Pixel art castle", "a boat", "not anime, a low poly fox"]
)
def test_case_and_a_full_stop_change_nothing(styles: Styles, prompt: str) -> None:
    for variant in (prompt.upper(), prompt.lower(), prompt + ".", "  " + prompt + " !"):
        assert chosen(variant, styles) == chosen(prompt, styles)


def test_a_negation_ends_with_its_clause(styles: Styles) -> None:
    assert chosen("no people, watercolor", styles) == ("watercolor", "phrase")
    assert chosen("no watercolor", styles) == ("digital-art", "default")

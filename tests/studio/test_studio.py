"""The page as a person uses it, in a real browser; the fixture `page` fails a test whose browser complained."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KEY = "px_live_studio"
PROMPT = "a red lighthouse by the sea at sunset"
STUDIO = Path(__file__).parents[2] / "gateway" / "studio"

Page = Any
House = Any


@pytest.fixture
def visit(page: Page, house: House) -> Callable[[], Page]:
    """Open the page as the link that `make serve` prints does: with the key in the fragment."""

    def open_with_key() -> Page:
        page.goto(f"{house.address}/#key={KEY}")
        page.get_by_role("button", name="Key of home").wait_for()
        return page

    return open_with_key


def paint(page: Page, prompt: str = PROMPT) -> None:
    page.get_by_label("What should be painted?").fill(prompt)
    page.get_by_role("button", name="Generate").click()
    page.locator("#plate").wait_for()
    page.get_by_role("button", name="Generate", exact=True).wait_for()


def test_a_prompt_becomes_a_picture_with_its_facts(visit, house) -> None:
    page = visit()
    paint(page)
    assert house.asked == [{"prompt": PROMPT, "style": "auto", "async": True}]
    assert page.get_by_role("img", name=PROMPT).first.evaluate("image => image.naturalWidth") == 512
    plate = page.locator("#plate").inner_text()
    for fact in (PROMPT, "Watercolour", "512 \u00d7 512", "seed 4829301", "0.8 s", "starter pinxit"):
        assert fact in plate


def test_words_that_the_model_does_not_know_are_marked_and_said(visit, house) -> None:
    house.warnings = [{"code": "unknown_words", "message": "It does not know: samurai.", "words": ["samurai"]}]
    page = visit()
    page.get_by_label("What should be painted?").fill("a neon Samurai in a city")
    page.get_by_role("button", name="Generate").click()
    page.locator("#plate-warnings li", has_text="It does not know: samurai.").wait_for()
    assert page.locator("#plate-title s").all_inner_texts() == ["Samurai"]
    assert page.locator("#plate-title").inner_text() == "a neon Samurai in a city"


def test_the_picture_is_loaded_from_this_server_whatever_name_it_gives_itself(visit) -> None:
    page = visit()
    paint(page)
    assert page.locator("#picture").get_attribute("src") == "/img/512x512-4829301.png"


def test_progress_is_shown_in_steps_and_time(visit, house) -> None:
    page = visit()
    house.steps = 6
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text(re.compile(r"Step [3-5] of 6 · about \d+ s left")).wait_for()
    assert 0 < page.get_by_role("progressbar").evaluate("bar => bar.value") < 1
    page.locator("#plate").wait_for()
    assert not page.locator("#working").is_visible()


def test_in_the_queue_it_says_how_many_are_before_this_one(visit, house) -> None:
    """`queue_position` counts those ahead: 0 is next."""
    page = visit()
    house.ahead = 2
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("2 pictures before this one").wait_for()
    house.ahead = 1
    page.get_by_text("1 picture before this one").wait_for()
    house.ahead = 0
    page.locator("#plate").wait_for()
    assert not page.get_by_text("before this one").is_visible()


@pytest.mark.parametrize(
    ("ahead", "line"),
    [
        (None, "Next in line …"),
        (0, "Next in line …"),
        (1, "1 picture before this one …"),
        (7, "7 pictures before this one …"),
    ],
)
def test_the_line_for_the_queue_counts_from_nobody_ahead(page, house, ahead, line) -> None:
    page.goto(house.address)
    said = page.evaluate(
        """async position => {
            const words = await import("/studio/words.js");
            return words.progressLine({ status: "queued", queue_position: position }, null, 0);
        }""",
        ahead,
    )
    assert said == line


def test_a_second_click_while_painting_asks_for_nothing(visit, house) -> None:
    page = visit()
    page.get_by_label("What should be painted?").fill(PROMPT)
    for _ in range(3):
        page.keyboard.press("Control+Enter")
    page.locator("#plate").wait_for()
    assert len(house.asked) == 1


def test_every_choice_reaches_the_server(visit, house) -> None:
    page = visit()
    page.get_by_role("radio", name="Line art").check()
    page.get_by_label("Size").select_option("1280x768")
    page.get_by_label("Quality").select_option("hd")
    page.get_by_label("Seed", exact=True).fill("42")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("What must not be in it").fill("people")
    page.get_by_label("Upscale").check()
    paint(page)
    assert house.asked == [
        {
            "prompt": PROMPT,
            "style": "line-art",
            "width": 1280,
            "height": 768,
            "quality": "hd",
            "seed": 42,
            "negative_prompt": "people",
            "upscale": True,
            "async": True,
        }
    ]


def test_every_pair_of_sides_is_offered(visit) -> None:
    sizes = visit().get_by_label("Size").locator("option").evaluate_all("all => all.map(one => one.value)")
    sides = (512, 768, 1024, 1280, 1920)
    assert set(sizes) == {"", *(f"{width}x{height}" for width in sides for height in sides)}


def test_sizes_beyond_the_plan_cannot_be_chosen(visit, house) -> None:
    house.max_side = 1024
    page = visit()
    assert page.locator("#size option[value='1280x512']").is_disabled()
    assert page.locator("#size option[value='1024x1024']").is_enabled()


def test_styles_that_no_model_can_paint_are_not_offered(visit) -> None:
    names = visit().get_by_role("radio").evaluate_all("all => all.map(one => one.value)")
    assert "watercolor" in names
    assert "anime" not in names


def test_control_and_enter_paint(visit, house) -> None:
    page = visit()
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.keyboard.press("Control+Enter")
    page.locator("#plate").wait_for()
    assert len(house.asked) == 1


def test_the_page_works_by_keyboard_alone(visit, house) -> None:
    page = visit()
    page.locator("#prompt").focus()
    page.keyboard.type(PROMPT)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # the next style
    assert page.locator("#styles input:checked").get_attribute("value") == "analog-film"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "generate":
            break
    page.keyboard.press("Enter")
    page.locator("#plate").wait_for()
    assert house.asked[0]["style"] == "analog-film"


def test_the_seed_of_the_picture_is_kept_and_let_go(visit, house) -> None:
    page = visit()
    paint(page)
    keep = page.get_by_role("button", name="Keep the seed")
    keep.click()
    assert page.get_by_label("Seed", exact=True).input_value() == "4829301"
    assert keep.get_attribute("aria-pressed") == "true"
    keep.click()
    assert page.get_by_label("Seed", exact=True).input_value() == ""
    assert keep.get_attribute("aria-pressed") == "false"


def test_before_the_first_picture_the_lock_draws_a_seed(visit) -> None:
    page = visit()
    page.get_by_role("button", name="Keep the seed").click()
    assert 0 <= int(page.get_by_label("Seed", exact=True).input_value()) < 2**32


@pytest.mark.parametrize("seed", ["-1", "4294967296", "1.5", "seven"])
def test_a_seed_that_is_none_is_caught_before_it_is_sent(seed: str, visit, house) -> None:
    page = visit()
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_label("Seed", exact=True).fill(seed)
    page.get_by_role("button", name="Generate").click()
    assert "whole number" in page.get_by_role("alert").first.inner_text()
    assert page.locator("#seed").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "seed"
    assert house.asked == []


def test_an_empty_prompt_is_caught_before_it_is_sent(visit, house) -> None:
    page = visit()
    page.get_by_role("button", name="Generate").click()
    assert page.get_by_text("Say what should be painted.").is_visible()
    assert house.asked == []


def test_a_prompt_is_counted_in_characters_not_in_halves_of_them(visit, house) -> None:
    page = visit()
    page.get_by_label("What should be painted?").fill("🎨" * 1500)
    assert page.get_by_text("0 characters left").is_visible()
    page.get_by_label("What should be painted?").fill("🎨" * 1501)
    assert page.get_by_text("1 characters too many").is_visible()
    page.get_by_role("button", name="Generate").click()
    assert house.asked == []


def test_the_key_leaves_the_address_and_stays_in_the_browser(visit, house) -> None:
    page = visit()
    assert page.url == f"{house.address}/"
    assert page.evaluate("localStorage.getItem('pinxit.key')") == KEY
    page.reload()
    page.get_by_text("Key of home").wait_for()
    assert not page.get_by_role("dialog").is_visible()


def test_without_a_key_the_page_asks_for_one_and_refuses_a_wrong_one(page, house) -> None:
    page.goto(house.address)
    dialog = page.get_by_role("dialog", name="Your key")
    dialog.get_by_label("API key").fill("px_live_wrong")
    dialog.get_by_role("button", name="Use this key").click()
    dialog.get_by_text("This API key is not valid.").wait_for()
    dialog.get_by_label("API key").fill(f" {KEY} ")
    dialog.get_by_role("button", name="Use this key").click()
    page.get_by_text("Key of home").wait_for()
    assert not dialog.is_visible()


def test_a_key_that_was_revoked_leads_to_the_key_dialog(page, house) -> None:
    page.goto(f"{house.address}/#key=px_live_revoked")
    page.get_by_role("button", name="Use another key").click()
    assert page.get_by_role("dialog", name="Your key").is_visible()


@pytest.mark.parametrize(
    ("refusal", "retry_after", "words", "way_out"),
    [
        ((402, "insufficient_credits", "This needs 2 credits.", None), None, "can grant more", "Use another key"),
        ((429, "rate_limit_exceeded", "Too many requests.", None), "42", "Free again in 42 s.", "Try again"),
        ((503, "overloaded", "The queue is full.", None), "90", "Free again in 1 min 30 s.", "Try again"),
        ((500, "internal_error", "Something broke.", None), None, "Something broke.", "Try again"),
    ],
)
def test_a_refusal_is_shown_in_words_with_a_way_out(refusal, retry_after, words, way_out, visit, house) -> None:
    page = visit()
    house.refusal, house.retry_after = refusal, retry_after
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name=way_out).wait_for()
    assert refusal[2] in page.locator("#trouble").inner_text()
    assert words in page.locator("#trouble").inner_text()
    assert page.get_by_role("button", name="Generate").is_enabled()


def test_try_again_asks_again(visit, house) -> None:
    page = visit()
    house.refusal = (429, "rate_limit_exceeded", "Too many requests.", None)
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Try again").wait_for()
    house.refusal = None
    page.get_by_role("button", name="Try again").click()
    page.locator("#plate").wait_for()
    assert not page.locator("#trouble").is_visible()
    assert len(house.asked) == 1


def test_a_refused_member_is_pointed_at_even_where_it_is_folded_away(visit, house) -> None:
    page = visit()
    house.refusal = (400, "negative_prompt_too_long", "`negative_prompt` is too long.", "negative_prompt")
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("is too long").wait_for()
    assert page.get_by_label("What must not be in it").get_attribute("aria-invalid") == "true"
    assert page.get_by_label("What must not be in it").is_visible()


def test_a_painting_that_fails_says_why(visit, house) -> None:
    page = visit()
    house.failure = "The device had no room for this picture."
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("no room").wait_for()
    assert page.get_by_text("The canvas is empty.").is_visible()


def test_a_word_of_the_server_is_text_and_never_markup(visit, house) -> None:
    page = visit()
    house.refusal = (400, "invalid_parameter", "<img src=x onerror=alert(1)><b>bold</b>", None)
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("<b>bold</b>").wait_for()
    assert page.locator("#trouble img, #trouble b").count() == 0


def test_a_server_that_is_gone_is_said_so(visit, page) -> None:
    visit()
    page.context.set_offline(True)
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("The server does not answer.").wait_for()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    page.locator("#plate").wait_for()
    assert not page.locator("#trouble").is_visible()


def test_the_picture_is_saved_under_a_name_with_its_seed(visit) -> None:
    page = visit()
    paint(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == "pinxit-4829301.png"


def test_the_copied_curl_line_asks_for_the_same_picture(visit, house) -> None:
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    prompt = 'it\'s a "quoted" boat, $HOME `x` \\ 100%\n🎨'
    paint(page, prompt)
    page.get_by_role("button", name="Copy as curl").click()
    page.get_by_role("button", name="Copied, with your key").wait_for()
    words = shlex.split(page.evaluate("navigator.clipboard.readText()").replace("\\\n", " "))
    assert words[:3] == ["curl", "-sS", f"{house.address}/v1/generate"]
    assert f"Authorization: Bearer {KEY}" in words
    assert json.loads(words[words.index("-d") + 1]) == {"prompt": prompt, "style": "auto", "seed": 4829301}


def test_earlier_pictures_hang_in_the_strip_and_come_back_with_their_settings(visit, house) -> None:
    house.generations = [
        house.finished(prompt="a boat", seed=1, style="watercolor", width=768, height=512),
        house.finished(prompt="a tower", seed=2),
        house.finished(prompt="a failure", seed=3, status="failed"),
    ]
    page = visit()
    assert page.get_by_role("navigation", name="Painted before").get_by_role("button").count() == 2
    page.get_by_role("button", name="a boat").click()
    page.locator("#plate-title", has_text="a boat").wait_for()
    assert page.get_by_role("button", name="a boat").get_attribute("aria-current") == "true"
    page.get_by_role("button", name="Use these settings").click()
    assert page.get_by_label("What should be painted?").input_value() == "a boat"
    assert page.get_by_label("Size").input_value() == "768x512"
    assert page.get_by_label("Seed", exact=True).input_value() == "1"
    assert page.get_by_role("radio", name="Watercolour").is_checked()


def test_an_enlarged_picture_is_asked_for_again_by_its_size_before(visit, house) -> None:
    house.generations = [house.finished(width=2048, height=3072)]
    page = visit()
    page.get_by_role("button", name="Use these settings").click()
    assert page.get_by_label("Size").input_value() == "512x768"
    assert page.locator("#upscale").is_checked()


def test_a_reload_while_painting_goes_on_watching(visit, house) -> None:
    page = visit()
    house.is_held = True
    page.get_by_label("What should be painted?").fill(PROMPT)
    with page.expect_response("**/v1/generate"):
        page.get_by_role("button", name="Generate").click()
    page.locator("#working").wait_for()
    page.get_by_text("Step 0 of 1").or_(page.get_by_text("Painting …")).first.wait_for()
    house.generations[-1]["status"] = "processing"
    page.reload()
    page.locator("#working").wait_for()
    house.generations[-1]["status"] = "completed"
    house.is_held = False
    page.locator("#plate").wait_for()
    assert len(house.asked) == 1


def test_beginnings_are_offered_on_an_empty_canvas(visit) -> None:
    page = visit()
    page.get_by_role("button", name="a blue boat on a lake at night").click()
    assert page.get_by_label("What should be painted?").input_value() == "a blue boat on a lake at night"


@pytest.mark.parametrize("width", [360, 390, 768, 1280, 1920])
def test_nothing_sticks_out_at_any_width(width: int, visit, page, house) -> None:
    house.generations = [house.finished(seed=seed, prompt="ein " + "Donaudampfschiff" * 8) for seed in range(24)]
    page.set_viewport_size({"width": width, "height": 800})
    visit()
    page.locator("#plate").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(scheme: str, visit, page) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for text of this size."""
    page.emulate_media(color_scheme=scheme)
    visit()
    paint(page)
    grounds = {"#prompt": "#prompt", "#style-says": ".desk", "#generate": "#generate", "#plate-facts": "html"}
    for words, ground in grounds.items():
        inks = page.evaluate(
            "([words, ground]) => [getComputedStyle(document.querySelector(words)).color,"
            " getComputedStyle(document.querySelector(ground)).backgroundColor]",
            [words, ground],
        )
        assert contrast(*inks) >= 4.5, (words, inks)


def test_every_control_has_a_name(visit, page) -> None:
    visit()
    paint(page)
    page.get_by_text("More", exact=True).click()
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea, a')].filter(one => one.checkVisibility() &&"
        " !(one.labels?.length || one.ariaLabel || one.textContent.trim() || one.querySelector('img[alt]'))).length"
    )
    assert nameless == 0


def test_the_end_is_announced_once_and_steps_are_not(visit, page) -> None:
    visit()
    page.evaluate(
        "window.heard = []; new MutationObserver(() => heard.push(document.querySelector('#said').textContent))"
        ".observe(document.querySelector('#said'), {childList: true})"
    )
    paint(page)
    assert page.evaluate("heard") == ["Painting has begun.", f"Painted: {PROMPT}"]


def test_the_files_hold_no_inline_script_or_style_and_nothing_from_elsewhere() -> None:
    html = (STUDIO / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", html)
    for file in STUDIO.iterdir():
        addresses = set(re.findall(r"https?://[\w./-]+", file.read_text())) - {"http://www.w3.org/2000/svg"}
        assert addresses == set(), file.name


def contrast(*colours: str) -> float:
    """Source: WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted(map(luminance, colours))
    return (high + 0.05) / (low + 0.05)

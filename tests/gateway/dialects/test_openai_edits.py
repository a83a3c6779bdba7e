"""`POST /v1/images/edits` and `/variations`, as openai-python and LiteLLM send them."""

import io

from PIL import Image


def png(*, size=(64, 48), colour=(200, 30, 30), hole=None):
    """A picture; `hole` is a box of it that is transparent."""
    image = Image.new("RGBA", size, (*colour, 255))
    if hole is not None:
        image.paste((0, 0, 0, 0), hole)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def edited(gateway, files, path="edits", **texts):
    texts = {"prompt": "a blue boat", **texts} if path == "edits" else texts
    headers = {"Authorization": f"Bearer {gateway.key}"}
    files = [(name, (f"{name}.png", content, "image/png")) for name, content in files]
    return await gateway.http.post(f"/v1/images/{path}", data=texts, files=files, headers=headers)


def painted(gateway):
    return gateway.engine.painted[-1]


async def test_a_form_with_one_picture_is_painted_from_it(gateway):
    answered = await edited(gateway, [("image[]", png())], n="2", model="gpt-image-2", seed="7")
    assert answered.status_code == 200, answered.text
    body = answered.json()
    assert [set(item) for item in body["data"]] == [{"b64_json", "revised_prompt", "seed"}] * 2
    assert body["usage"]["input_tokens_details"]["image_tokens"] == 1
    assert painted(gateway).init_image.strength == 0.6


async def test_auto_keeps_the_pictures_ratio_at_the_models_own_area(gateway):
    assert (await edited(gateway, [("image", png(size=(600, 300)))])).json()["size"] == "720x368"
    assert (await edited(gateway, [("image", png())], size="512x768")).json()["size"] == "512x768"


async def test_inside_a_mask_everything_is_painted_anew(gateway):
    files = [("image", png()), ("mask", png(hole=(0, 0, 32, 48)))]
    assert (await edited(gateway, files)).status_code == 200
    first = painted(gateway).init_image
    assert first.strength == 1.0
    assert first.mask_sha256 is not None
    assert (await edited(gateway, files, strength="0.5")).status_code == 200
    assert painted(gateway).init_image == type(first)(sha256=first.sha256, mask_sha256=first.mask_sha256, strength=0.5)


def kept_mask(gateway, id, init):
    """The mask as it is kept for the painting."""
    folder = gateway.installation.settings.data_dir / "pictures" / "gen" / id / "from"
    return Image.open(folder / init.mask_sha256).convert("L")


async def test_a_hole_in_the_picture_is_the_mask_where_none_is_sent(gateway):
    made = (await edited(gateway, [("image", png(hole=(0, 0, 32, 48)))])).json()
    init = painted(gateway).init_image
    mask = kept_mask(gateway, made["generation_id"], init)
    assert (mask.getpixel((8, 24)), mask.getpixel((56, 24)), init.strength) == (255, 0, 1.0)
    assert (await edited(gateway, [("image", png(hole=(0, 0, 32, 48)))], path="variations")).status_code == 200
    assert painted(gateway).init_image.mask_sha256 is None


async def test_an_edit_is_streamed_under_its_own_names(gateway):
    answered = await edited(gateway, [("image", png())], stream="true", partial_images="0")
    assert answered.headers["content-type"].startswith("text/event-stream")
    assert answered.text.startswith("event: image_edit.completed\n")


async def test_a_variation_needs_no_words(gateway):
    answered = await edited(gateway, [("image", png())], path="variations", n="1", response_format="b64_json")
    assert answered.status_code == 200, answered.text
    assert painted(gateway).init_image.strength == 0.7


async def test_what_breaks_a_rule_is_named(gateway):
    for files, texts, code, param in [
        ([("other", b"x")], {}, "missing_parameter", "image"),
        ([("image[]", png()), ("image[]", png())], {}, "invalid_parameter", "image"),
        ([("image", png()), ("mask", png(size=(8, 8)))], {}, "invalid_image", "mask"),
        ([("image", png()), ("mask", png(colour=(0, 0, 0)))], {}, "invalid_image", "mask"),
        ([("image", b"no picture")], {}, "invalid_image", "image"),
        ([("image", png())], {"prompt": ""}, "missing_parameter", "prompt"),
        ([("image", png())], {"n": "many"}, "invalid_parameter", "n"),
        ([("image", png())], {"strength": "2"}, "invalid_parameter", "strength"),
        ([("image", png())], {"prompt": "a naked child"}, "moderation_blocked", None),
    ]:
        answered = await edited(gateway, files, **texts)
        error = answered.json()["error"]
        assert (answered.status_code, error["code"], error["param"]) == (400, code, param)


async def test_json_is_not_taken(gateway):
    headers = {"Authorization": f"Bearer {gateway.key}"}
    answered = await gateway.http.post("/v1/images/edits", json={"prompt": "x"}, headers=headers)
    assert (answered.status_code, answered.json()["error"]["code"]) == (415, "unsupported_media_type")


async def test_members_that_changed_nothing_are_named(gateway):
    answered = await edited(gateway, [("image", png())], input_fidelity="high", background="auto")
    assert answered.headers["x-pinxit-ignored"] == "input_fidelity"

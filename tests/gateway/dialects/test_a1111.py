"""`/sdapi/v1`, as Open WebUI's default engine and other clients of A1111's web UI speak it."""

import asyncio
import base64
import io
import json

import pytest
from PIL import Image

from gateway.http.dialects.a1111.prompts import read_prompt
from models import RequestInvalid, WeightsRejected


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"somebody:{key}".encode()).decode()}


def text_of(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


async def get(gateway, path, *, key=None):
    return await gateway.http.get(f"/sdapi/v1/{path}", headers=basic(key or gateway.key))


async def post(gateway, path, *, key=None, **body):
    return await gateway.http.post(f"/sdapi/v1/{path}", json=body, headers=basic(key or gateway.key))


async def painted(gateway, **body):
    answered = await post(gateway, "txt2img", **{"prompt": "a red lighthouse", **body})
    assert answered.status_code == 200, answered.text
    return answered.json()


async def working(gateway, **key):
    """Ask for progress as a client does, until there is some."""
    for _ in range(1000):
        current = (await get(gateway, "progress?skip_current_image=true", **key)).json()
        if current["state"]["job"]:
            return current
        await asyncio.sleep(0.005)
    raise AssertionError("nothing began")


async def test_the_calls_of_open_webui_end_in_a_picture(gateway):
    chosen = (await get(gateway, "options")).json()["sd_model_checkpoint"]
    models = (await get(gateway, "sd-models")).json()
    assert chosen in [model["title"] for model in models]
    assert (await post(gateway, "options", sd_model_checkpoint=models[0]["title"])).status_code == 200
    body = await painted(gateway, batch_size=1, width=512, height=512, negative_prompt="clouds")
    picture = Image.open(io.BytesIO(base64.b64decode(body["images"][0])))
    assert (picture.format, picture.size) == ("PNG", (512, 512))
    assert body["parameters"] == {
        "prompt": "a red lighthouse",
        "batch_size": 1,
        "width": 512,
        "height": 512,
        "negative_prompt": "clouds",
    }


async def test_info_is_text_that_holds_json(gateway):
    info = json.loads((await painted(gateway, batch_size=2, n_iter=2, seed=5))["info"])
    assert info["all_seeds"] == [5, 6, 7, 8]
    assert (info["prompt"], info["seed"], info["sd_model_name"]) == ("a red lighthouse", 5, "starter")
    assert info["infotexts"][0].splitlines()[0] == "a red lighthouse"
    assert "Sampler: DPM++ 2M, CFG scale: 3, Seed: 5, Size: 512x512" in info["infotexts"][0]


async def test_minus_one_draws_a_seed_and_other_seeds_stay(gateway):
    seeds = [json.loads((await painted(gateway, seed=seed))["info"])["seed"] for seed in (-1, -1, 7)]
    assert seeds[0] != seeds[1]
    assert seeds[2] == 7
    assert (await post(gateway, "txt2img", prompt="x", seed=-2)).json()["error"]["param"] == "seed"


async def test_a_prompt_is_painted_as_typed_unless_a_style_is_named(gateway):
    assert json.loads((await painted(gateway))["info"])["prompt"] == "a red lighthouse"
    styled = json.loads((await painted(gateway, styles=["watercolor"]))["info"])
    assert styled["prompt"].startswith("watercolor painting of a red lighthouse")
    assert (await post(gateway, "txt2img", prompt="x", styles=["anime", "none"])).json()["error"]["param"] == "styles"


async def test_steps_guidance_and_sampler_are_the_callers(gateway):
    body = {"steps": 7, "cfg_scale": 3.5, "sampler_name": "DPM++ 2M", "scheduler": "Karras"}
    info = json.loads((await painted(gateway, **body))["info"])
    assert (info["steps"], info["cfg_scale"], info["sampler_name"]) == (7, 3.5, "DPM++ 2M Karras")
    for body, sampler in (
        ({"scheduler": "Karras"}, "dpmpp_2m_karras"),
        ({"sampler_index": "Euler", "scheduler": "Automatic"}, "euler"),
        ({"sampler_name": "DPM++ 2M Karras", "scheduler": "karras"}, "dpmpp_2m_karras"),
    ):
        await painted(gateway, **body)
        assert gateway.engine.painted[-1].sampler == sampler


async def test_what_breaks_a_rule_is_named_in_the_callers_words(gateway):
    for body, param in (
        ({"sampler_name": "Restart"}, "sampler_name"),
        ({"sampler_name": "Euler", "scheduler": "Karras"}, "scheduler"),
        ({"scheduler": "SGM Uniform"}, "scheduler"),
        ({"cfg_scale": 0}, "cfg_scale"),
        ({"steps": 0}, "steps"),
        ({"batch_size": 11}, "batch_size"),
        ({"batch_size": -1, "n_iter": -1}, "batch_size"),
        ({"n_iter": 0}, "n_iter"),
        ({"batch_size": 4, "n_iter": 3}, "batch_size"),
        ({"styles": ["no-such"]}, "styles"),
        ({"override_settings": {"CLIP_stop_at_last_layers": 0}}, "override_settings.CLIP_stop_at_last_layers"),
        ({"override_settings": {"sd_vae": "no-such"}}, "override_settings.sd_vae"),
        ({"prompt": "a boat <lora:no-such:0.8>"}, "prompt"),
        ({"prompt": "a boat <lora:starter-risograph:9>"}, "prompt"),
    ):
        refused = await post(gateway, "txt2img", **{"prompt": "x", **body})
        error = refused.json()["error"]
        assert (refused.status_code, error["param"]) == (400, param)
        ours = ("`guidance_scale`", "`num_inference_steps`", "`n`", "`loras`", "`style`")
        assert not any(word in error["message"] for word in ours), error


async def test_the_grammar_of_prompts_means_what_it_means_there(gateway):
    info = json.loads(
        (await painted(gateway, prompt="a ((red)) [blue] (tall:1.3) \\(old\\) boat", negative_prompt="(fog)"))["info"]
    )
    assert info["prompt"] == "a (red:1.21) (blue:0.9091) (tall:1.3) (old) boat"
    assert info["negative_prompt"] == "(fog:1.1)"
    assert info["infotexts"][0].splitlines()[0] == "a (red:1.21) (blue:0.9091) (tall:1.3) \\(old\\) boat"
    native = (await gateway.paint(prompt="a ((red)) [blue] boat", style="none")).json()
    assert native["revised_prompt"] == "a ((red)) [blue] boat"
    for prompt in ("a boat <hypernet:x:1>", "a AND b", "[a:b:0.5] boat", "[a|b] boat", "a <lora:x:1:0.5>"):
        error = (await post(gateway, "txt2img", prompt=prompt)).json()["error"]
        assert (error["code"], error["param"]) == ("unsupported_parameter", "prompt")
    error = (await post(gateway, "txt2img", prompt="x", negative_prompt="<lora:x:1>")).json()["error"]
    assert error["param"] == "negative_prompt"
    answered = await post(gateway, "txt2img", prompt="a boat BREAK a (lake:3)")
    found = [(one["code"], one["param"]) for one in json.loads(answered.json()["info"])["warnings"]]
    assert found[:2] == [("ignored_parameter", "prompt.BREAK"), ("value_changed", "prompt")]
    assert json.loads(answered.headers["x-pinxit-warnings"])[0]["param"] == "prompt.BREAK"


def test_a_lora_is_called_in_every_spelling_of_that_web_ui():
    for tag, weight in (
        ("<lora:ink:1>", 1),
        ("<lora:ink>", 1),
        ("<lora:ink:1:1>", 1),
        ("<lora:ink:.8>", 0.8),
        ("<lora:ink:1.>", 1),
        ("<lora:ink: 1>", 1),
        ("<lora:ink:8e-1>", 0.8),
        ("<lora:ink:-0.5>", -0.5),
        ("<lyco:ink:1>", 1),
        ("<lora:ink:te=0.7:unet=0.7>", 0.7),
        ("<lora:ink:0.5> <lora:ink:0.25>", 0.75),
    ):
        read = read_prompt(f"a red boat {tag}")
        assert (read.text, [(lora.id, lora.weight) for lora in read.loras]) == ("a red boat", [("ink", weight)])
    for tag in ("<lora:ink:nan>", "<lora:ink:much>", "<lora:ink:1:0.5>", "<lora:ink:1:1:8>", "<LORA:ink:1>"):
        with pytest.raises(RequestInvalid) as refused:
            read_prompt(f"a boat {tag}")
        assert refused.value.field == "prompt"


async def test_img2img_begins_from_a_picture_and_a_white_mask(gateway):
    image = (await painted(gateway, width=512, height=256))["images"][0]
    mask = io.BytesIO()
    Image.new("L", (512, 256), 255).save(mask, "PNG")
    answered = await post(
        gateway, "img2img", prompt="a boat", init_images=[image], mask=base64.b64encode(mask.getvalue()).decode()
    )
    assert answered.status_code == 200, answered.text
    first = gateway.engine.painted[-1].init_image
    assert first.strength == 0.75
    assert first.mask_sha256 is not None
    info = json.loads(answered.json()["info"])
    assert (info["width"], info["height"]) == (720, 368)
    assert answered.json()["parameters"] == {"prompt": "a boat"}
    for wrong, param in (
        ({"init_images": []}, "init_images"),
        ({"init_images": ["%"]}, "init_images"),
        ({"init_images": [image], "denoising_strength": 0}, "denoising_strength"),
        ({"init_images": [image], "mask": "%"}, "mask"),
    ):
        assert (await post(gateway, "img2img", prompt="x", **wrong)).json()["error"]["param"] == param


async def test_a_mask_means_there_what_it_means_there(gateway):
    """Drawn on a transparent layer it is what is opaque, else what is white; it can be inverted, and must mean something."""
    image = text_of(Image.new("RGB", (64, 32), "blue"))
    layer = Image.new("RGBA", (64, 32))
    layer.paste((255, 255, 255, 255), (0, 0, 32, 32))
    grey = Image.new("L", (64, 32))
    grey.paste(255, (0, 0, 32, 32))
    for mask, inverted, left in ((layer, 0, 255), (layer, 1, 0), (grey, None, 255), (grey, 1, 0)):
        body = {"init_images": [image], "mask": text_of(mask), "inpainting_mask_invert": inverted}
        answered = await post(gateway, "img2img", prompt="a boat", **body)
        assert answered.status_code == 200, answered.text
        id, init = json.loads(answered.json()["info"])["generation_id"], gateway.engine.painted[-1].init_image
        kept = gateway.installation.settings.data_dir / "pictures" / "gen" / id / "from" / init.mask_sha256
        with Image.open(kept) as opened:
            assert (opened.convert("L").getpixel((8, 16)), opened.convert("L").getpixel((56, 16))) == (left, 255 - left)
    nothing = {"init_images": [image], "mask": text_of(Image.new("L", (64, 32)))}
    error = (await post(gateway, "img2img", prompt="a boat", **nothing)).json()["error"]
    assert (error["code"], error["param"]) == ("invalid_image", "mask")


async def test_pictures_may_be_sent_as_text_in_bodies_that_are_larger_than_others_may_be(gateway):
    file = io.BytesIO()
    Image.effect_noise((1200, 1200), 90).save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode()
    assert len(text) > 1_000_000
    assert (await post(gateway, "png-info", image=text)).status_code == 200
    assert (await post(gateway, "txt2img", prompt="x", image=text)).status_code == 413


async def test_img2img_takes_several_megabytes_up_to_what_the_operator_allows(open_gateway):
    gateway = await open_gateway(max_picture_json_bytes=4_000_000)
    file = io.BytesIO()
    Image.effect_noise((1600, 1600), 90).save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode()
    assert 2_500_000 < len(text) < 3_900_000
    taken = await post(gateway, "img2img", prompt="a boat", init_images=[text])
    assert taken.status_code == 200, taken.text

    async def chunks():  # a body that does not say how long it is; more of it than may be is never asked for
        for _ in range(9):
            yield b"x" * 1_000_000
        raise AssertionError("the server went on reading")

    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "application/json"}
    answered = await gateway.http.post("/sdapi/v1/img2img", content=chunks(), headers=headers)
    assert (answered.status_code, answered.json()["error"]["code"]) == (413, "payload_too_large")


async def test_what_changed_nothing_is_named_and_habits_are_not(gateway):
    answered = await post(
        gateway,
        "txt2img",
        prompt="x",
        send_images=True,
        save_images=False,
        restore_faces=True,
        enable_hr=False,
        alwayson_scripts={"controlnet": {"args": [{"enabled": False}]}, "ADetailer": {"args": [False]}},
        override_settings={"sd_model_checkpoint": "starter", "eta_ancestral": 1},
    )
    assert answered.headers["x-pinxit-ignored"] == "override_settings.eta_ancestral, restore_faces"
    named = [one["param"] for one in json.loads(answered.json()["info"])["warnings"] if "param" in one]
    assert {"override_settings.eta_ancestral", "restore_faces"} <= set(named)


async def test_a_chosen_model_counts_for_its_own_key_alone(open_gateway):
    gateway = await open_gateway(model_aliases={"my-model": "starter"})
    other = await gateway.new_key(plan="studio")
    assert (await post(gateway, "options", sd_model_checkpoint="my-model")).status_code == 200
    assert (await get(gateway, "options")).json()["sd_model_checkpoint"] == "my-model"
    assert (await get(gateway, "options", key=other)).json()["sd_model_checkpoint"] == "starter"
    assert (await painted(gateway))["images"]


async def test_a_model_that_is_not_there_is_refused(gateway):
    for answered in (
        await post(gateway, "options", sd_model_checkpoint="no-such"),
        await post(gateway, "txt2img", prompt="x", override_settings={"sd_model_checkpoint": "no-such"}),
    ):
        assert (answered.status_code, answered.json()["error"]["code"]) == (404, "model_not_found")


async def test_progress_is_the_keys_own(open_gateway):
    gateway = await open_gateway(slots=1)
    other = await gateway.new_key(plan="studio")
    assert (await get(gateway, "progress")).json()["progress"] == 0
    gateway.engine.hold()
    painting = asyncio.create_task(painted(gateway))
    current = await working(gateway)
    assert current["state"]["job"].startswith("gen_")
    assert (await get(gateway, "progress", key=other)).json()["state"]["job"] == ""
    gateway.engine.release()
    await painting
    assert (await get(gateway, "progress")).json()["state"]["job"] == ""


async def test_interrupt_stops_the_keys_own_work_alone(open_gateway):
    gateway = await open_gateway(slots=2)
    other = await gateway.new_key(plan="studio", credits=10)
    gateway.engine.hold()
    own = asyncio.create_task(post(gateway, "txt2img", prompt="x"))
    foreign = asyncio.create_task(post(gateway, "txt2img", prompt="x", key=other))
    await working(gateway)
    await working(gateway, key=other)
    assert (await post(gateway, "interrupt")).json() == {}
    refused = await own
    assert (refused.status_code, refused.json()["error"]["code"]) == (410, "generation_canceled")
    gateway.engine.release()
    assert (await foreign).status_code == 200
    assert (await post(gateway, "interrupt")).status_code == 200


async def test_png_info_reads_our_pictures_back(gateway):
    image = (await painted(gateway, seed=9, negative_prompt="clouds"))["images"][0]
    read = (await post(gateway, "png-info", image=f"data:image/png;base64,{image}")).json()
    assert read["info"].splitlines()[:2] == ["a red lighthouse", "Negative prompt: clouds"]
    assert read["parameters"]["Seed"] == "9"
    assert "pinxit" in read["items"]


async def test_png_info_reads_other_programs_pictures_and_refuses_what_is_none(gateway):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    plain = base64.b64encode(file.getvalue()).decode()
    assert (await post(gateway, "png-info", image=plain)).json() == {"info": "", "items": {}, "parameters": {}}
    for nonsense in ("%%%", "AAAA", ""):
        assert (await post(gateway, "png-info", image=nonsense)).json()["error"]["param"] == "image"


async def test_what_clients_ask_for_at_their_start_is_there_for_any_key(gateway):
    for path in ("samplers", "schedulers", "prompt-styles", "loras", "upscalers", "sd-vae", "embeddings", "cmd-flags"):
        assert (await get(gateway, path)).status_code == 200
        assert (await gateway.http.get(f"/sdapi/v1/{path}")).status_code == 401


async def test_menus_name_what_there_is(gateway):
    assert "Euler a" in [sampler["name"] for sampler in (await get(gateway, "samplers")).json()]
    styles = {style["name"]: style for style in (await get(gateway, "prompt-styles")).json()}
    assert "{prompt}" in styles["watercolor"]["prompt"]


@pytest.mark.parametrize("credentials", ["Basic", "Basic %%%", "Basic " + base64.b64encode(b"nocolon").decode()])
async def test_broken_credentials_are_no_key(gateway, credentials):
    answered = await gateway.http.get("/sdapi/v1/options", headers={"Authorization": credentials})
    assert (answered.status_code, answered.json()["error"]["code"]) == (401, "missing_api_key")


async def test_broken_files_are_a_lasting_error_here_too(gateway):
    gateway.engine.fail_next(WeightsRejected("broken"))
    answered = await post(gateway, "txt2img", prompt="a red lighthouse")
    assert answered.status_code == 500
    assert "retry-after" not in answered.headers

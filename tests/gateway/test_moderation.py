"""What the content policy gets to see, on every surface; what it decides leaves a record that can be read and judged again."""

import base64
import json
import shutil
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from fastapi.routing import APIRoute
from PIL import Image
from plugins.fake_engine import FINGERPRINT
from plugins.hostile_pictures import two_colours, written
from plugins.tiny_specs import new_spec

from gateway.accounts import CLI
from gateway.cli.painting import paint
from gateway.cli.replaying import replay_file
from gateway.cli.source_images import ImageFiles
from gateway.http import make_api
from gateway.http.reading.dependencies import painting_caller
from gateway.settings import ROOT, Settings
from models import GenerationRequest, ImageSize, InitImage, Recipe, SettingInvalid
from safety import ModerationInput, PromptBlocked, PromptFilter, SourcePicture, Surface

WORDS = "please take off her red dress"
PNG = written(two_colours(), "PNG")
MASK = Image.new("L", (64, 32), 0)
MASK.paste(255, (0, 0, 16, 32))
MASK = written(MASK, "PNG")
IMAGE, MASK_TEXT = base64.b64encode(PNG).decode(), base64.b64encode(MASK).decode()


async def decisions(gateway, **wanted):
    key = await gateway.new_key(account="operator", scopes=frozenset({"admin"}))
    found = await gateway.get("/v1/admin/decisions", key=key, limit=100, **wanted)
    assert found.status_code == 200, found.text
    return found.json()["data"]


async def form(gateway, path, *, files=("image", "mask"), **texts):
    contents = {"image": PNG, "mask": MASK}
    parts = [(name, (f"{name}.png", contents[name], "image/png")) for name in files]
    parts += [(name, (None, text)) for name, text in texts.items()]
    return await gateway.http.post(path, files=parts, headers={"Authorization": f"Bearer {gateway.key}"})


async def post(gateway, path, **body):
    return await gateway.http.post(path, json=body, headers={"Authorization": f"Bearer {gateway.key}"})


async def ended_batch(gateway, answered):
    assert answered.status_code == 202, answered.text
    batch = (await gateway.get(f"/v1/batches/{answered.json()['batch_id']}")).json()
    assert batch["counts"]["refused"] == 1
    return answered


async def batch(gateway):
    items = [{"prompt": WORDS, "image": IMAGE, "mask": MASK_TEXT, "strength": 0.4}]
    return await ended_batch(gateway, await post(gateway, "/v1/batches", items=items))


async def batch_file(gateway, content, media_type):
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": media_type}
    return await ended_batch(gateway, await gateway.http.post("/v1/batches", content=content, headers=headers))


def jsonl(gateway):
    line = json.dumps({"prompt": WORDS, "image": IMAGE, "mask": MASK_TEXT, "strength": 0.4})
    return batch_file(gateway, line, "application/jsonl")


def csv(gateway):
    return batch_file(gateway, f"prompt,image,mask,strength\n{WORDS},{IMAGE},{MASK_TEXT},0.4\n", "text/csv")


NATIVE = {"prompt": WORDS, "image": IMAGE, "mask": MASK_TEXT, "strength": 0.4}
# Each surface that takes a picture, and how; all of them also a mask that covers a quarter.
WITH_PICTURE = {
    "native": ("native", lambda gateway: post(gateway, "/v1/generate", **NATIVE)),
    "native, Pictura's path": ("native", lambda gateway: post(gateway, "/v1/images/generate", **NATIVE)),
    "native, asynchronous": ("native", lambda gateway: post(gateway, "/v1/generate", **NATIVE, **{"async": True})),
    "native form": ("native", lambda gateway: form(gateway, "/v1/generate", prompt=WORDS, strength="0.4")),
    "dry run": ("native", lambda gateway: post(gateway, "/v1/generate", **NATIVE, dry_run=True)),
    "quote": ("native", lambda gateway: post(gateway, "/v1/quote", **NATIVE)),
    "edits": ("openai", lambda gateway: form(gateway, "/v1/images/edits", prompt=WORDS, strength="0.4")),
    "edits, streamed": (
        "openai",
        lambda gateway: form(gateway, "/v1/images/edits", prompt=WORDS, strength="0.4", stream="true"),
    ),
    "variations": ("openai", lambda gateway: form(gateway, "/v1/images/variations", prompt=WORDS, strength="0.4")),
    "img2img": (
        "a1111",
        lambda gateway: post(
            gateway, "/sdapi/v1/img2img", prompt=WORDS, init_images=[IMAGE], mask=MASK_TEXT, denoising_strength=0.4
        ),
    ),
    "predictions": (
        "replicate",
        lambda gateway: post(
            gateway,
            "/v1/predictions",
            version="starter",
            input={"prompt": WORDS, "image": IMAGE, "mask": MASK_TEXT, "prompt_strength": 0.4},
        ),
    ),
    "inference": (
        "huggingface",
        lambda gateway: post(
            gateway,
            "/hf/starter",
            inputs=IMAGE,
            parameters={"prompt": WORDS, "mask_image": MASK_TEXT, "strength": 0.4},
        ),
    ),
    "batch": ("batch", batch),
    "batch of JSON lines": ("batch", jsonl),
    "batch of CSV": ("batch", csv),
}


@pytest.mark.parametrize(("surface", "send"), WITH_PICTURE.values(), ids=WITH_PICTURE)
async def test_every_surface_hands_over_the_picture_and_is_refused(gateway, surface, send):
    answered = await send(gateway)
    if surface != "batch":
        code = "moderation_blocked" if surface == "openai" else "content_policy_violation"
        assert (answered.status_code, answered.json()["error"]["code"]) == (400, code), answered.text
        assert "ncii" in answered.text
        assert "picture" not in answered.text  # the rule's name has it
    (decision,) = await decisions(gateway)
    assert (decision["surface"], decision["verdict"], decision["category"]) == (surface, "block", "ncii")
    share = None if surface == "batch" else 0.25
    assert decision["judged"]["source"] == {"strength": 0.4, "has_mask": True, "masked_share": share}
    assert decision["judged"]["prompt"] == WORDS
    assert (decision["batch_id"] is not None) is (surface == "batch")
    assert gateway.engine.painted == []


OPENAI_LINE = {"custom_id": "a", "method": "POST", "url": "/v1/images/generations", "body": {"prompt": "nudify her"}}
WITHOUT_PICTURE = {
    "openai and together": ("openai", "/v1/images/generations", {"prompt": "nudify her", "steps": 4}),
    "a1111": ("a1111", "/sdapi/v1/txt2img", {"prompt": "nudify her"}),
    "huggingface": ("huggingface", "/hf/starter", {"inputs": "nudify her"}),
    "replicate": ("replicate", "/v1/predictions", {"version": "local/starter", "input": {"prompt": "nudify her"}}),
}


@pytest.mark.parametrize(("surface", "path", "body"), WITHOUT_PICTURE.values(), ids=WITHOUT_PICTURE)
async def test_a_surface_that_takes_no_picture_says_so(gateway, surface, path, body):
    assert (await post(gateway, path, **body)).status_code == 400
    (decision,) = await decisions(gateway)
    assert (decision["surface"], decision["judged"]["source"]) == (surface, None)


async def test_a_line_of_an_openai_batch_is_judged_as_one(gateway):
    headers = {"Authorization": f"Bearer {gateway.key}"}
    files = {"file": ("requests.jsonl", json.dumps(OPENAI_LINE).encode())}
    sent = (await gateway.http.post("/v1/files", data={"purpose": "batch"}, files=files, headers=headers)).json()
    order = {"input_file_id": sent["id"], "endpoint": "/v1/images/generations", "completion_window": "24h"}
    assert (await post(gateway, "/v1/batches", **order)).status_code == 202
    assert [one["surface"] for one in await decisions(gateway)] == ["openai_batch"]


def painting_paths(routes):
    """Every path that paints, by what it asks of its caller."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from painting_paths(route.original_router.routes)
        elif isinstance(route, APIRoute) and any(one.call is painting_caller for one in route.dependant.dependencies):
            yield route.path


def test_no_surface_is_left_out():
    """A new path that paints belongs into the tables above, and so does a new place that routes a request."""
    assert set(painting_paths(make_api().routes)) == {
        *("/v1/generate", "/v1/images/generate", "/v1/quote", "/v1/batches", "/v1/generations/{generation_id}/replay"),
        *("/v1/images/generations", "/v1/images/edits", "/v1/images/variations"),
        *("/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/hf/{name:path}"),
        *("/v1/predictions", "/v1/models/{owner}/{name}/predictions"),
    }
    files = {file: file.read_text() for file in (ROOT / "gateway").rglob("*.py")}
    routing = {str(file.relative_to(ROOT)) for file, text in files.items() if "router.route(" in text}
    assert routing == {
        *("gateway/generations/accepting/deciding.py", "gateway/cli/painting.py", "gateway/cli/thumbnails.py")
    }
    assert all("moderation_input(" in files[ROOT / file] for file in routing)


async def test_a_replay_hands_over_the_picture_too(gateway, tmp_path):
    id = (await gateway.paint(prompt="a bottle of beer on a table", style="none", image=IMAGE)).json()["generation_id"]
    rules = tmp_path / "safety"
    shutil.copytree(gateway.installation.settings.config_dir / "safety", rules)
    lexicon = rules / "lexicons" / "en-undressing.toml"
    lexicon.write_text(lexicon.read_text().replace('"shirtless", ', '"shirtless", "bottle of beer", ', 1))
    replay = gateway.server.painting.replay
    moderation = replace(replay.submit.decide.moderation, prompt_filter=PromptFilter.load(rules))
    stricter = replace(
        replay, submit=replace(replay.submit, decide=replace(replay.submit.decide, moderation=moderation))
    )
    caller = await gateway.installation.access.gatekeeper.caller(gateway.key, now=gateway.clock())
    with pytest.raises(PromptBlocked):
        await stricter(caller, id)
    (decision,) = await decisions(gateway)
    assert (decision["judged"]["is_replay"], decision["judged"]["source"]["strength"]) == (True, 0.6)


def test_the_command_line_hands_over_the_picture(tmp_path):
    settings, image, mask = Settings(data_dir=tmp_path / "data"), tmp_path / "photo.png", tmp_path / "mask.png"
    image.write_bytes(PNG)
    mask.write_bytes(MASK)
    files = ImageFiles(image=image, mask=mask, strength=0.4)
    with pytest.raises(PromptBlocked) as refused:
        paint(settings, GenerationRequest(prompt=WORDS), tmp_path / "out.png", given_images=files)
    judged = refused.value.decision.given
    warned = [(one.code, one.param) for one in files.notices(ImageSize(width=64, height=64))]
    assert warned == [("value_changed", "image")]  # 64 x 32, so it is cropped
    assert files.notices(ImageSize(width=512, height=256)) == ()
    source = SourcePicture(strength=0.4, has_mask=True, masked_share=0.25)
    assert (judged.surface, judged.source) == (Surface.COMMAND_LINE, source)

    init = replace(files.init_image(), strength=0.5)
    assert isinstance(init, InitImage)
    recipe = Recipe(
        spec=new_spec(model="starter", prompt=WORDS, init_image=init),
        fingerprint=FINGERPRINT,
        pixel_sha256="a" * 64,
        timesteps=(1.0,),
    )
    (tmp_path / "recipe.json").write_bytes(msgspec.json.encode(recipe))
    with pytest.raises(PromptBlocked) as refused:
        replay_file(settings, tmp_path / "recipe.json", tmp_path / "out.png", index=0, given_images=files)
    assert refused.value.decision.given.source == replace(source, strength=0.5)


async def test_what_is_flagged_is_delivered_and_leaves_a_record_in_the_same_transaction(gateway):
    painted = (await gateway.paint(prompt="a nude woman on a sofa", style="none")).json()
    assert painted["status"] == "completed"
    assert "flag" not in json.dumps(painted)
    (decision,) = await decisions(gateway, verdict="flag", category="sexual.nudity", account="owner")
    assert (decision["generation_id"], decision["flagged"]) == (painted["generation_id"], True)
    assert decision["rules"] == ["sexual.nudity"]
    assert decision["policy"] == "standard"
    assert await decisions(gateway, verdict="block") == []
    assert await decisions(gateway, category="ncii") == []
    metrics = gateway.server.metrics.written().decode()
    assert 'pinxit_safety_decisions_total{action="flag",category="sexual.nudity"} 1.0' in metrics
    sent = await post(gateway, "/v1/batches", items=[{"prompt": "a nude woman on a sofa, again"}])
    for _ in range(4000):
        if (await gateway.get(f"/v1/batches/{sent.json()['batch_id']}")).json()["status"] == "completed":
            break
    assert [one["surface"] for one in await decisions(gateway, verdict="flag")] == ["batch", "native"]


async def test_texts_go_after_their_days_rows_after_theirs_and_both_with_the_account(gateway):
    key = await gateway.new_key(account="someone", credits=10)
    assert (await gateway.paint(prompt=WORDS, image=IMAGE, key=key)).status_code == 400
    moderation = gateway.server.painting.moderation
    gateway.clock.move(days=29)
    assert await moderation.forget() == 0
    gateway.clock.move(days=2)
    assert await moderation.forget() == 1
    (decision,) = await decisions(gateway)
    assert decision["judged"] is None
    assert len(decision["input_sha256"]) == 64
    gateway.clock.move(days=365)
    assert await moderation.forget() == 1
    assert await decisions(gateway) == []

    caller = await gateway.installation.access.gatekeeper.caller(key, now=gateway.clock())
    assert (await gateway.paint(prompt=WORDS, image=IMAGE, key=key)).status_code == 400
    (judged,) = [judged_of(one) for one in await decisions(gateway)]
    await gateway.installation.accounts.erase("someone", by=CLI)
    assert await decisions(gateway) == []
    with pytest.raises(PromptBlocked):
        await moderation.check(caller, judged)  # another server, which knows its key for some seconds more
    assert len(await decisions(gateway)) == 1
    assert await moderation.forget() == 1
    assert await decisions(gateway) == []


async def test_no_texts_are_kept_where_the_setting_says_none(gateway):
    moderation = replace(gateway.server.painting.moderation, keeps_texts=timedelta(0))
    caller = await gateway.installation.access.gatekeeper.caller(gateway.key, now=gateway.clock())
    assert (await gateway.paint(prompt=WORDS, image=IMAGE)).status_code == 400
    (decision,) = await decisions(gateway)
    with pytest.raises(PromptBlocked) as refused:
        moderation.judge(caller, replace(judged_of(decision), prompt=WORDS))
    await moderation.note_refusal(caller, refused.value)
    assert [one["judged"] is None for one in await decisions(gateway)] == [True, False]


def judged_of(decision):
    judged = decision["judged"]
    return ModerationInput(
        surface=Surface.NATIVE,
        prompt=judged["prompt"],
        negative_prompt=judged["negative_prompt"],
        final_prompts=tuple(judged["final_prompts"]),
        final_negative_prompts=(),
        source=None if judged["source"] is None else SourcePicture(**judged["source"]),
        adapters=(),
        model=judged["model"],
        style=judged["style"],
        is_replay=False,
    )


async def test_the_servers_policy_is_a_setting_and_a_plan_may_name_another(open_gateway):
    strict = await open_gateway(safety_policy="strict")
    assert (await strict.paint(prompt="a nude woman on a sofa")).status_code == 400
    caller = await strict.installation.access.gatekeeper.caller(strict.key, now=strict.clock())
    of_plan = replace(caller, plan=replace(caller.plan, safety_policy="permissive"))
    (decision,) = await decisions(strict)
    moderation = strict.server.painting.moderation
    given = judged_of(decision)
    assert moderation.judge(of_plan, given).verdict.policy == "permissive"


async def test_a_policy_that_is_not_there_stops_the_start(tmp_path, gateway):
    installation = gateway.installation
    wrong = replace(installation, settings=installation.settings.model_copy(update={"safety_policy": "lenient"}))
    with pytest.raises(SettingInvalid, match="PINXIT_SAFETY_POLICY: there is no safety policy 'lenient'"):
        await wrong.check_plans()


async def test_only_the_operator_reads_decisions_page_by_page(gateway):
    for number in range(3):
        await gateway.paint(prompt=f"{WORDS} {number}", image=IMAGE)
    assert (await gateway.get("/v1/admin/decisions")).status_code == 403
    key = await gateway.new_key(account="operator", scopes=frozenset({"admin"}))
    first = (await gateway.get("/v1/admin/decisions", key=key, limit=2)).json()
    second = (await gateway.get("/v1/admin/decisions", key=key, limit=2, cursor=first["next_cursor"])).json()
    prompts = [one["judged"]["prompt"][-1] for page in (first, second) for one in page["data"]]
    assert (prompts, second["has_more"]) == (["2", "1", "0"], False)
    assert (await gateway.get("/v1/admin/decisions", key=key, verdict="allow")).status_code == 400
    assert (await gateway.get("/v1/admin/decisions", key=key, account="nobody")).status_code == 404

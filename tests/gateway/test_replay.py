"""Painting a generation again: identical or not, and everything that may stand between."""

import asyncio
import shutil
from dataclasses import fields, replace

import msgspec
import pytest
from plugins.fake_engine import FINGERPRINT
from plugins.tiny_specs import card_of, catalogue_of, new_spec
from sqlalchemy import text

from gateway.access import Mode, PlanTooSmall
from gateway.generations import check_repaintable
from models import (
    Adapter,
    AdapterCard,
    Catalogue,
    Family,
    ModelUnavailable,
    OutOfMemory,
    PaintingBroken,
    WeightsRejected,
)
from router import Router, Styles
from router.styles import CreditsPerQuality
from safety import PromptBlocked, PromptFilter
from storage import Generation

NEWER = replace(FINGERPRINT, torch="2.14.1", threads=8)


async def replayed(gateway, id, *, key=None, headers=None):
    headers = {"Authorization": f"Bearer {key or gateway.key}", **(headers or {})}
    return await gateway.http.post(f"/v1/generations/{id}/replay", headers=headers)


async def painted(gateway, **body):
    """The answer of a generation that is completed."""
    answered = await gateway.paint(**body)
    assert answered.status_code == 200
    return answered.json()


async def finished(gateway, id, *, key=None):
    for _ in range(1000):
        body = (await gateway.get(f"/v1/generations/{id}", key=key)).json()
        if body["status"] in {"completed", "failed", "canceled"}:
            return body
        await asyncio.sleep(0.005)
    raise AssertionError(f"still {body['status']}")


async def code_of(response):
    return response.status_code, response.json()["error"]["code"]


async def caller_of(gateway, key=None):
    return await gateway.server.services.gatekeeper.caller(key or gateway.key, now=gateway.clock())


async def written_over(gateway, id, **members):
    """As another release could have left it."""
    async with gateway.installation.database.writing() as transaction:
        for name, value in members.items():
            row = {"value": value, "id": id}
            await transaction.execute(text(f"UPDATE generations SET {name} = :value WHERE id = :id"), row)  # noqa: S608


def styles_of(gateway):
    return {style.id: style for style in gateway.installation.styles.all()}


def with_members(gateway, **members):
    """The style `watercolor`, changed by its operator."""
    return msgspec.structs.replace(gateway.installation.styles.get("watercolor"), **members)


async def test_painted_again_it_is_identical_and_a_generation_of_its_own(gateway):
    first = await painted(gateway, seed=7, n=2, style="watercolor", format="webp")
    answered = await replayed(gateway, first["generation_id"])
    body = answered.json()
    assert answered.status_code == 200
    assert (body["object"], body["replay_of"], body["identical"]) == ("replay", first["generation_id"], True)
    assert body["generation_id"] != first["generation_id"]
    for image, again in zip(first["images"], body["images"], strict=True):
        assert again["expected_pixel_sha256"] == again["pixel_sha256"] == image["pixel_sha256"]
        assert (again["identical"], again["differences"]) == (True, [])
    second = (await gateway.get(f"/v1/generations/{body['generation_id']}")).json()
    assert second["replay_of"] == first["generation_id"]
    assert first["replay_of"] is None
    kept = ("prompt", "revised_prompt", "style", "style_resolved", "style_reason", "seed", "model", "quality", "width")
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    assert [image["format"] for image in second["images"]] == ["webp", "webp"]
    first_two, again = (  # two at a time, in whatever order they come
        sorted(specs, key=lambda spec: spec.seed) for specs in (gateway.engine.painted[:2], gateway.engine.painted[2:])
    )
    assert first_two == again


async def test_the_beginnings_that_were_chosen_are_painted_again_without_a_choice(gateway):
    first = await painted(gateway, seed=7, n=2, quality="ultra")
    answered = (await replayed(gateway, first["generation_id"])).json()
    assert answered["identical"] is True
    assert [(spec.candidate, spec.candidates) for spec in gateway.engine.painted] == [(0, 8), (0, 8), (7, 1), (7, 1)]


async def test_what_was_gone_over_is_gone_over_again(gateway):
    first = await painted(gateway, seed=7, quality="hd")
    answered = (await replayed(gateway, first["generation_id"])).json()
    assert answered["identical"] is True
    once, again = gateway.engine.painted
    assert once.refining == again.refining is not None
    assert [adapter.id for adapter in again.refining.adapters] == ["starter/refiner"]


async def test_an_engine_that_paints_otherwise_is_named_and_not_identical(gateway):
    id = (await painted(gateway, seed=7))["generation_id"]
    gateway.engine.become(NEWER, tint=1)
    body = (await replayed(gateway, id)).json()
    (image,) = body["images"]
    assert (body["identical"], image["identical"]) == (False, False)
    assert image["differences"] == [
        {
            "member": "pixel_sha256",
            "expected": image["expected_pixel_sha256"],
            "found": image["pixel_sha256"],
        },
        {"member": "fingerprint.threads", "expected": "1", "found": "8"},
        {"member": "fingerprint.torch", "expected": "0", "found": "2.14.1"},
    ]


async def test_a_newer_engine_with_the_same_pixels_is_identical_and_still_named(gateway):
    id = (await painted(gateway, seed=7))["generation_id"]
    gateway.engine.become(NEWER)
    body = (await replayed(gateway, id)).json()
    assert body["identical"] is True
    assert [difference["member"] for difference in body["images"][0]["differences"]] == [
        "fingerprint.threads",
        "fingerprint.torch",
    ]


async def test_neither_router_nor_styles_are_asked_again(gateway):
    """An operator who has thrown out every style since does not change how it was painted."""
    first = await painted(gateway, prompt="a boat in watercolor")
    assert first["style_reason"] == "phrase"
    submit = gateway.server.painting.submit
    decide = replace(submit.decide, router=Router(Styles(()), gateway.installation.catalogue))
    no_styles = replace(submit, decide=decide)
    caller = await caller_of(gateway)
    without = replace(gateway.server.painting.replay, submit=no_styles, styles=Styles(()))
    again = await without(caller, first["generation_id"])
    await gateway.server.painting.fetch.ended(caller, again.generation_id, wait_s=60)
    assert (await gateway.server.painting.replay.outcome(caller, again.generation_id)).is_identical


@pytest.mark.parametrize("wish", ["respond-async", "wait=0"])
async def test_whoever_does_not_wait_finds_the_comparison_later(gateway, wish):
    id = (await painted(gateway))["generation_id"]
    gateway.engine.hold()
    answered = await replayed(gateway, id, headers={"Prefer": wish})
    accepted = answered.json()
    assert (answered.status_code, accepted["status"]) == (202, "queued")
    assert answered.headers["location"] == accepted["poll_url"]
    again = accepted["generation_id"]
    assert (await gateway.get(f"/v1/generations/{again}")).json()["replay_of"] == id
    assert await code_of(await gateway.get(f"/v1/generations/{again}/replay")) == (409, "not_completed")
    gateway.engine.release()
    assert (await finished(gateway, again))["replay_of"] == id
    body = (await gateway.get(f"/v1/generations/{again}/replay")).json()
    assert (body["generation_id"], body["replay_of"], body["identical"]) == (again, id, True)


async def test_a_wait_that_runs_out_turns_into_202(gateway):
    id = (await painted(gateway))["generation_id"]
    gateway.engine.hold()
    answered = await replayed(gateway, id, headers={"Prefer": "wait=1"})
    assert answered.status_code == 202
    gateway.engine.release()
    assert (await finished(gateway, answered.json()["generation_id"]))["status"] == "completed"


async def test_the_answer_that_was_waited_for_can_be_asked_for_again(gateway):
    id = (await painted(gateway))["generation_id"]
    waited = (await replayed(gateway, id)).json()
    assert (await gateway.get(f"/v1/generations/{waited['generation_id']}/replay")).json() == waited


async def test_a_replay_can_be_replayed(gateway):
    id = (await painted(gateway))["generation_id"]
    again = (await replayed(gateway, id)).json()["generation_id"]
    third = (await replayed(gateway, again)).json()
    assert (third["replay_of"], third["identical"]) == (again, True)


async def test_only_what_is_completed_is_replayed(gateway):
    gateway.engine.hold()
    queued = (await gateway.paint(**{"async": True})).json()["generation_id"]
    assert await code_of(await replayed(gateway, queued)) == (409, "not_completed")
    gateway.engine.release()
    await finished(gateway, queued)
    gateway.engine.fail_next(PaintingBroken("broken"))
    await gateway.paint()
    failed = (await gateway.get("/v1/generations", status="failed")).json()["data"][0]["generation_id"]
    assert await code_of(await replayed(gateway, failed)) == (409, "not_completed")


async def test_another_accounts_generation_does_not_exist(gateway):
    id = (await painted(gateway))["generation_id"]
    again = (await replayed(gateway, id)).json()["generation_id"]
    key = await gateway.new_key(plan="studio", credits=5)
    assert await code_of(await replayed(gateway, id, key=key)) == (404, "not_found")
    assert await code_of(await replayed(gateway, "gen_nothing", key=key)) == (404, "not_found")
    assert await code_of(await gateway.get(f"/v1/generations/{again}/replay", key=key)) == (404, "not_found")


async def test_what_painted_nothing_again_has_no_comparison(gateway):
    id = (await painted(gateway))["generation_id"]
    assert await code_of(await gateway.get(f"/v1/generations/{id}/replay")) == (404, "not_found")


async def test_without_its_original_nothing_is_compared(gateway):
    id = (await painted(gateway))["generation_id"]
    again = (await replayed(gateway, id)).json()["generation_id"]
    await gateway.http.delete(f"/v1/generations/{id}", headers={"Authorization": f"Bearer {gateway.key}"})
    assert await code_of(await gateway.get(f"/v1/generations/{again}/replay")) == (404, "not_found")
    assert (await gateway.get(f"/v1/generations/{again}")).json()["replay_of"] == id


@pytest.mark.parametrize(
    ("scopes", "replaying", "reading"), [({"generate"}, 200, 403), ({"read"}, 403, 404), ({"delete"}, 403, 403)]
)
async def test_replaying_asks_for_generate_and_comparing_for_read(gateway, scopes, replaying, reading):
    everything = await gateway.new_key(plan="studio", credits=5)
    id = (await painted(gateway, key=everything))["generation_id"]
    key = await gateway.new_key(scopes=frozenset(scopes))
    assert (await replayed(gateway, id, key=key)).status_code == replaying
    assert (await gateway.get(f"/v1/generations/{id}/replay", key=key)).status_code == reading


async def test_it_costs_what_the_first_one_cost(gateway):
    key = await gateway.new_key(plan="studio", credits=10)
    first = await painted(gateway, key=key, n=2, upscale=False)
    again = (await replayed(gateway, first["generation_id"], key=key)).json()["generation_id"]
    assert (await gateway.get(f"/v1/generations/{again}", key=key)).json()["credits_used"] == first["credits_used"] == 2
    account = (await gateway.get("/v1/account", key=key)).json()
    assert (account["credits"], account["credits_held"], account["credits_captured"]) == (6, 0, 4)
    assert account["usage"]["day"] == 2


async def test_what_a_test_key_painted_for_nothing_has_its_price_with_a_live_one(gateway):
    live = await gateway.new_key(plan="studio", credits=1)
    trial = await gateway.new_key(mode=Mode.TEST)
    id = (await painted(gateway, key=trial))["generation_id"]
    free = (await replayed(gateway, id, key=trial)).json()["generation_id"]
    paid = (await replayed(gateway, id, key=live)).json()["generation_id"]
    shown = [(await gateway.get(f"/v1/generations/{again}", key=live)).json() for again in (free, paid)]
    assert [(body["livemode"], body["credits_used"]) for body in shown] == [(False, 0), (True, 1)]
    assert await code_of(await replayed(gateway, id, key=live)) == (402, "insufficient_credits")


@pytest.mark.parametrize(("is_gone", "credits"), [(False, 4), (True, 0)])
async def test_what_an_older_release_wrote_no_price_for_costs_what_its_style_asks_today(gateway, is_gone, credits):
    live = await gateway.new_key(plan="studio", credits=9)
    trial = await gateway.new_key(mode=Mode.TEST)
    id = (await painted(gateway, key=trial, style="watercolor", n=2))["generation_id"]
    await written_over(gateway, id, price=0, picture_count=1)
    dearer = styles_of(gateway) | {
        "watercolor": with_members(gateway, credits=CreditsPerQuality(standard=2, hd=2, ultra=2))
    }
    if is_gone:
        del dearer["watercolor"]
    replay = replace(gateway.server.painting.replay, styles=Styles(dearer.values()))
    again = (await replay(await caller_of(gateway, live), id)).generation_id
    body = await finished(gateway, again, key=live)
    assert (body["credits_used"], len(body["images"])) == (credits, 2)


async def test_a_replay_keeps_what_was_decided_and_nothing_that_happened(gateway):
    """Every member by name: a new one must be given its place here."""
    id = (await painted(gateway, n=2, seed=3, style="watercolor", format="webp"))["generation_id"]
    await written_over(gateway, id, priority=1, failures='{"OutOfMemory": 1}', webhook_url="https://example.com/")
    caller = await caller_of(gateway)
    gateway.engine.hold()
    again_id = (await gateway.server.painting.replay(caller, id)).generation_id
    gateway.engine.release()
    original = (await gateway.server.painting.fetch.one(caller, id)).generation
    again = (await gateway.server.painting.fetch.one(caller, again_id)).generation
    kept = {
        *("account_id", "key_id", "livemode", "price", "cost", "prompt", "style", "request", "specs", "format"),
        *("created_at", "model", "revised_prompt", "negative_prompt_used", "style_resolved", "style_reason"),
        *("quality", "width", "height", "seed", "work", "picture_count", "notices"),
    }
    anew = {
        *("id", "number", "state", "attempt", "priority", "lease_owner", "lease_until", "credits_used", "webhook_url"),
        *("started_at", "completed_at", "expires_at", "error_code", "error_message", "render_ms", "recipes"),
        *("failures", "replay_of", "metadata", "painting_id", "is_sharer", "canonical_sha256", "revision", "batch_id"),
        "prediction_events",
    }
    assert kept | anew == {member.name for member in fields(Generation)}
    assert {name: getattr(again, name) for name in kept} == {name: getattr(original, name) for name in kept}
    assert (again.priority, again.failures, again.webhook_url, again.replay_of) == (0, {}, None, id)
    assert (again.recipes, again.render_ms, again.credits_used, again.completed_at) == (None, None, 0, None)


@pytest.mark.parametrize("left", [None, b"[]", b"one"])
async def test_without_a_recipe_for_each_picture_nothing_is_painted_or_compared(gateway, left):
    id = (await painted(gateway, n=2))["generation_id"]
    again = (await replayed(gateway, id)).json()["generation_id"]
    if left == b"one":
        told = (await gateway.get(f"/v1/generations/{id}/recipe")).json()["recipes"]
        left = msgspec.json.encode(told[:1])
    await written_over(gateway, id, recipes=left)
    assert await code_of(await replayed(gateway, id)) == (409, "not_completed")
    assert await code_of(await gateway.get(f"/v1/generations/{again}/replay")) == (409, "not_completed")
    assert len(gateway.engine.painted) == 4


async def test_its_calls_count_against_the_minute_and_the_day(gateway):
    key = await gateway.new_key(plan="free", credits=10, rpm=3, rpd=2)
    id = (await painted(gateway, key=key))["generation_id"]
    assert (await replayed(gateway, id, key=key)).status_code == 200
    assert await code_of(await replayed(gateway, id, key=key)) == (429, "daily_quota_exceeded")
    assert await code_of(await replayed(gateway, id, key=key)) == (429, "rate_limit_exceeded")


async def test_the_same_idempotency_key_paints_once_more_and_not_twice(gateway):
    id = (await painted(gateway))["generation_id"]
    first, second = [await replayed(gateway, id, headers={"Idempotency-Key": "again-1"}) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(gateway.engine.painted) == 2
    other = (await painted(gateway))["generation_id"]
    clash = await replayed(gateway, other, headers={"Idempotency-Key": "again-1"})
    assert await code_of(clash) == (422, "idempotency_key_reused")
    assert await code_of(await gateway.paint(headers={"Idempotency-Key": "again-1"})) == (422, "idempotency_key_reused")
    too_long = await replayed(gateway, id, headers={"Idempotency-Key": "x" * 256})
    assert await code_of(too_long) == (400, "invalid_parameter")


async def test_an_idempotency_key_in_flight_is_a_conflict(gateway):
    id = (await painted(gateway))["generation_id"]
    gateway.engine.hold()
    headers = {"Idempotency-Key": "again-1", "Prefer": "respond-async"}
    first = await replayed(gateway, id, headers=headers)
    assert await code_of(await replayed(gateway, id, headers=headers)) == (409, "idempotency_in_progress")
    gateway.engine.release()
    await finished(gateway, first.json()["generation_id"])


@pytest.mark.parametrize(
    ("failures", "status", "code"),
    [([WeightsRejected("gone")], 500, "model_unusable"), ([OutOfMemory("no room")] * 2, 503, "overloaded")],
)
async def test_a_replay_that_fails_says_so_and_costs_nothing(gateway, failures, status, code):
    key = await gateway.new_key(plan="studio", credits=2)
    id = (await painted(gateway, key=key))["generation_id"]
    for failure in failures:
        gateway.engine.fail_next(failure)
    assert await code_of(await replayed(gateway, id, key=key)) == (status, code)
    assert (await gateway.get("/v1/account", key=key)).json()["credits"] == 1


async def test_a_model_or_lora_that_is_gone_is_unavailable(gateway):
    id = (await painted(gateway))["generation_id"]
    caller, cards = await caller_of(gateway), gateway.installation.catalogue.cards()
    moved = catalogue_of(replace(cards[0], id="another"))
    with pytest.raises(ModelUnavailable, match="starter"):
        await replace(gateway.server.painting.replay, catalogue=moved)(caller, id)
    assert len((await gateway.get("/v1/generations")).json()["data"]) == 1


def test_a_lora_is_looked_for_too(tmp_path):
    spec = new_spec(adapters=(Adapter(id="moon", weight=1.0),))
    card = card_of(tmp_path)
    moon = AdapterCard(id="moon", family=Family.SD1, path=tmp_path, licence="none")
    check_repaintable((spec,), Catalogue({card.id: card}, {"moon": moon}))
    with pytest.raises(ModelUnavailable, match="moon"):
        check_repaintable((spec,), Catalogue({card.id: card}))


async def test_a_policy_that_has_changed_since_is_asked_again(gateway, tmp_path):
    id = (await painted(gateway, prompt="a bottle of beer on a table", style="none"))["generation_id"]
    rules = tmp_path / "safety"
    shutil.copytree(gateway.installation.settings.config_dir / "safety", rules)
    lexicon = rules / "lexicons" / "en.toml"
    lexicon.write_text(lexicon.read_text().replace('"loli", ', '"loli", "bottle of beer", ', 1))
    replay = gateway.server.painting.replay
    decide = replay.submit.decide
    moderation = replace(decide.moderation, prompt_filter=PromptFilter.load(rules))
    stricter = replace(replay, submit=replace(replay.submit, decide=replace(decide, moderation=moderation)))
    with pytest.raises(PromptBlocked):
        await stricter(await caller_of(gateway), id)


async def test_a_plan_that_has_shrunk_since_is_asked_again(gateway):
    key = await gateway.new_key(account="someone", plan="studio", credits=10)
    id = (await painted(gateway, key=key, width=1280, height=1280))["generation_id"]
    caller = await caller_of(gateway, key)
    smaller = replace(caller, plan=gateway.installation.plans.get("free"))
    with pytest.raises(PlanTooSmall) as refused:
        await gateway.server.painting.replay(smaller, id)
    assert refused.value.field == "width"


async def test_a_style_that_has_risen_to_a_larger_plan_since_is_asked_again(gateway):
    key = await gateway.new_key(account="someone", plan="starter", credits=10)
    id = (await painted(gateway, key=key, style="watercolor"))["generation_id"]
    caller = await caller_of(gateway, key)
    risen = Styles({**styles_of(gateway), "watercolor": with_members(gateway, min_plan="pro")}.values())
    with pytest.raises(PlanTooSmall, match="'pro'") as refused:
        await replace(gateway.server.painting.replay, styles=risen)(caller, id)
    assert refused.value.field == "style"
    larger = replace(caller, plan=gateway.installation.plans.get("pro"))
    assert (await replace(gateway.server.painting.replay, styles=risen)(larger, id)).generation_id


async def test_the_recipe_that_is_answered_is_the_one_that_is_kept(gateway):
    id = (await painted(gateway, seed=3, n=2))["generation_id"]
    told = (await gateway.get(f"/v1/generations/{id}/recipe")).json()["recipes"]
    kept = (await gateway.server.painting.fetch.one(await caller_of(gateway), id)).generation.recipes
    assert told == msgspec.json.decode(kept)
    assert set(told[0]) == {
        "spec",
        "fingerprint",
        "pixel_sha256",
        "unknown_words",
        "timesteps",
        "upscaler_sha256",
    }
    assert {"adapters", "batch_class", "execution", "model_sha256", "threads"} <= set(told[0]["fingerprint"])

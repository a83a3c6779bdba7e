"""`GET /metrics`: what is counted, for whom, and with which labels."""

import shutil

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from models import WeightsRejected
from storage import StoreUnavailable

TOKEN = "a token for the scraper"


async def scraped(gateway, **headers):
    answered = await gateway.http.get("/metrics", headers=headers)
    assert answered.status_code == 200
    samples = [sample for family in text_string_to_metric_families(answered.text) for sample in family.samples]
    return {(sample.name, *sorted(sample.labels.values())): sample.value for sample in samples}


async def test_requests_generations_and_steps_are_counted(gateway):
    with capture_logs() as lines:
        await gateway.paint()
        gateway.engine.fail_next(WeightsRejected("not these"))
        await gateway.paint()
    for id in ("gen_a", "gen_b"):
        await gateway.get(f"/v1/generations/{id}")
    await gateway.http.get("/nowhere/at/all")
    await gateway.http.get("/studio/mark.svg")

    seen = await scraped(gateway)

    assert seen["pinxit_http_requests_total", "/v1/generate", "200", "POST"] == 1
    assert seen["pinxit_http_requests_total", "/v1/generations/{generation_id}", "404", "GET"] == 2
    assert seen["pinxit_http_requests_total", "404", "GET", "none"] == 1
    assert seen["pinxit_http_requests_total", "/studio", "200", "GET"] == 1
    assert seen["pinxit_http_request_seconds_count", "/v1/generate"] == 2
    assert seen["pinxit_generations_ended_total", "completed"] == 1
    assert seen["pinxit_generations_ended_total", "failed"] == 1
    assert seen["pinxit_generations_ended_total", "canceled"] == 0
    assert seen["pinxit_steps_total",] == gateway.engine.painted[0].num_inference_steps
    assert seen["pinxit_generations_open", "queued"] == seen["pinxit_generations_open", "processing"] == 0
    assert seen["pinxit_engine_slots",] == 8
    assert seen["pinxit_engine_slots_busy",] == 0
    assert seen["pinxit_engine_ready",] == 1
    assert seen["pinxit_queue_wait_seconds_count", "hd", "starter"] == 1
    assert seen["pinxit_painting_seconds_count", "hd", "starter"] == 1
    assert seen["pinxit_refusals_total", "not_found"] == 3
    assert seen["pinxit_refusals_total", "model_unusable"] == 1
    assert seen["pinxit_store_errors_total", "database"] == 0
    ended = [line for line in lines if line["event"] == "generation ended"]
    assert [(line["state"], line["code"]) for line in ended] == [("completed", None), ("failed", "model_unusable")]
    for line in ended:
        assert line.keys() >= {"generation", "account", "key", "style", "steps", "waited_ms", "painted_ms"}
        assert (line["model"], line["quality"], line["size"]) == ("starter", "hd", "512x512")
        assert "lighthouse" not in str(line)


async def test_what_the_stores_fail_is_counted(gateway):
    installation = gateway.installation
    painted = (await gateway.paint()).json()
    pictures = installation.settings.data_dir / "pictures"
    shutil.rmtree(pictures)
    pictures.write_text("no folder")
    installation.blobs._recent.clear()
    assert (await gateway.http.get(painted["image_url"])).status_code == 503
    with pytest.raises(StoreUnavailable):
        async with installation.database.reading():
            raise OSError("connection refused")
    seen = await scraped(gateway)
    assert seen["pinxit_store_errors_total", "pictures"] == 1
    assert seen["pinxit_store_errors_total", "database"] == 1
    assert seen["pinxit_refusals_total", "overloaded"] == 1


async def test_what_is_open_and_the_slots_in_use_are_shown(open_gateway):
    gateway = await open_gateway(slots=2)
    gateway.engine.hold()
    for n in (2, 1, 1):
        await gateway.paint(n=n, **{"async": True})
    while len(gateway.engine.begun) != 2:
        await gateway.get("/v1/account")

    seen = await scraped(gateway)

    assert seen["pinxit_generations_open", "processing"] == 1
    assert seen["pinxit_generations_open", "queued"] == 2
    assert seen["pinxit_engine_slots_busy",] == 2
    gateway.engine.release()


async def test_nothing_that_callers_choose_becomes_a_label(gateway):
    for number in range(20):
        await gateway.http.get(f"/img/{number}.png")
        await gateway.http.get(f"/unknown-{number}")
        await gateway.http.request(f"VERB{number}", "/v1/styles")
    lines = (await gateway.http.get("/metrics")).text
    assert "unknown-" not in lines
    assert "VERB" not in lines
    assert 'method="other"' in lines


@pytest.mark.parametrize("settings", [{"public_url": "http://images.example.com"}, {"host": "0.0.0.0"}])  # noqa: S104
async def test_who_can_be_reached_by_others_shows_nothing_without_a_token(open_gateway, settings):
    gateway = await open_gateway(**settings)
    answered = await gateway.http.get("/metrics")
    assert (answered.status_code, answered.json()["error"]["code"]) == (404, "not_found")


async def test_with_a_token_it_takes_the_token(open_gateway):
    gateway = await open_gateway(metrics_token=TOKEN, public_url="https://images.example.com")
    for headers in ({}, {"Authorization": f"Bearer {gateway.key}"}, {"Authorization": "Bearer é".encode()}):
        assert (await gateway.http.get("/metrics", headers=headers)).status_code == 404
    assert await scraped(gateway, Authorization=f"Bearer {TOKEN}")

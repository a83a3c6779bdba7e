"""Predictions, as Replicate's clients make, await, list and cancel them."""

import asyncio

from models import WeightsRejected


async def post(gateway, path, body=None, *, key=None, **headers):
    headers = {"Authorization": f"Bearer {key or gateway.key}", **headers}
    return await gateway.http.post(f"/v1/{path}", json=body or {}, headers=headers)


def asking(**wishes):
    return {"input": {"prompt": "a red lighthouse", **wishes}}


async def ended(gateway, id):
    for _ in range(1000):
        body = (await gateway.get(f"/v1/predictions/{id}")).json()
        if body["status"] in {"succeeded", "failed", "canceled"}:
            return body
        await asyncio.sleep(0.005)
    raise AssertionError(f"still {body['status']}")


async def test_who_waits_gets_the_prediction_when_it_has_succeeded(gateway):
    answered = await post(
        gateway,
        "models/local/starter/predictions",
        asking(num_outputs=2, seed=7, width=640, output_format="jpg", num_inference_steps=7),
        Prefer="wait",
    )
    body = answered.json()
    assert answered.status_code == 201
    assert (body["status"], body["model"], body["version"]) == ("succeeded", "local/starter", "starter")
    assert len(body["output"]) == 2
    assert gateway.engine.painted[-1].num_inference_steps == 7
    assert (await gateway.http.get(body["output"][0])).headers["content-type"] == "image/jpeg"
    assert body["input"] == {
        "prompt": "a red lighthouse",
        "negative_prompt": "",
        "style": "auto",
        "quality": "standard",
        "width": 640,
        "height": 512,
        "num_outputs": 2,
        "seed": 7,
        "output_format": "jpeg",
    }
    assert set(body["metrics"]) == {"predict_time", "total_time"}
    assert answered.headers["location"] == body["urls"]["get"]


async def test_who_does_not_wait_polls(gateway):
    gateway.engine.hold()
    body = (await post(gateway, "predictions", {"version": "starter", **asking()})).json()
    assert (body["status"], body["output"], body["metrics"]) == ("starting", None, None)
    gateway.engine.release()
    assert body["urls"]["get"].endswith(f"/v1/predictions/{body['id']}")
    assert (await ended(gateway, body["id"]))["status"] == "succeeded"


async def test_a_wait_that_is_over_answers_a_prediction_that_has_not_even_begun(gateway):
    """replicate-python takes any other state in the answer to `Prefer: wait` for the end, and returns no output."""
    gateway.engine.hold()
    answered = await post(gateway, "predictions", {"version": "local/starter:abc", **asking()}, Prefer="wait=1")
    assert (answered.status_code, answered.json()["status"]) == (201, "starting")
    assert (await gateway.get(f"/v1/predictions/{answered.json()['id']}")).json()["status"] == "processing"


async def test_a_failure_is_a_prediction_too(gateway):
    gateway.engine.fail_next(WeightsRejected("The weights are broken."))
    answered = await post(gateway, "models/local/starter/predictions", asking(), Prefer="wait=5")
    assert (answered.status_code, answered.json()["status"]) == (201, "failed")
    assert answered.json()["error"] == "The weights are broken."


async def test_a_prediction_is_canceled_once_and_for_all(gateway):
    gateway.engine.hold()
    id = (await post(gateway, "predictions", {"version": "starter", **asking()})).json()["id"]
    assert (await post(gateway, f"predictions/{id}/cancel")).json()["status"] == "canceled"
    assert (await post(gateway, f"predictions/{id}/cancel")).json()["status"] == "canceled"


async def test_predictions_are_listed_page_by_page_and_only_the_accounts_own(gateway):
    ids = [
        (await post(gateway, "predictions", {"version": "starter", **asking()}, Prefer="wait")).json()["id"]
        for _ in range(3)
    ]
    first = (await gateway.get("/v1/predictions", limit=2)).json()
    rest = (await gateway.http.get(first["next"], headers={"Authorization": f"Bearer {gateway.key}"})).json()
    assert [one["id"] for one in first["results"] + rest["results"]] == ids[::-1]
    assert rest["next"] is None
    other = await gateway.new_key()
    assert (await gateway.get("/v1/predictions", key=other)).json()["results"] == []
    assert (await gateway.get(f"/v1/predictions/{ids[0]}", key=other)).status_code == 404


async def test_what_breaks_a_rule_is_refused_in_rfc_9457s_form(gateway):
    """Replicate's client reads `title`, `detail` and `status`."""
    for path, body, status, code in [
        ("models/stability-ai/sdxl/predictions", asking(), 404, "model_not_found"),
        ("models/local/no-such/predictions", asking(), 404, "model_not_found"),
        ("predictions", asking(), 400, "missing_parameter"),
        ("predictions", {"version": "starter"}, 400, "missing_parameter"),
        ("predictions", {"version": "starter", **asking(width=1)}, 400, "invalid_size"),
        ("predictions", {"version": "starter", "webhook": "ftp://x", **asking()}, 400, "invalid_webhook_url"),
        ("predictions", {"version": "starter", "webhook_events_filter": ["x"], **asking()}, 400, "invalid_parameter"),
    ]:
        answered = (await post(gateway, path, body)).json()
        assert (answered["status"], answered["error"]["code"]) == (status, code)
        assert answered["title"]
        assert answered["detail"]


async def test_older_clients_authorize_with_another_word(gateway):
    answered = await gateway.http.get("/v1/predictions", headers={"Authorization": f"Token {gateway.key}"})
    assert answered.status_code == 200

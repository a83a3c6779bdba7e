"""What holds around every call: packed bodies, proxies that nobody told us of, https for good, bodies in memory."""

import asyncio
import gzip
import json

import pytest
from structlog.testing import capture_logs

from gateway.http.edge.body_limits import BodiesHeld, Counted
from gateway.http.edge.refusals import PayloadTooLarge, TooManyConnections
from tests.gateway.test_leaving import listening, until
from tests.gateway.test_metrics import scraped

JSON = "application/json"
WAYS_IN = [
    ("/v1/generate", JSON),
    ("/v1/quote", JSON),
    ("/v1/batches", "text/csv"),
    ("/v1/files", "multipart/form-data; boundary=x"),
    ("/v1/webhooks", JSON),
    ("/v1/keys", JSON),
    ("/v1/provenance/check", "image/png"),
    ("/v1/provenance/check", "multipart/form-data; boundary=x"),
    ("/v1/images/generations", JSON),
    ("/v1/images/edits", "multipart/form-data; boundary=x"),
    ("/sdapi/v1/img2img", JSON),
    ("/hf/starter", JSON),
    ("/v1/models/local/starter/predictions", JSON),
]


async def test_a_packed_body_is_refused_as_such_at_every_way_in(gateway):
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Encoding": "gzip"}
    packed = gzip.compress(json.dumps({"prompt": "a boat"}).encode())
    for path, media_type in WAYS_IN:
        answered = await gateway.http.post(path, content=packed, headers={**headers, "Content-Type": media_type})
        error = answered.json()["error"]
        assert (path, answered.status_code, error["code"]) == (path, 415, "unsupported_media_type")
        assert "Content-Encoding" in error["message"]
    plain = await gateway.paint(headers={"Content-Encoding": "identity"})
    assert plain.status_code == 200


@pytest.mark.parametrize("end", [b"", b"--", b"\r\n--x", b"\r\n--xy--\r\n"])
async def test_a_form_that_is_cut_off_is_refused_and_not_trimmed(gateway, end):
    """Without its last part it would be another request: here one without a seed."""
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s'
    form = part % (b"prompt", b"a boat") + b"\r\n" + part % (b"seed", b"12345")
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "multipart/form-data; boundary=x"}
    answered = await gateway.http.post("/v1/quote", content=form + end, headers=headers)
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "invalid_form")
    whole = await gateway.http.post("/v1/quote", content=form + b"\r\n--x--\r\n", headers=headers)
    assert whole.status_code == 200


async def test_who_leaves_in_the_middle_of_a_body_is_no_fault_of_ours(gateway):
    part = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n"
    with capture_logs() as lines:
        async with listening(gateway) as port:
            for path, media_type in WAYS_IN:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                begin = part if "multipart" in media_type else b"{"
                head = f"POST {path} HTTP/1.1\r\nContent-Type: {media_type}\r\nContent-Length: 1000\r\n"
                writer.write(f"{head}Authorization: Bearer {gateway.key}\r\n\r\n".encode() + begin)
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.close()
            counted = gateway.server.metrics._by_answer
            await until(lambda: sum(status == 499 for _, _, status in counted) == len({path for path, _ in WAYS_IN}))
    assert [line for line in lines if line["log_level"] in {"warning", "error"}] == []
    assert {status for _, _, status in counted} == {499}


async def test_the_header_of_a_proxy_closes_what_is_open_to_this_machine_alone(gateway):
    destinations = gateway.installation.destinations
    destinations.check_url("http://127.0.0.1:9000/hook")
    assert (await gateway.http.get("/readyz")).json()["warnings"] == []
    with capture_logs() as lines:
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert (await gateway.http.get("/metrics", headers={header: "192.0.2.1"})).status_code == 404
    assert len([line for line in lines if "proxy" in line["event"]]) == 1
    (warning,) = (await gateway.http.get("/readyz")).json()["warnings"]
    assert "PINXIT_PUBLIC_URL" in warning
    refused = await gateway.paint(webhook_url="http://127.0.0.1:9000/hook")
    assert refused.json()["error"]["code"] == "invalid_webhook_url"
    assert (await scraped(gateway))["pinxit_engine_ready",] == 1  # who comes without a proxy is of this machine


@pytest.mark.parametrize("is_https", [True, False])
async def test_a_public_https_address_is_to_be_asked_by_https_for_good(open_gateway, is_https):
    scheme = "https" if is_https else "http"
    gateway = await open_gateway(public_url=f"{scheme}://images.example.com")
    answered = await gateway.http.get(f"{scheme}://images.example.com/v1/styles", headers={"X-Forwarded-For": "::1"})
    assert answered.is_success
    assert ("strict-transport-security" in answered.headers) is is_https
    assert (await gateway.http.get("/readyz")).json()["warnings"] == []  # it was said that there is a proxy


async def test_bodies_are_counted_together_and_given_back():
    held = BodiesHeld(most=250)

    async def receive():
        return {"type": "http.request", "body": b"a" * 100, "more_body": True}

    first, second = (Counted({"headers": []}, receive, most=200, held=held) for _ in range(2))
    await first()
    await second()
    with pytest.raises(TooManyConnections):
        await second()
    second.close()
    assert held.bytes == 100
    await first()
    with pytest.raises(PayloadTooLarge):
        await first()
    first.close()
    assert held.bytes == 0


async def test_addresses_lead_back_the_way_a_call_came_and_never_to_a_strangers_name(open_gateway):
    gateway = await open_gateway(host="::", allowed_hosts="pixels.example, shop.example")
    base = str(gateway.http.base_url).rstrip("/")
    ours = ("192.0.2.7:8000", "localhost:9000", "[2001:db8::1]:8000", "PIXELS.example", "127.0.0.1:1")
    others = ("evil.example", "pixels.example.evil.example", "x@192.0.2.7", "192.0.2.7/evil", "192.0.2.7:80:80", "")
    made = (await gateway.paint()).json()["generation_id"]
    for host in (*ours, *others):
        root = f"http://{host.lower()}" if host in ours else base
        headers = {"Host": host, "Authorization": f"Bearer {gateway.key}"}
        shown = (await gateway.http.get(f"/v1/generations/{made}", headers=headers)).json()
        assert shown["image_url"].startswith(f"{root}/img/"), host
        listed = (await gateway.http.get("/v1/predictions", headers=headers)).json()["results"][0]
        assert listed["urls"]["get"].startswith(f"{root}/v1/predictions/")
        accepted = await gateway.http.post("/v1/generate", json={"prompt": "a boat", "async": True}, headers=headers)
        assert accepted.json()["poll_url"].startswith(f"{root}/v1/generations/")
        for path in ("/v1/generations/none", "/nowhere%00"):
            wrong = await gateway.http.get(path, headers=headers)
            assert wrong.json()["type"].startswith(f"{root}/errors/")
            assert "evil" not in wrong.text.replace("/evil", "")
    (warning,) = (await gateway.http.get("/readyz")).json()["warnings"]
    assert "PINXIT_ALLOWED_HOSTS" in warning


async def test_a_public_address_is_the_only_one_and_none_is_warned_of(open_gateway):
    gateway = await open_gateway(host="::", public_url="http://pinxit.example")
    headers = {"Host": "192.0.2.7", "Authorization": f"Bearer {gateway.key}"}
    wrong = await gateway.http.get("/v1/generations/none", headers=headers)
    assert wrong.json()["type"].startswith(f"{str(gateway.http.base_url).rstrip('/')}/errors/")
    assert (await gateway.http.get("/readyz")).json()["warnings"] == []


async def test_a_server_that_others_reach_without_a_name_is_warned_of_at_its_start(open_gateway):
    gateway = await open_gateway(host="::")
    (warning,) = (await gateway.http.get("/readyz")).json()["warnings"]
    assert "PINXIT_PUBLIC_URL" in warning

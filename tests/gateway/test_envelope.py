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


async def test_a_proxys_header_closes_what_is_open_to_this_machine_alone(gateway):
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

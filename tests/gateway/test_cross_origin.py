"""Web pages of other origins: none may call /v1 unless the operator lists it, and none with a browser's cookies."""

import pytest

from gateway.settings import load_settings
from models import SettingInvalid

PAGE = "https://app.example.com"


def preflight(gateway, path, origin):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, prefer"}
    return gateway.http.request("OPTIONS", path, headers={"Origin": origin, **asked})


async def test_nobody_is_listed_by_default(gateway):
    answered = await gateway.http.get("/v1/styles", headers={"Origin": PAGE})
    assert "access-control-allow-origin" not in answered.headers
    assert (await preflight(gateway, "/v1/generate", PAGE)).status_code == 405


async def test_a_listed_page_may_call_and_read_even_refusals(open_gateway):
    gateway = await open_gateway(cors_origins=(PAGE,))
    asked = await preflight(gateway, "/v1/generate", PAGE)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "authorization" in asked.headers["access-control-allow-headers"].lower()

    for path, status in (("/v1/styles", 200), ("/v1/account", 401), ("/v1/nothing", 404)):
        answered = await gateway.http.get(path, headers={"Origin": PAGE})
        assert (answered.status_code, answered.headers["access-control-allow-origin"]) == (status, PAGE)
        assert "X-Request-Id" in answered.headers["access-control-expose-headers"]
    large = await gateway.http.post("/v1/generate", content=b"x" * 1_000_001, headers={"Origin": PAGE})
    assert (large.status_code, large.headers["access-control-allow-origin"]) == (401, PAGE)


async def test_nobody_else_may_and_no_cookies_for_anybody(open_gateway):
    gateway = await open_gateway(cors_origins=(PAGE,))
    other = await gateway.http.get("/v1/styles", headers={"Origin": "https://app.example.com.evil.example"})
    assert "access-control-allow-origin" not in other.headers
    assert (await preflight(gateway, "/v1/generate", "https://evil.example")).status_code == 400
    answered = await gateway.http.get("/v1/styles", headers={"Origin": PAGE, "Cookie": "a=b"})
    assert "access-control-allow-credentials" not in answered.headers
    assert "access-control-allow-origin" not in (await gateway.http.get("/healthz", headers={"Origin": PAGE})).headers


async def test_all_pages_may_where_the_operator_says_so_but_without_cookies(open_gateway):
    gateway = await open_gateway(cors_origins=("*",))
    answered = await gateway.http.get("/v1/styles", headers={"Origin": PAGE, "Cookie": "a=b"})
    assert answered.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answered.headers


@pytest.mark.parametrize(
    "origin", ["app.example.com", "https://a.example/", "https://A.example", "https://u@a.example"]
)
def test_what_no_browser_sends_as_an_origin_is_refused_at_the_start(origin):
    with pytest.raises(SettingInvalid, match="PINXIT_CORS_ORIGINS"):
        load_settings(cors_origins=origin)

"""What every answer carries, whatever the path."""

import hashlib

import pytest

MEMBERS = {"error", "type", "title", "status", "detail", "instance"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/nowhere", 404, "not_found"),
        ("GET", "/img/nothing.png", 404, "not_found"),
        ("GET", "/studio/nothing.js", 404, "not_found"),
        ("GET", "/studio/../settings.py", 404, "not_found"),
        ("PUT", "/v1/generate", 405, "method_not_allowed"),
        ("GET", "/v1/generate", 405, "method_not_allowed"),
        ("POST", "/v1/styles", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("POST", "/v1/generate", 401, "missing_api_key"),
        ("GET", "/v1/styles/nope", 400, "unknown_style"),
    ],
)
async def test_every_error_has_the_contracts_body(gateway, method, path, status, code):
    answered = await gateway.http.request(method, path)
    body = answered.json()
    assert answered.status_code == status
    assert answered.headers["content-type"] == "application/problem+json"
    assert set(body) == MEMBERS
    assert body["error"]["code"] == code
    assert body["error"]["request_id"] == body["instance"] == answered.headers["x-request-id"]
    assert body["type"].endswith(f"/errors/{code}")
    if status == 405:
        assert answered.headers["allow"]


async def test_the_type_of_an_error_can_be_opened(gateway):
    body = (await gateway.http.get("/nowhere")).json()
    page = await gateway.http.get(body["type"])
    assert page.status_code == 200
    assert "not_found" in page.text


async def test_a_defect_of_ours_answers_500_without_telling_how(gateway):
    class Broken:
        def reading(self):
            raise ZeroDivisionError("secret detail")

    object.__setattr__(gateway.server.services.fetch, "database", Broken())
    answered = await gateway.get("/v1/generations")
    assert (answered.status_code, answered.json()["error"]["code"]) == (500, "internal_error")
    assert "secret" not in answered.text


@pytest.mark.parametrize("path", ["/healthz", "/v1/styles", "/openapi.json", "/", "/docs", "/nowhere"])
async def test_every_answer_is_marked_and_safe(gateway, path):
    headers = (await gateway.http.get(path)).headers
    assert headers["x-request-id"].startswith("req_")
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_an_https_installation_refuses_plain_http(open_gateway):
    gateway = await open_gateway(public_url="https://images.example.com")
    answered = await gateway.http.get("/v1/styles")
    assert (answered.status_code, answered.json()["error"]["code"]) == (403, "https_required")
    assert (await gateway.http.get("/healthz")).status_code == 200
    assert (await gateway.http.get("https://images.example.com/v1/styles")).status_code == 200


async def test_styles_are_listed_with_an_etag_and_a_304(gateway):
    first = await gateway.http.get("/v1/styles")
    styles = {style["id"]: style for style in first.json()["data"]}
    assert styles["auto"]["available"] is True
    assert styles["watercolor"]["name"] == "Watercolour"
    again = await gateway.http.get("/v1/styles", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await gateway.http.get("/v1/styles/watercolour")).json() == styles["watercolor"]


@pytest.mark.parametrize(("form", "status"), [("{}", 304), ("W/{}", 304), ('"x", {}', 304), ("*", 304), ('"x"', 200)])
async def test_an_entity_tag_is_known_in_every_form_that_caches_send(gateway, form, status):
    etag = (await gateway.http.get("/v1/styles")).headers["etag"]
    answered = await gateway.http.get("/v1/styles", headers={"If-None-Match": form.format(etag)})
    assert answered.status_code == status


async def test_a_bad_key_on_an_open_path_is_said(gateway):
    answered = await gateway.http.get("/v1/styles", headers={"Authorization": "Bearer px_live_nonsense"})
    assert answered.status_code == 401


async def test_a_picture_is_immutable_and_can_be_asked_for_in_parts(gateway):
    url = (await gateway.paint()).json()["image_url"]
    whole = await gateway.http.get(url)
    assert "immutable" in whole.headers["cache-control"]
    assert whole.headers["etag"] == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    part = await gateway.http.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    head = await gateway.http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    unchanged = await gateway.http.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert unchanged.status_code == 304
    beyond = await gateway.http.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.json()["error"]["code"]) == (416, "range_not_satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    nonsense = await gateway.http.get(url, headers={"Range": "pages=1"})
    assert (nonsense.status_code, nonsense.content) == (200, whole.content)


RANGES = [
    ("bytes=0-0", 206, slice(0, 1)),
    ("bytes=-3", 206, slice(-3, None)),
    ("bytes=5-", 206, slice(5, None)),
    ("bytes=5-999999999999999999", 206, slice(5, None)),
    ("bytes=-999999999", 206, slice(None)),
    ("bytes=5-2", 200, slice(None)),
    ("bytes=0-1, 4-5", 200, slice(None)),
    ("bytes=0-0,999999999-", 200, slice(None)),
    ("bytes=0-" + "9" * 5000, 200, slice(None)),
    ("bytes=" + "9" * 5000 + "-", 200, slice(None)),
    ("bytes=-", 200, slice(None)),
    ("bytes=-0", 416, None),
    ("bytes=999999999-", 416, None),
]


async def test_a_range_is_kept_forgotten_or_refused_in_the_contracts_form(gateway):
    url = (await gateway.paint()).json()["image_url"]
    whole = (await gateway.http.get(url)).content
    for asked, status, part in RANGES:
        answered = await gateway.http.get(url, headers={"Range": asked})
        assert answered.status_code == status, asked
        if part is None:
            assert answered.json()["error"]["code"] == "range_not_satisfiable"
        else:
            assert answered.content == whole[part], asked


async def test_pages_are_sent_in_one_piece(gateway):
    for path in ("/", "/docs", "/favicon.ico", "/studio/mark.svg"):
        whole = await gateway.http.get(path)
        for asked in ("nonsense", "bytes=999999999-", "bytes=0-1"):
            answered = await gateway.http.get(path, headers={"Range": asked})
            assert (answered.status_code, answered.content) == (200, whole.content)


async def test_a_405_names_every_method_of_the_path(gateway):
    for path, allowed in {
        "/v1/generate": "POST",
        "/v1/generations": "GET",
        "/v1/generations/gen_x": "DELETE, GET",
        "/img/x.png": "GET, HEAD",
        "/studio/mark.svg": "GET, HEAD",
        "/": "GET, HEAD",
    }.items():
        answered = await gateway.http.patch(path)
        assert (answered.status_code, answered.headers["allow"]) == (405, allowed)


async def test_readyz_tells_what_is_missing(gateway):
    assert (await gateway.http.get("/readyz")).json()["ready"] is True
    await gateway.engine.close()
    answered = await gateway.http.get("/readyz")
    assert (answered.status_code, answered.json()["ready"], answered.json()["database"]) == (503, False, True)

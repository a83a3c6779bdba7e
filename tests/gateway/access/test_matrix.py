"""Every route, every scope, own and foreign and missing objects. Generated from the route table: a new route needs a row.

What a row says is the contract (who may call what); what the test asks is the running application.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from gateway.access import SCOPES
from gateway.http import make_api

OPEN, ANY_KEY = "open", "any key"
# The first row that fits counts.
POLICY = (
    ("GET|HEAD", r"/|/docs|/favicon\.ico|/openapi\.json|/healthz|/readyz|/metrics|/errors/.*|/img/.*", OPEN),
    ("GET", r"/v1/(styles|loras|vaes)(/.*)?", OPEN),
    ("POST", r"/v1/provenance/check", OPEN),
    ("POST", r"/v1/provenance/check", OPEN),
    ("GET|POST|PATCH|DELETE", r"/v1/admin/.*", "admin"),
    ("GET|POST|PATCH", r"/v1/keys(/.*)?", "keys:write"),
    ("GET|POST|PATCH|DELETE", r"/v1/webhooks(/.*)?", "webhooks:write"),
    ("GET", r"/v1/account(/.*)?", "read"),
    ("POST", r"/v1/(generate|quote|images/.*)", "generate"),
    ("GET", r"/v1/(generations|predictions|batches|files)(/.*)?", "read"),
    ("POST", r"/v1/(generations|predictions|batches|files)(/.*)?", "generate"),
    ("DELETE", r"/v1/(generations|files)/.*", "delete"),
    ("GET", r"/v1/models(/.*)?", ANY_KEY),
    ("POST", r"/v1/models/.*|/hf/.*|/sdapi/v1/(txt2img|img2img|skip|interrupt)", "generate"),
    ("GET", r"/sdapi/v1/progress", "read"),
    ("GET|POST", r"/sdapi/v1/.*", ANY_KEY),
)
# Parameters that name nothing of an account's.
PUBLIC = {"style": "none", "name": "starter", "model": "starter", "owner": "local", "code": "not_found", "index": "0"}
# What a route needs before it looks at anything else; all others are sent an empty object.
BODIES = {"/resend": {"since": "2026-11-21T00:00:00Z"}, "/v1/keys": {"scopes": ["keys:write"]}}
INTERNAL = {
    *("lease_owner", "lease_until", "blob_key", "attempt", "failures", "specs", "secret_hash", "previous_hash"),
    *(
        "body_sha256",
        "webhook_secret",
        "previous_webhook_secret",
        "available_at",
        "key_pepper",
        "price",
        "cost",
        "work",
        "picture_count",
    ),
}
GOLDEN = Path(__file__).parents[3] / "docs" / "openapi.json"


def api_routes(routes) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from api_routes(route.original_router.routes)


ROUTES = sorted({(method, route.path) for route in api_routes(make_api().routes) for method in route.methods})


def needed(method, path) -> str:
    rows = [scope for methods, form, scope in POLICY if re.fullmatch(methods, method) and re.fullmatch(form, path)]
    assert rows, f"{method} {path} has no row in POLICY: who may call it?"
    return rows[0]


def parameters(path) -> list[str]:
    return re.findall(r"\{(\w+)(?::path)?\}", path)


def filled(path, ids) -> str:
    return re.sub(r"\{(\w+)(?::path)?\}", lambda found: ids[found.group(1)], path)


def missing(path) -> dict[str, str]:
    return {name: PUBLIC.get(name, f"{name.partition('_')[0]}_0000000000000000") for name in parameters(path)}


def code_of(answered) -> str | None:
    if not answered.content or "json" not in answered.headers.get("content-type", ""):
        return None
    error = answered.json().get("error") if isinstance(answered.json(), dict) else None
    return error.get("code") if isinstance(error, dict) else None


def members(content) -> Iterator[str]:
    if isinstance(content, dict):
        yield from content
    for inner in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from members(inner)


@pytest.fixture
def ask(gateway):
    async def ask(method, path, key=None):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = next((body for end, body in BODIES.items() if path.endswith(end)), {})
        sent = {"json": body} if method in {"POST", "PATCH"} else {}
        return await gateway.http.request(method, path, headers=headers, **sent)

    return ask


def test_every_row_of_the_table_is_of_use():
    used = {needed(method, path) for method, path in ROUTES}
    assert used == {OPEN, ANY_KEY, "read", "generate", "delete", "admin", "keys:write", "webhooks:write"}


async def test_a_route_opens_to_its_scope_and_to_no_other(gateway, ask):
    keys = {scope: await gateway.new_key(account="anna", plan="owner", scopes=frozenset({scope})) for scope in SCOPES}
    wrong = []
    for method, path in ROUTES:
        scope, place = needed(method, path), filled(path, missing(path))
        stranger = await ask(method, place)
        if (code_of(stranger) == "missing_api_key") is (scope == OPEN):
            wrong.append((method, path, "without a key", stranger.status_code))
        for held, key in keys.items():
            answered = await ask(method, place, key)
            may = scope in {OPEN, ANY_KEY, held} or held == "admin"
            if answered.status_code >= 500 or (code_of(answered) == "insufficient_scope") is may:
                wrong.append((method, path, held, answered.status_code))
    assert wrong == []


async def sent_file(gateway, key):
    sent = {"data": {"purpose": "batch"}, "files": {"file": ("requests.jsonl", b"{}")}}
    answered = await gateway.http.post("/v1/files", headers={"Authorization": f"Bearer {key}"}, **sent)
    return answered.json()["id"]


@pytest.fixture
def makers(gateway):
    """How an account comes by an object of its own, by the parameter that names it."""

    async def post(path, key, **body):
        answered = await gateway.http.post(path, json=body, headers={"Authorization": f"Bearer {key}"})
        assert answered.status_code in {200, 201, 202}, answered.text
        return answered.json()

    async def generation(key):
        return (await gateway.paint(key=key)).json()["generation_id"]

    async def replay(key):
        return (await post(f"/v1/generations/{await generation(key)}/replay", key))["generation_id"]

    async def webhook(key):
        return (await post("/v1/webhooks", key, url="http://127.0.0.1:9/"))["id"]

    async def delivery(key):
        await post(f"/v1/webhooks/{await webhook(key)}/test", key)
        return (await gateway.get("/v1/webhooks/deliveries", key=key)).json()["data"][0]["id"]

    async def api_key(key):
        return (await post("/v1/keys", key))["id"]

    async def batch(key):
        return (await post("/v1/batches", key, items=[{"prompt": "a boat"}]))["batch_id"]

    return {
        "batch_id": batch,
        "file_id": partial(sent_file, gateway),
        "/v1/generations/{generation_id}/replay": replay,
        "generation_id": generation,
        "prediction_id": generation,
        "webhook_id": webhook,
        "delivery_id": delivery,
        "key_id": api_key,
    }


async def test_a_foreign_object_looks_like_none_at_all(gateway, ask, makers):
    """And the owner does find it, or the comparison would prove nothing."""
    every = frozenset(SCOPES - {"admin"})
    owner = await gateway.new_key(account="anna", plan="owner", scopes=every)
    other = await gateway.new_key(account="ben", plan="owner", scopes=every)
    wrong, seen = [], set()
    for method, path in ROUTES:
        named = [name for name in parameters(path) if name not in PUBLIC]
        if not named or path.startswith("/v1/admin/"):
            continue
        (name,) = named
        own = {**missing(path), name: await makers.get(path, makers[name])(owner)}
        foreign = await ask(method, filled(path, own), other)
        absent = await ask(method, filled(path, missing(path)), other)
        found = await ask(method, filled(path, own), owner)
        if foreign.status_code != 404 or shape(foreign, own[name]) != shape(absent, missing(path)[name]):
            wrong.append((method, path, foreign.status_code, absent.status_code))
        if found.status_code == 404 or found.status_code >= 500:
            wrong.append((method, path, "its owner", found.status_code))
        if found.status_code < 300 and "application/json" in found.headers["content-type"]:
            seen |= set(members(found.json()))
    assert wrong == []
    assert seen & INTERNAL == set()


def shape(answered, id):
    """The answer without what names this one call and this one object."""
    content = answered.text.replace(id, "ID")
    return answered.status_code, re.sub(r"req_\w+", "REQUEST", content), sorted(answered.headers)


async def test_no_list_shows_what_is_another_accounts(gateway, ask, makers):
    every = frozenset(SCOPES - {"admin"})
    owner = await gateway.new_key(account="anna", plan="owner", scopes=every)
    other = await gateway.new_key(account="ben", plan="owner", scopes=every)
    ids = {await make(owner) for make in makers.values()}
    lists = [
        path for method, path in ROUTES if method == "GET" and not parameters(path) and needed(method, path) != OPEN
    ]
    for path in lists:
        answered = await ask("GET", path, other)
        assert not any(id in answered.text for id in ids), path
    own = [(await ask("GET", path, owner)).text for path in lists]
    assert all(any(id in text for text in own) for id in ids)


def test_no_internal_member_stands_in_the_document():
    schemas = json.loads(GOLDEN.read_text())["components"]["schemas"]
    shown = {member for schema in schemas.values() for member in schema.get("properties", {})}
    assert shown & INTERNAL == set()

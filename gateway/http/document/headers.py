"""The headers of every answer, for the OpenAPI document: which belong to which operation and status."""

from collections.abc import Iterator, Mapping
from typing import TypedDict

from pydantic import JsonValue

from gateway.http.reading.lenient import IGNORED_HEADER, WARNINGS_HEADER


class Header(TypedDict):
    """As OpenAPI writes it."""

    description: str
    required: bool
    schema: dict[str, JsonValue]


Described = Mapping[str, Header]


def _header(description: str, *, required: bool = False, **schema: JsonValue) -> Header:
    return {"description": description, "required": required, "schema": schema}


EVERYWHERE: Described = {
    "X-Request-Id": _header("Name it when you ask for help.", required=True, type="string", pattern="^req_"),
}
TO_A_KEY: Described = {
    "X-RateLimit-Limit": _header("Requests of this window; absent without a limit.", type="integer", minimum=0),
    "X-RateLimit-Remaining": _header("Requests left in this window.", type="integer", minimum=0),
    "X-RateLimit-Reset": _header("When the window ends, in seconds since the epoch.", type="integer", minimum=0),
    "RateLimit-Policy": _header("The window, as draft-ietf-httpapi-ratelimit-headers-11 writes it.", type="string"),
    "RateLimit": _header("What is left of it, and for how many seconds.", type="string"),
}
REPLAYED: Described = {
    "Idempotent-Replayed": _header("The answer to an earlier call with this key.", type="string", enum=["true"]),
}
LOCATION: Described = {"Location": _header("Where what was made is read.", type="string", format="uri-reference")}
RETRY: Described = {"Retry-After": _header("Seconds to wait before the next try.", type="integer", minimum=0)}
LOGIN: Described = {"WWW-Authenticate": _header("How to log in.", type="string")}
IGNORED: Described = {
    IGNORED_HEADER: _header("Members that changed nothing, commas between.", type="string"),
    WARNINGS_HEADER: _header(
        "The `warnings` without their sentences, as JSON; absent if there are none.", type="string"
    ),
}
TAGGED: Described = {"ETag": _header("Strong; send it as `If-None-Match`.", type="string")}
FILE: Described = {
    **TAGGED,
    "Cache-Control": _header("A year and immutable; private pictures until their address ends.", type="string"),
    "Accept-Ranges": _header("Parts may be asked for.", type="string", enum=["bytes"]),
}
PART: Described = {"Content-Range": _header("Which bytes these are, and of how many.", type="string")}
SURFACES = ("/v1/images/", "/sdapi/", "/hf/", "/v1/predictions", "/v1/models/{owner}/")

BY_STATUS: Mapping[str, Described] = {
    "201": LOCATION,
    "202": LOCATION,
    "401": LOGIN,
    "429": RETRY,
    "503": RETRY,
}


def headers_of(path: str, status: str, *, has_key: bool) -> Described:
    """What an answer of this status to an operation under `path` may carry."""
    return {name: header for described in _of(path, status, has_key=has_key) for name, header in described.items()}


def _of(path: str, status: str, *, has_key: bool) -> Iterator[Described]:
    yield EVERYWHERE
    yield BY_STATUS.get(status, {})
    if has_key:
        yield TO_A_KEY
    if path in {"/v1/generate", "/v1/batches"} and status.startswith("2"):
        yield REPLAYED
    if path.startswith(SURFACES):
        yield IGNORED
    if path == "/v1/styles":
        yield TAGGED
    if path.startswith("/img/"):
        yield from _of_file(status)


def _of_file(status: str) -> Iterator[Described]:
    if status in {"200", "206", "304"}:
        yield FILE
    if status in {"206", "416"}:
        yield PART

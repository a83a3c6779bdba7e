"""Holds every error answer of a test against the OpenAPI document: its code must stand at its operation."""

import functools
import json
import re
from pathlib import Path

import httpx2

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
PROBLEM_JSON = "application/problem+json"
# What happens before a route is found, or is a defect that a test makes on purpose.
ANYWHERE = {
    "https_required",
    "internal_error",
    "method_not_allowed",
    "not_found",
    "payload_too_large",
    "overloaded",
} | {
    "unsupported_media_type"  # of a packed body
}


@functools.cache
def documented() -> list[tuple[re.Pattern[str], str, set[str]]]:
    """Path, method and codes of every operation; paths without a parameter first."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    found = []
    for path, operations in sorted(paths.items(), key=lambda one: "{" in one[0]):
        for method, operation in operations.items():
            answers = operation["responses"].values()
            codes = {
                code
                for answer in answers
                for code in answer.get("content", {}).get(PROBLEM_JSON, {}).get("examples", {})
            }
            found.append((re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), method.upper(), codes))
    return found


async def check(response: httpx2.Response) -> None:
    """An event hook of the tests' client."""
    if response.request.method == "HEAD" or not response.headers.get("content-type", "").startswith(PROBLEM_JSON):
        return
    await response.aread()
    code, request = response.json()["error"]["code"], response.request
    for path, method, codes in documented():
        if method == request.method and path.fullmatch(request.url.path):
            assert code in codes | ANYWHERE, f"{code} is not documented for {request.method} {request.url.path}"
            return

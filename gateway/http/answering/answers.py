"""Answers: bodies as JSON, errors in the contract's form, and both described for the OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match

from gateway.access import QuotaExceeded
from gateway.http.edge.problems import codes_of, problem_body, problem_headers, problem_of
from gateway.http.edge.rate_headers import rate_headers
from gateway.http.edge.refusals import InternalError, MethodNotAllowed, PathUnknown
from gateway.http.reading.dependencies import services_of
from gateway.http.reading.refusing import refusal_of
from gateway.wire import ErrorBody
from models import DomainError
from models.guessing import did_you_mean

PROBLEM_JSON = "application/problem+json"
CALLER_LEFT = 499  # nginx's number for a caller who leaves before the answer


def answer(body: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    content = body.model_dump_json(by_alias=True)
    return Response(content, status_code=status, headers=dict(headers or {}), media_type="application/json")


def is_unchanged(request: Request, etag: str) -> bool:
    """`If-None-Match` names this entity tag, alone or in a list, weak or not (RFC 9110, section 13.1.2)."""
    asked = request.headers.get("if-none-match", "")
    return asked.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in asked.split(",")}


def problem_answer(request: Request, error: DomainError) -> Response:
    if isinstance(error, QuotaExceeded):  # the window that is full, so that its reset and Retry-After agree
        request.state.rate_headers = rate_headers(error.window, now=request.app.state.services.clock())
    request.state.error_code = error.code
    body = problem_body(error, request_id=request.state.request_id, types=services_of(request).urls.errors)
    return Response(
        body.model_dump_json(),
        status_code=problem_of(error).status,
        headers=problem_headers(error),
        media_type=PROBLEM_JSON,
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route for the OpenAPI document, with every code that may stand in each and its example."""
    return {status: _described(sorted(codes_of(status))) for status in statuses}


def _described(codes: Sequence[str]) -> dict[str, Any]:
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    content = {"schema": {"$ref": "#/components/schemas/ErrorBody"}, "examples": examples}
    return {"model": ErrorBody, "content": {PROBLEM_JSON: content}, "description": ", ".join(codes)}


def install_problem_answers(app: FastAPI, served: Sequence[BaseRoute]) -> None:
    """Nothing leaves in FastAPI's own error shape, which makes clients show "Bad Request" and no reason.

    `served` is every route: which methods a path knows is spread over them.
    """

    async def of_domain(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)  # noqa: S101 - registered for this class
        return problem_answer(request, error)

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
        problem = dict(error.errors()[0])
        problem["loc"] = problem["loc"][1:2]  # without "query" or "path", and without what pydantic tried
        return problem_answer(request, refusal_of(problem))

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
        if error.status_code == 405:
            named = {method.strip() for method in (error.headers or {}).get("Allow", "").split(",")}
            allowed = named | _methods_at(request, served)
            return problem_answer(
                request, MethodNotAllowed(f"{request.method} does not fit this path.", allowed=allowed)
            )
        hint = did_you_mean(request.url.path, _paths_of(served))
        return problem_answer(request, PathUnknown(f"Nothing is served at {request.url.path}.{hint}"))

    async def of_departure(_: Request, __: Exception) -> Response:
        return Response(status_code=CALLER_LEFT)  # for the counters: nobody hears it

    async def of_defect(request: Request, _: Exception) -> Response:
        return problem_answer(request, InternalError("Something broke on our side."))

    app.add_exception_handler(DomainError, of_domain)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(ClientDisconnect, of_departure)
    app.add_exception_handler(Exception, of_defect)


def _paths_of(served: Sequence[BaseRoute]) -> set[str]:
    return {path for route in served if "{" not in (path := getattr(route, "path", ""))}


def _methods_at(request: Request, served: Sequence[BaseRoute]) -> set[str]:
    here = [route for route in served if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in here for method in getattr(route, "methods", None) or ()}

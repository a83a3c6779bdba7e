"""Errors as bytes, for what stands below the application and around it."""

from http import HTTPStatus

from gateway.http.edge.problems import problem_body, problem_headers, problem_of
from models import DomainError

Headers = list[tuple[bytes, bytes]]


def raw_problem(error: DomainError, *, request_id: str, types: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body of an error in the contract's form; see `problem_body`."""
    body = problem_body(error, request_id=request_id, types=types).model_dump_json().encode()
    headers = {
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        **problem_headers(error),
    }
    return problem_of(error).status, [(name.lower().encode(), value.encode()) for name, value in headers.items()], body


def whole_answer(error: DomainError, *, request_id: str, types: str) -> bytes:
    """The last answer of a connection that no application has seen, from the status line to the end of the body."""
    status, headers, body = raw_problem(error, request_id=request_id, types=types)
    headers += [
        (b"x-request-id", request_id.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", body])

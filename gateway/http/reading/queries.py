"""Queries are as strict as bodies: a word that the route does not declare is refused, or named where bodies name it."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.http.reading.refusing import unknown_member
from models import RequestInvalid

STRICT_PATHS = ("/v1/", "/img/")
DEEP = {"metadata"}  # filters written `metadata[key]=value`


async def refuse_unknown_words(request: Request) -> None:
    """A dependency of every route. Raises ParameterUnknown, RequestInvalid."""
    route = request.scope.get("route")
    if not request.scope["query_string"] or not isinstance(route, APIRoute) or not _is_strict(route):
        return
    known = declared_in(route)
    sent = [name for name, _ in request.query_params.multi_items()]
    for name in sent:
        if name not in known and name.partition("[")[0] not in known & DEEP:
            raise unknown_member(name, name, known)
        if sent.count(name) > 1 and name in known:
            raise RequestInvalid(f"`{name}` was sent more than once.", field=name)


def _is_strict(route: APIRoute) -> bool:
    """Pages and probes do nothing with a query, and A1111's clients send words that we need not know."""
    return route.path.startswith(STRICT_PATHS)


def declared_in(route: APIRoute) -> frozenset[str]:
    """The words that the route, its dependencies and its own lines of the OpenAPI document name."""
    by_hand = (route.openapi_extra or {}).get("parameters", [])
    return frozenset(_declared_by(route.dependant)) | {one["name"] for one in by_hand if one["in"] == "query"}


def _declared_by(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _declared_by(inner)

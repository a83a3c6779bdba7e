"""What routes ask for is answered on the event loop."""

import inspect
from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.http.app import make_api


def routes_in(routes: list) -> Iterator[APIRoute]:
    for route in routes:
        router = getattr(route, "original_router", None)
        if isinstance(router, APIRouter):
            yield from routes_in(router.routes)
        elif isinstance(route, APIRoute):
            yield route


def asked_by(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for asked in dependant.dependencies:
        yield from asked_by(asked)


def test_no_function_that_a_route_asks_for_runs_in_a_thread():
    """FastAPI hands every function that is not asynchronous to a thread, which costs more than most of them do."""
    asked = {one.call for route in routes_in(make_api().routes) for one in asked_by(route.dependant)}
    assert len(asked) > 80
    assert [call for call in asked if inspect.isfunction(call) and not inspect.iscoroutinefunction(call)] == []

"""The application: routes, pages, error answers and the envelope around them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from gateway.http import catalogue, operations
from gateway.http.account import keys
from gateway.http.account import routes as account
from gateway.http.admin import admin_routes
from gateway.http.answering.answers import install_problem_answers
from gateway.http.batches import routes as batches
from gateway.http.dialects import ChosenModels, dialect_routes
from gateway.http.dialects.openai.batches import ask_of_file
from gateway.http.document.schema import install_schema
from gateway.http.edge.body_limits import BodyLimits
from gateway.http.edge.cross_origin import CrossOrigin
from gateway.http.edge.envelope import Envelope, Rules
from gateway.http.edge.metering import Metered
from gateway.http.generations import events, replaying
from gateway.http.generations import routes as generations
from gateway.http.images import links as image_links
from gateway.http.images import provenance
from gateway.http.images import routes as images
from gateway.http.pages import routes as pages
from gateway.http.reading.dependencies import Services
from gateway.http.reading.queries import refuse_unknown_words
from gateway.http.webhooks import routes as webhooks
from gateway.identity import NewId

VERSION = "0.1.0"

Lifespan = Callable[[], AbstractAsyncContextManager[None]]


def make_app(services: Services, *, new_id: NewId, lifespan: Lifespan | None = None) -> ASGIApp:
    """Everything HTTP. `lifespan` starts and stops what runs beside the requests."""
    app = make_api(lifespan)
    app.state.services = services
    app.state.style_list = catalogue.written_styles(services.styles, services.catalogue)
    app.state.chosen_models = ChosenModels()
    app.state.read_batch_file = ask_of_file
    pages.mount_files(app, services)
    enveloped = Envelope(
        app,
        new_id=new_id,
        types=lambda call: f"{services.own_address.root_of(call)}/errors",
        rules=Rules(
            public_url=services.settings.public_url,
            bodies=BodyLimits(
                table_bytes=services.settings.max_batch_bytes,
                picture_json_bytes=services.settings.max_picture_json_bytes,
            ),
            signs=services.proxy_signs,
            stopping=services.stopping,
        ),
    )
    metered = Metered(enveloped, services.metrics, logs_requests=services.settings.log_requests)
    origins = services.settings.cors_origins
    return CrossOrigin(metered, origins=origins) if origins else metered


def _verb_of(route: APIRoute) -> str:
    """Operations are called as our functions are; what an operator does to others' has its word before it."""
    return f"admin_{route.name}" if "admin" in route.tags else route.name


def make_api(lifespan: Lifespan | None = None) -> FastAPI:
    """The routes and their document, without anything behind them."""

    @asynccontextmanager
    async def around(_: FastAPI) -> AsyncIterator[None]:
        async with lifespan() if lifespan else nullcontext():
            yield

    app = FastAPI(
        title="Pinxit",
        version=VERSION,
        summary="Text to image on your own machine: the same request gives the same pixels.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=around,
        generate_unique_id_function=_verb_of,
    )
    modules = (  # asked in turn which of them knows a path, so the busiest come first
        images,
        generations,
        events,
        replaying,
        batches,
        catalogue,
        account,
        keys,
        webhooks,
        image_links,
        operations,
        provenance,
        pages,
    )
    routers = [module.routes for module in modules]
    routers.extend((*dialect_routes, *admin_routes))
    for router in routers:
        app.include_router(router, dependencies=[Depends(refuse_unknown_words)])
    install_schema(app)
    install_problem_answers(app, [route for router in routers for route in router.routes])
    return app

"""The OpenAPI 3.1 document, written by FastAPI and completed with what only we know."""

import json
import re
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from gateway.batch_bodies import BatchOrder
from gateway.batches.accept import MAX_CUSTOM_ID_CHARACTERS
from gateway.http.account.key_bodies import ChangedKeyBody, KeyOrderBody, RotationBody
from gateway.http.admin.bodies import ChangedAccountBody, CreditsBody, NewAccountBody
from gateway.http.answering.answers import PROBLEM_JSON, described
from gateway.http.batches.file_form import FileBatchOrder
from gateway.http.batches.forms import CUSTOM_ID, OF_THE_CALL
from gateway.http.batches.reading import WORDS
from gateway.http.dialects.openai.orders import ImagesBody
from gateway.http.document.describing import TAGS, describe_members
from gateway.http.document.examples import EXAMPLES
from gateway.http.document.headers import headers_of
from gateway.http.document.possible_errors import can_happen
from gateway.http.edge.problems import example_bodies
from gateway.http.generations.bodies import FILES
from gateway.http.generations.events import ProgressEvent, QueuedEvent, StartedEvent
from gateway.http.reading.queries import STRICT_PATHS
from gateway.http.webhooks.bodies import ChangedWebhookBody, NewWebhookBody, ResendBody
from gateway.orders import GenerateBody

BEARER = {"type": "http", "scheme": "bearer", "description": "An API key, `px_live_…` or `px_test_…`."}
ACCESS_BODIES = (KeyOrderBody, ChangedKeyBody, RotationBody, NewAccountBody, ChangedAccountBody, CreditsBody)
PARSED_BY_HAND = (
    GenerateBody,
    NewWebhookBody,
    ChangedWebhookBody,
    ResendBody,
    ImagesBody,
    FileBatchOrder,
    *ACCESS_BODIES,
)
WRITTEN_BY_HAND = (QueuedEvent, StartedEvent, ProgressEvent)
OPEN_PATHS = ("/healthz", "/readyz", "/img/", "/v1/styles", "/v1/loras", "/v1/vaes", "/v1/provenance/")


def install_schema(app: FastAPI) -> None:
    """Serve `/openapi.json`; the document is made on the first look and kept."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(
                get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]

    @app.get("/openapi.json", include_in_schema=False)
    async def read_document(request: Request) -> Response:
        return Response(json.dumps(request.app.openapi()), media_type="application/json")


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add the bodies that FastAPI does not see, and the key; drop FastAPI's own error shapes, which never leave."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for kind in (*PARSED_BY_HAND, *WRITTEN_BY_HAND):
        body = kind.model_json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
        schemas.update(body.pop("$defs", {}))
        schemas[kind.__name__] = body
    schemas["GenerateForm"] = _form_of(schemas["GenerateBody"])
    schemas["BatchItem"] = _batch_item(schemas["GenerateBody"])
    schemas["BatchOrder"] = _batch_order()
    schemas["BatchForm"] = _batch_form()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["examples"] = {
        code: {"summary": body.title, "value": body.model_dump(mode="json")} for code, body in example_bodies().items()
    }
    components["securitySchemes"] = {"key": BEARER}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None) if _is_fastapis(operation) else None
            _keep_possible_errors(path, operation)
            operation["security"] = [] if path.startswith(OPEN_PATHS) else [{"key": []}]
            for status, given in operation["responses"].items():
                headers = headers_of(path, status, has_key=bool(operation["security"]))
                components.setdefault("headers", {}).update(headers)
                given["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    describe_members(document)
    document["tags"] = TAGS
    return _with_readable_names(document)


def _with_readable_names(document: dict[str, Any]) -> dict[str, Any]:
    """`KeyListBody` for pydantic's `ListBody_KeyBody_`: clients are generated with these names."""
    renamed: dict[str, Any] = json.loads(re.sub(r"\bListBody_(\w+?)Body_", r"\1ListBody", json.dumps(document)))
    return renamed


def _keep_possible_errors(path: str, operation: dict[str, Any]) -> None:
    """Most operations refuse words of a query that they do not know, so they have a 400."""
    if path.startswith(STRICT_PATHS):
        operation["responses"].setdefault("400", _unknown_word())
    for status, answer in list(operation["responses"].items()):
        errors = answer.get("content", {}).get(PROBLEM_JSON)
        if errors is None:
            continue
        errors["examples"] = {code: one for code, one in errors["examples"].items() if can_happen(code, operation)}
        answer["description"] = ", ".join(errors["examples"])
        if not errors["examples"]:
            del operation["responses"][status]


def _unknown_word() -> dict[str, Any]:
    return {name: part for name, part in described(400)[400].items() if name != "model"}


def _form_of(body: dict[str, Any]) -> dict[str, Any]:
    """The same members as parts of a form, in which pictures may be files."""
    properties = dict(body["properties"])
    for name in FILES:
        may_be = [*properties[name]["anyOf"], {"type": "string", "contentMediaType": "application/octet-stream"}]
        properties[name] = {**properties[name], "anyOf": may_be}
    return {**body, "properties": properties, "title": "GenerateForm"}


def _batch_order() -> dict[str, Any]:
    """Items are parsed one by one, so the model itself knows nothing of their members."""
    order = BatchOrder.model_json_schema()
    order.pop("$defs", None)
    item = {"$ref": "#/components/schemas/BatchItem"}
    members = order["properties"]
    members["items"] = {**members["items"], "minItems": 1, "items": item}
    members["defaults"] = {**members["defaults"], "anyOf": [item, {"type": "null"}]}
    return order


def _batch_form() -> dict[str, Any]:
    """A file, and what it cannot say of its batch."""
    file = {"type": "string", "contentMediaType": "application/octet-stream", "description": "CSV or JSON lines."}
    words = {name: {"type": "string"} for name in WORDS}
    return {"type": "object", "required": ["file"], "properties": {"file": file, **words}}


def _batch_item(body: dict[str, Any]) -> dict[str, Any]:
    """A single call's body, as an item of a batch."""
    members = {name: form for name, form in body["properties"].items() if name not in OF_THE_CALL}
    custom_id = {"type": "string", "minLength": 1, "maxLength": MAX_CUSTOM_ID_CHARACTERS, "description": "Comes back."}
    return {
        "type": "object",
        "description": "One request of a batch. `prompt` is needed, here or in the defaults.",
        "additionalProperties": False,
        "properties": {CUSTOM_ID: custom_id, **members},
    }


def _is_fastapis(operation: dict[str, Any]) -> bool:
    return "HTTPValidationError" in str(operation["responses"].get("422", ""))

"""The OpenAPI document is valid, complete, and changes only on purpose."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

GOLDEN = Path(__file__).parents[2] / "docs" / "openapi.json"
OPERATIONS = {
    ("/v1/generate", "post"),
    ("/v1/quote", "post"),
    ("/v1/generations", "get"),
    ("/v1/generations/{generation_id}", "get"),
    ("/v1/generations/{generation_id}", "delete"),
    ("/v1/generations/{generation_id}/events", "get"),
    ("/v1/generations/{generation_id}/images/{index}/link", "get"),
    ("/v1/generations/{generation_id}/recipe", "get"),
    ("/v1/generations/{generation_id}/replay", "get"),
    ("/v1/generations/{generation_id}/replay", "post"),
    ("/v1/generations/{generation_id}/cancel", "post"),
    ("/v1/images/edits", "post"),
    ("/v1/images/generations", "post"),
    ("/v1/models", "get"),
    ("/v1/models/{model}", "get"),
    ("/v1/batches", "get"),
    ("/v1/batches", "post"),
    ("/v1/batches/{batch_id}", "get"),
    ("/v1/batches/{batch_id}/cancel", "post"),
    ("/v1/batches/{batch_id}/items", "get"),
    ("/v1/batches/{batch_id}/results", "get"),
    ("/v1/files", "get"),
    ("/v1/files", "post"),
    ("/v1/files/{file_id}", "delete"),
    ("/v1/files/{file_id}", "get"),
    ("/v1/files/{file_id}/content", "get"),
    ("/v1/styles", "get"),
    ("/v1/styles/{style}", "get"),
    ("/v1/loras", "get"),
    ("/v1/vaes", "get"),
    ("/v1/account", "get"),
    ("/v1/webhooks", "get"),
    ("/v1/webhooks", "post"),
    ("/v1/webhooks/default/secret", "get"),
    ("/v1/webhooks/default/rotate-secret", "post"),
    ("/v1/webhooks/deliveries", "get"),
    ("/v1/webhooks/deliveries/{delivery_id}", "get"),
    ("/v1/webhooks/deliveries/{delivery_id}/resend", "post"),
    ("/v1/webhooks/{webhook_id}", "delete"),
    ("/v1/webhooks/{webhook_id}", "get"),
    ("/v1/webhooks/{webhook_id}", "patch"),
    ("/v1/webhooks/{webhook_id}/deliveries", "get"),
    ("/v1/webhooks/{webhook_id}/resend", "post"),
    ("/v1/webhooks/{webhook_id}/rotate-secret", "post"),
    ("/v1/webhooks/{webhook_id}/secret", "get"),
    ("/v1/webhooks/{webhook_id}/test", "post"),
    ("/v1/account/credits", "get"),
    ("/v1/keys", "post"),
    ("/v1/keys", "get"),
    ("/v1/keys/{key_id}", "get"),
    ("/v1/keys/{key_id}", "patch"),
    ("/v1/keys/{key_id}/rotate", "post"),
    ("/v1/keys/{key_id}/revoke", "post"),
    ("/v1/admin/accounts", "get"),
    ("/v1/admin/accounts", "post"),
    ("/v1/admin/accounts/{account_id}", "get"),
    ("/v1/admin/accounts/{account_id}", "patch"),
    ("/v1/admin/accounts/{account_id}/suspend", "post"),
    ("/v1/admin/accounts/{account_id}/resume", "post"),
    ("/v1/admin/accounts/{account_id}/credits", "get"),
    ("/v1/admin/accounts/{account_id}/credits", "post"),
    ("/v1/admin/accounts/{account_id}/keys", "post"),
    ("/v1/admin/keys", "get"),
    ("/v1/admin/keys/{key_id}", "get"),
    ("/v1/admin/keys/{key_id}", "patch"),
    ("/v1/admin/webhooks", "get"),
    ("/v1/admin/keys/{key_id}/rotate", "post"),
    ("/v1/admin/keys/{key_id}/revoke", "post"),
    ("/v1/admin/plans", "get"),
    ("/v1/admin/queue", "get"),
    ("/v1/admin/models", "get"),
    ("/v1/admin/styles", "get"),
    ("/v1/admin/retention", "get"),
    ("/v1/admin/audit", "get"),
    ("/v1/admin/decisions", "get"),
    ("/img/{name}", "get"),
    ("/img/{name}", "head"),
    ("/v1/provenance/check", "post"),
    ("/healthz", "get"),
    ("/readyz", "get"),
}


async def test_the_document_is_the_one_in_the_repository(gateway):
    """Run `make openapi` when the contract changes on purpose, and look at the difference."""
    served = (await gateway.http.get("/openapi.json")).json()
    assert served == json.loads(GOLDEN.read_text())


def test_the_document_is_valid_openapi_3_1():
    document = json.loads(GOLDEN.read_text())
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_the_document_names_every_operation_and_no_foreign_error_shape():
    document = json.loads(GOLDEN.read_text())
    found = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert found == OPERATIONS
    assert "HTTPValidationError" not in GOLDEN.read_text()


def test_every_member_of_a_request_has_its_limits_in_the_document():
    members = json.loads(GOLDEN.read_text())["components"]["schemas"]["GenerateBody"]["properties"]
    assert members["prompt"]["maxLength"] == 1500
    assert members["negative_prompt"]["anyOf"][0]["maxLength"] == 500
    assert members["width"]["anyOf"][0]["enum"] == [512, 768, 1024, 1280, 1920]
    assert members["seed"]["anyOf"][0]["maximum"] == 4294967295
    assert "async" in members
    assert "is_async" not in members


def test_every_answer_names_its_headers_and_every_error_has_an_example():
    document = json.loads(GOLDEN.read_text())
    answers = {
        (path, method, status): answer
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
    }
    assert [where for where, answer in answers.items() if "X-Request-Id" not in answer["headers"]] == []
    assert "Retry-After" in answers["/v1/generate", "post", "429"]["headers"]
    assert "Location" in answers["/v1/generate", "post", "202"]["headers"]
    assert "X-RateLimit-Remaining" in answers["/v1/generate", "post", "200"]["headers"]

    examples = document["components"]["examples"]
    codes = {code for answer in answers.values() for code in shown_in(answer)}
    assert codes <= examples.keys()
    assert all(examples[code]["value"]["error"]["code"] == code for code in examples)


def shown_in(answer: dict) -> list[str]:
    return list(answer.get("content", {}).get("application/problem+json", {}).get("examples", {}))


def test_every_reference_inside_the_document_resolves():
    document = json.loads(GOLDEN.read_text())
    missing = [reference for reference in set(references(document)) if not resolves(document, reference)]
    assert missing == []


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def resolves(document: dict, reference: str) -> bool:
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part.replace("~1", "/").replace("~0", "~"), {})
    return reference.startswith("#/") and bool(node)


def test_operations_are_called_by_our_verbs_each_once_and_in_the_order_of_the_tags():
    document = json.loads(GOLDEN.read_text())
    operations = [operation for by_method in document["paths"].values() for operation in by_method.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert [id for id in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)*", id) or "_v1" in id] == []
    assert {tag for operation in operations for tag in operation["tags"]} == {tag["name"] for tag in document["tags"]}


def test_schemas_have_names_that_read_well_in_a_generated_client():
    schemas = json.loads(GOLDEN.read_text())["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"([A-Z][a-z0-9]+)+", name)] == []


def test_every_member_parameter_and_operation_is_described():
    document = json.loads(GOLDEN.read_text())
    bare = [
        f"{name}.{member}"
        for name, schema in document["components"]["schemas"].items()
        for member, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bare += [f"{method} {path}"] if not operation.get("description") else []
            bare += [
                f"{method} {path} {one['name']}"
                for one in operation.get("parameters", ())
                if not one.get("description")
            ]
    assert bare == []

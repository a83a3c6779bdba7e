"""Every member and every tag of the document gets words."""

from typing import Any

from gateway.http.document.members import EXCEPTIONS, MEANINGS

TAGS = [
    {"name": "generations", "description": "Paint, list, read, watch, cancel, delete, replay."},
    {"name": "images", "description": "Files of pictures and addresses of their variants."},
    {"name": "batches", "description": "Many requests sent as one."},
    {"name": "styles", "description": "What may be asked for: styles, LoRAs, VAEs."},
    {"name": "webhooks", "description": "Endpoints that are notified, and what was sent to them."},
    {"name": "account", "description": "Plan, credits, use."},
    {"name": "keys", "description": "A caller's own keys."},
    {"name": "provenance", "description": "Was this file made here?"},
    {"name": "openai", "description": "The images, edits, files and models of OpenAI's clients."},
    {"name": "admin", "description": "For operators: keys with the scope `admin`."},
    {"name": "operations", "description": "Is it alive, can it paint?"},
]

TOKENS = "Always 0: nothing is counted in tokens here."


def describe_members(document: dict[str, Any]) -> None:
    """Add what the members' own models do not say. A member without any words is found by a test."""
    for name, schema in document["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            _describe(described, name, member)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation.setdefault("description", operation["summary"] + ".")
            for parameter in operation.get("parameters", ()):
                _describe(parameter, operation["operationId"], parameter["name"])


def _describe(described: dict[str, Any], owner: str, member: str) -> None:
    meaning = EXCEPTIONS.get((owner, member)) or MEANINGS.get(member) or (TOKENS if "tokens" in member else None)
    if meaning is not None:
        described.setdefault("description", meaning)

"""Which error codes an operation can answer with: a status alone would name many that never happen there."""

from collections.abc import Mapping
from typing import Any

PAINTING = frozenset({"generate", "quote", "generate_images", "edit_images"})
ACCEPTING = frozenset({"generate", "replay", "generate_images", "edit_images"})
WITH_LIMITS = ACCEPTING | {"create_batch"}

# Codes that are not in here may stand wherever their status does.
ONLY_AT: Mapping[str, frozenset[str]] = {
    "prompt_too_long": PAINTING,
    "negative_prompt_too_long": PAINTING,
    "unknown_style": PAINTING | {"read_style", "list_generations"},
    "invalid_size": PAINTING,
    "unsupported_parameter": frozenset({"generate_images", "edit_images"}),
    "lora_not_found": PAINTING | {"replay"},
    "vae_not_found": PAINTING | {"replay"},
    "invalid_image": PAINTING | {"check_provenance"},
    "invalid_webhook_url": frozenset({"generate", "quote", "create_batch", "create_webhook", "change_webhook"}),
    "invalid_file": frozenset({"create_batch", "send_file"}),
    "content_policy_violation": frozenset({"generate", "quote", "replay"}),
    "moderation_blocked": frozenset({"generate_images", "edit_images"}),
    "plan_upgrade_required": PAINTING | {"replay", "create_batch", "make_key"},
    "invalid_signature": frozenset({"read_image", "head_image"}),
    "url_expired": frozenset({"read_image", "head_image"}),
    "too_many_endpoints": frozenset({"create_webhook"}),
    "too_many_files": frozenset({"send_file"}),
    "model_not_found": PAINTING | {"read_model", "replay"},
    "idempotency_in_progress": WITH_LIMITS,
    "idempotency_key_reused": WITH_LIMITS,
    "not_completed": frozenset({"replay", "read_replay"}),
    "already_finished": frozenset({"cancel_generation", "cancel_batch"}),
    "endpoint_disabled": frozenset({"resend_delivery", "resend_range"}),
    "daily_quota_exceeded": WITH_LIMITS,
    "concurrency_limit_exceeded": WITH_LIMITS,
    "queue_full": WITH_LIMITS,
    "model_unavailable": PAINTING | {"replay"},
    "model_unusable": PAINTING - {"quote"} | {"replay"},
    "generation_canceled": PAINTING - {"quote"} | {"replay"},
    "image_gone": PAINTING | {"replay", "read_image", "head_image"},
    "image_damaged": PAINTING | {"replay", "read_image", "head_image"},
    "file_gone": frozenset({"read_content", "create_batch"}),
    "painting_crashed": PAINTING - {"quote"} | {"replay"},
    "invalid_setting": frozenset(),
    "invalid_http": frozenset(),  # before there is an operation
}
JSON_BODY = frozenset({"invalid_json"})
ANY_BODY = frozenset({"missing_parameter"})
FORM_BODY = frozenset({"invalid_form"})
OF_A_KEY = frozenset({"account_suspended", "insufficient_scope"})


def can_happen(code: str, operation: Mapping[str, Any]) -> bool:
    """Whether the operation can answer with this code, where it answers with the code's status at all."""
    media_types = operation.get("requestBody", {}).get("content", {})
    if code in JSON_BODY:
        return "application/json" in media_types
    if code in FORM_BODY:
        return "multipart/form-data" in media_types
    if code in ANY_BODY:
        return bool(media_types)
    if code in OF_A_KEY:
        return "401" in operation["responses"]
    if code == "invalid_cursor":
        return any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
    return code not in ONLY_AT or operation["operationId"] in ONLY_AT[code]

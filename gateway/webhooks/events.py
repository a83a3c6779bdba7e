"""What a webhook says: GenPicz's flat members and Standard Webhooks' `type`, `timestamp`, `data`, in one body."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationEnded:
    """A generation reached its last state; `details` is what the caller may read of it besides, kept small."""

    generation_id: str
    status: str
    image_url: str | None
    created_at: datetime
    ended_at: datetime
    details: Mapping[str, JsonValue] = field(default_factory=dict[str, "JsonValue"])

    @property
    def type(self) -> str:
        """Such as `generation.completed`."""
        return f"generation.{self.status}"


def event_body(ended: GenerationEnded) -> bytes:
    """The JSON to store once and to send unchanged with every attempt, for the signature covers its bytes."""
    flat: dict[str, JsonValue] = {
        "generation_id": ended.generation_id,
        "status": ended.status,
        "image_url": ended.image_url,
        "created_at": _written(ended.created_at),
    }
    body: dict[str, JsonValue] = {
        "event": ended.type,
        **flat,
        "type": ended.type,
        "timestamp": _written(ended.ended_at),
        "data": {**ended.details, **flat},
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

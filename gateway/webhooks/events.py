"""What a webhook says: GenPicz's flat members and Standard Webhooks' `type`, `timestamp`, `data`, in one small body."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

EVENT_TYPES = ("generation.completed", "generation.failed", "generation.canceled", "batch.completed")
TEST_EVENT = "webhook.test"
MAX_BODY_BYTES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something of an account that its receivers are told of: once for each subject and type.

    `members` stand at the top of the body and in `data`, `details` in `data` alone.
    """

    account_id: str
    subject_id: str
    type: str
    at: datetime
    members: Mapping[str, JsonValue]
    details: Mapping[str, JsonValue] = field(default_factory=dict[str, "JsonValue"])


def event_body(happening: Happening, *, sequence: int) -> bytes:
    """The JSON to store once and to send unchanged with every attempt, for the signature covers its bytes.

    `sequence` grows with each event of the account: receivers order by it, for deliveries may overtake each other.
    Details that would make the body larger than 20 kB are left out; the subject can be read by its id.
    """
    body = _written_body(happening, happening.details, sequence)
    return body if len(body) <= MAX_BODY_BYTES else _written_body(happening, {}, sequence)


def written_moment(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _written_body(happening: Happening, details: Mapping[str, JsonValue], sequence: int) -> bytes:
    body: dict[str, JsonValue] = {
        "event": happening.type,
        **happening.members,
        "type": happening.type,
        "timestamp": written_moment(happening.at),
        "sequence": sequence,
        "data": {**details, **happening.members},
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

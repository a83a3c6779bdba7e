import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.webhooks import GenerationEnded, event_body


def ended(status: str = "completed", **changed: object) -> GenerationEnded:
    members = {
        "generation_id": "gen_Kz9mN4pQr2xTvW",
        "status": status,
        "image_url": "https://img.example/img/a.png",
        "created_at": datetime(2026, 6, 1, 10, 32, 44, 123456, tzinfo=UTC),
        "ended_at": datetime(2026, 6, 1, 10, 32, 45, tzinfo=UTC),
        "details": {"seed": 7, "style": "aquarelle é"},
    }
    return GenerationEnded(**{**members, **changed})


def test_the_body_has_genpicz_members_at_the_top_and_the_standards_beside_them() -> None:
    assert json.loads(event_body(ended())) == {
        "event": "generation.completed",
        "generation_id": "gen_Kz9mN4pQr2xTvW",
        "status": "completed",
        "image_url": "https://img.example/img/a.png",
        "created_at": "2026-06-01T10:32:44Z",
        "type": "generation.completed",
        "timestamp": "2026-06-01T10:32:45Z",
        "data": {
            "seed": 7,
            "style": "aquarelle é",
            "generation_id": "gen_Kz9mN4pQr2xTvW",
            "status": "completed",
            "image_url": "https://img.example/img/a.png",
            "created_at": "2026-06-01T10:32:44Z",
        },
    }


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_an_event_is_named_by_the_state_and_has_no_picture(status: str) -> None:
    body = json.loads(event_body(ended(status, image_url=None)))
    assert (body["event"], body["type"], body["image_url"]) == (f"generation.{status}", f"generation.{status}", None)


def test_moments_are_written_in_utc() -> None:
    there = datetime(2026, 6, 1, 12, 32, 44, tzinfo=timezone(timedelta(hours=2)))
    assert json.loads(event_body(ended(created_at=there)))["created_at"] == "2026-06-01T10:32:44Z"


def test_the_same_end_gives_the_same_bytes() -> None:
    assert event_body(ended()) == event_body(ended())
